"""A model, as runs and artifacts tell of it, for tests of its card."""

import copy

from reports import model_card

RUN = {
    "run": "20260101-120000",
    "config": "signs",
    "blessed": True,
    "reason": "",
    "parity": True,
    "servers": ["hubel"],
    "missed": [],
    "metrics": {"accuracy": 0.7083333134651184, "cross_entropy": 0.9989660978317261, "example_count": 120},
    "intervals": {"accuracy": [0.6215576502025921, 0.7821843637896146], "cross_entropy": [0.8739181751127462, 1.124]},
    "slices": [
        {
            "slice": {"label": 1}, "class": "stop", "examples": 8, "metrics": {"accuracy": 0.1818181872367859},
            "intervals": {"accuracy": [0.05136768974608505, 0.47698056196084415]},
        },
        {"slice": {"label": 0}, "class": "give way", "examples": 112, "metrics": {"accuracy": 0.75}, "intervals": {}},
    ],
    "differences": [],
    "comparison": "",
    "images": {"train": 420, "validation": 60, "test": 120},
    "classes": {
        "train": {"give way": 400, "stop": 14, "yield": 6},
        "validation": {"give way": 55, "stop": 5},
        "test": {"give way": 112, "stop": 8},
    },
    "changes": {}, "duplicates": 0, "leakage": None, "contradictions": None, "drift": {}, "skew": {"label": 0.01},
    "unlabelled": {}, "quarantined": {}, "starts_from": [], "data_digest": "d1",
}  # fmt: skip
TECHNICAL = {
    "name": "signs", "architecture": "lenet5", "task": "classification", "params": 61706, "reads": "image",
    "input_shape": [32, 32, 3], "class_names": ["give way", "stop", "yield"], "epochs": 7, "seed": 3,
    "reading": {"ground": "white"}, "export": {"top_k": 5}, "gives": {"serving_default": {"classes": "names"}},
}  # fmt: skip
CONFIG = {
    "name": "signs",
    "data": {"source": "folder:signs", "test": 0.2},
    "train": {"epochs": 7},
    "augment": [{"rotate": {"degrees": 10}}],
    "evaluate": {
        "thresholds": {"accuracy": {"min": 0.6, "max": None}},
        "slices": {"label": {"min_count": 50, "thresholds": {"accuracy": {"min": 0.5, "max": None}}}},
    },
    "card": {"owner": "The roads office", "intended_use": "To count signs.", "data_licence": "CC BY 4.0"},
}


def known(run=None, technical=None, config=None, **more) -> model_card.Known:
    """The model with some of what is known of it changed."""
    run, technical, config = (
        copy.deepcopy(all_of) | (changed or {}) for all_of, changed in ((RUN, run), (TECHNICAL, technical), (CONFIG, config))
    )
    more = {"version": 4, "software": {"keras": "3.15.1"}, **more}
    return model_card.Known(run, technical, config, "2026-01-01T12:00:00+00:00", **more)

"""A model card as one JSON value: Mitchell et al. 2019, "Model cards for model reporting", FAT*, section 4.

It has the nine parts of that section, in their order. What it says is handed in as plain data. None stands for what nobody stated
or what is not on record, and `not_stated` and `not_on_record` list it: no part is left out. docs/model_cards.md has the schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reports import caveats

SCHEMA = 1
FILE, PAGE = "assets.extra/model_card.json", "assets.extra/model_card.html"  # in a version's folder
PARTS = ("model_details", "intended_use", "factors", "metrics", "evaluation_data", "training_data", "quantitative_analyses")
PARTS += ("ethical_considerations", "caveats", "verdict", "not_stated", "not_on_record")
TEXTS = {  # key of `card` in a config -> the card's part and name
    "owner": ("model_details", "owner"),
    "contact": ("model_details", "contact"),
    "licence": ("model_details", "licence"),
    "citation": ("model_details", "citation"),
    "intended_use": ("intended_use", "intended_use"),
    "out_of_scope": ("intended_use", "out_of_scope"),
    "ethics": ("ethical_considerations", "text"),
    "data_licence": ("training_data", "licence"),
    "data_citation": ("training_data", "citation"),
}
ELSEWHERE = ("name", "seed", "data", "evaluate", "export", "push", "beam", "card")  # keys of a config that are no part of training
OF_RUN = ("metrics", "intervals", "slices", "images", "classes", "blessed")  # without which a card says little
OF_DATA = ("quarantined", "unlabelled", "changes", "duplicates", "leakage", "contradictions", "drift", "skew")
SHORT = 50  # entries that a calibrated value may have to stand on the card


@dataclass(frozen=True)
class Known:
    """What a card is made of.

    Args:
        run: what a run answers, by the names of the JSON contract's `run`; what is missing is not on record.
        technical: assets.extra/hubel.json of the SavedModel; empty where it has none.
        config: resolved, by section; empty where it is not on record.
        made: when the card is, ISO 8601.
        version: as which the model is pushed; None: it is not.
        software: name -> version, of what trained and wrote it. lineage: name -> id or digest.
        terms: licence and citation of the data, as its source has them.
    """

    run: Mapping[str, Any]
    technical: Mapping[str, Any]
    config: Mapping[str, Any]
    made: str
    version: int | None = None
    software: Mapping[str, str] = field(default_factory=dict)
    lineage: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)


def of(known: Known) -> dict[str, Any]:
    """The card. Figures, intervals and slices are those of `known.run`, unrounded and in its order."""
    run, technical, config = known.run, known.technical, known.config
    texts = {key: (config.get("card") or {}).get(key) for key in TEXTS}
    texts["data_licence"] = texts["data_licence"] or known.terms.get("licence")
    texts["data_citation"] = texts["data_citation"] or known.terms.get("citation")
    card: dict[str, Any] = {
        "schema": SCHEMA,
        "model_details": _details(known),
        "intended_use": {},
        "factors": _factors(run, config),
        "metrics": _metrics(run, technical, config),
        "evaluation_data": _evaluation_data(run, config),
        "training_data": _training_data(run, config),
        "quantitative_analyses": _analyses(run),
        "ethical_considerations": {},
        "caveats": [],
        "verdict": {
            "blessed": run.get("blessed"),
            "reason": run.get("reason"),
            "missed": run.get("missed"),
            "forced": technical.get("forced"),
        },
        "not_stated": [key for key, text in texts.items() if not text],
        "not_on_record": [
            *(name for name in (*OF_RUN, *OF_DATA) if name not in run),
            *(name for name, value in {"config": config, "software": known.software}.items() if not value),
        ],
    }
    for key, (part, name) in TEXTS.items():
        card[part][name] = texts[key]
    card["caveats"] = caveats.of(card, technical, config)
    return card


def _details(known: Known) -> dict[str, Any]:
    run, technical, config = known.run, known.technical, known.config
    return {
        "name": technical.get("name") or run.get("config"),
        "version": known.version,
        "made": known.made,
        "architecture": technical.get("architecture") or run.get("architecture"),
        "task": technical.get("task"),
        "reads": technical.get("reads"),
        "input_shape": technical.get("input_shape"),
        "class_names": technical.get("class_names"),
        "targets": technical.get("targets"),
        "params": technical.get("params"),
        "epochs": technical.get("epochs"),
        "seed": technical.get("seed", config.get("seed")),
        "hyperparameters": technical.get("hyperparameters"),
        "starts_from": run.get("starts_from"),
        "members": list(technical.get("members") or {}),
        "signatures": technical.get("gives"),
        "predicts": technical.get("predicts"),
        "export": technical.get("export"),
        "reading": technical.get("reading"),
        "variants": technical.get("variants") or run.get("variants") or [],
        "training": {name: value for name, value in config.items() if name not in ELSEWHERE and value is not None},
        "software": dict(known.software),
        "checked": {"parity": run.get("parity"), "servers": run.get("servers")},
        "lineage": dict(known.lineage),
    }


def _factors(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The groups that figures were taken of, and those that were asked for."""
    slices = run.get("slices")
    if slices is None:
        return {"evaluated": None, "asked": list((config.get("evaluate") or {}).get("slices") or {})}
    groups: dict[str, list[str]] = {}
    for part in slices:
        groups.setdefault(" x ".join(part["slice"]), []).append(called(part))
    return {"evaluated": groups, "asked": list((config.get("evaluate") or {}).get("slices") or {})}


def called(part: Mapping[str, Any]) -> str:
    """A slice in words: its class, or its features with their values."""
    if part.get("class") is not None:
        return str(part["class"])
    return ", ".join(f"{feature} {value}" for feature, value in part["slice"].items())


def _metrics(run: Mapping[str, Any], technical: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    bounds = config.get("evaluate") or {}
    calibrated = technical.get("calibrated") or {}
    return {
        "reported": list(run["metrics"]) if run.get("metrics") is not None else None,
        "interval_level": 0.95,
        "thresholds": bounds.get("thresholds"),
        "slices": bounds.get("slices"),
        "change": bounds.get("change"),
        "margins": bounds.get("margins"),
        "decided_by": {name: value for name, value in calibrated.items() if _is_short(value)},
        "top_k": (technical.get("export") or {}).get("top_k"),
    }


def _is_short(value: Any) -> bool:
    return not isinstance(value, Mapping | list) or len(value) <= SHORT


def _evaluation_data(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    data = config.get("data") or {}
    judged = (run.get("metrics") or {}).get("example_count")
    return {
        "source": data.get("source"),
        "split": "test",
        "examples": judged if run.get("images") is None else _of_split(run["images"], "test"),
        "by_class": _of_split(run.get("classes"), "test"),
        "share": data.get("test"),
    }


def _of_split(by_split: Mapping[str, Any] | None, split: str) -> Any:
    return None if by_split is None else by_split.get(split)


def _training_data(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    images, classes = run.get("images"), run.get("classes")
    data = {name: value for name, value in (config.get("data") or {}).items() if value not in (None, {}, [])}
    return {
        "source": data.get("source"),
        "digest": run.get("data_digest"),
        "examples": images,
        "by_class": classes,
        **{name: run.get(name) for name in OF_DATA},
        "read": data,
    }


def _analyses(run: Mapping[str, Any]) -> dict[str, Any]:
    slices = run.get("slices")
    return {
        "overall": {"metrics": run.get("metrics"), "intervals": run.get("intervals")},
        "slices": slices,
        "worst": None if slices is None else _worst(slices),
        "differences": run.get("differences"),
        "comparison": run.get("comparison"),
    }


def _worst(slices: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each group of slices the one that is worst by the group's first figure: Evaluator has them in that order."""
    first: dict[tuple[str, ...], Mapping[str, Any]] = {}
    sizes: dict[tuple[str, ...], int] = {}
    for part in slices:
        group = tuple(part["slice"])
        sizes[group] = sizes.get(group, 0) + 1
        if part["metrics"]:
            first.setdefault(group, part)
    told = []
    for group, part in first.items():
        if sizes[group] < 2:  # nothing to be worse than
            continue
        metric = next(iter(part["metrics"]))
        told.append(
            {
                "slice": part["slice"],
                "called": called(part),
                "examples": part["examples"],
                "metric": metric,
                "value": part["metrics"][metric],
                "interval": (part.get("intervals") or {}).get(metric),
            }
        )
    return told

"""How many images parts of the test split have, and what is said of each part."""

from types import SimpleNamespace

import numpy as np
import pytest

from components import keys
from components.compat import tfma
from components.evaluator import slices
from components.tasks.judges.by_name import judge_of
from configs.schema.evaluate import EvaluateConfig
from tests.components import digits

BY_LABEL = {"slices": {"label": {}}}


def test_slices_are_counted_by_value(tmp_path):
    labels = digits.images()[1][list(digits.rows(keys.TEST))]
    files = [str(path) for path in (digits.write_examples(tmp_path) / "Split-test").iterdir()]
    counts = slices.counts(files, ["label", "example/id", "nowhere"])
    assert counts["label"] == {str(value): int((labels == value).sum()) for value in set(labels.tolist())}
    assert counts["example/id"] == {f"digit-{i}": 1 for i in digits.rows(keys.TEST)}
    assert counts["nowhere"] == {}
    assert slices.counts(["not even read"], []) == {}


def test_figures_are_those_that_are_numbers(monkeypatch):
    written = {"mse": {"doubleValue": 0.5}, "auroc": {"doubleValue": "NaN"}, "recall": {}, "mse_diff": {"doubleValue": 0.1}}
    parts = [((), {"": {"": written}}), ((("label", 1),), {"": {"": {"mse": {"doubleValue": 9.0}}}})]
    monkeypatch.setattr(tfma.tfma, "load_eval_result", lambda folder, model_name: SimpleNamespace(slicing_metrics=parts))
    assert slices.figures("folder", has_baseline=True) == {(): {"mse": 0.5}, (("label", 1),): {"mse": 9.0}}


def reported(by_label_figures, tree, task="classification", by_label=None, class_names=("cat", "dog")):
    made = {(("label", label),): {"example_count": 4.0, **figures} for label, figures in by_label_figures.items()}
    whole = {(): {"example_count": 9.0, "accuracy": 0.1}}
    return slices.reported(whole | made, by_label or {}, EvaluateConfig.model_validate(tree), judge_of(task), list(class_names))


def test_the_worst_slice_comes_first_whichever_way_is_up():
    figures = {0: {"accuracy": 0.9, "cross_entropy": 0.1}, 1: {"accuracy": 0.2, "cross_entropy": 1.0}}
    worst, best = reported(figures, BY_LABEL)
    assert worst == {"slice": {"label": 1}, "class": "dog", "examples": 4, "metrics": figures[1]}
    assert best == {"slice": {"label": 0}, "class": "cat", "examples": 4, "metrics": figures[0]}
    errors = {0: {"mse": 0.5}, 1: {}, 2: {"mse": 0.9}}
    assert [(part["slice"]["label"], part["class"]) for part in reported(errors, BY_LABEL, "reconstruction")] == [
        (2, None),  # a label that has no name
        (0, "cat"),
        (1, "dog"),  # whose figure is not known
    ]


def test_what_the_config_bounds_comes_first_and_what_says_nothing_of_one_label_only_then():
    figures = {0: {"accuracy": 0.9, "cross_entropy": 0.1, "macro_f1": 0.3}}
    [part] = reported(figures, BY_LABEL)
    assert list(part["metrics"]) == ["accuracy", "cross_entropy"]
    [part] = reported(figures, {"slices": {"label": {"thresholds": {"macro_f1": {"min": 0.1}}}}})
    assert list(part["metrics"].items()) == [("macro_f1", 0.3), ("accuracy", 0.9), ("cross_entropy", 0.1)]


def test_what_is_measured_by_label_stands_beside():
    [part] = reported({3: {"mse": 0.5}}, BY_LABEL, "reconstruction", {3: {"pca_mse": 0.6}, 4: {"pca_mse": 0.7}})
    assert part["metrics"] == {"mse": 0.5, "pca_mse": 0.6}
    assert reported({}, BY_LABEL) == []


def test_what_says_how_many_is_a_whole_number():
    figures = {"example_count": 58.0, "true_positives": 12.0, "recall": 1.0, "mse": 2.0}
    counted = slices.counted(judge_of("anomaly:reconstruction"))
    assert counted == {"example_count", "true_positives", "true_negatives", "false_positives", "false_negatives"}
    whole = slices.whole(figures, counted)
    assert whole == figures
    assert [type(value) for value in whole.values()] == [int, int, float, float]
    assert "active_units" in slices.counted(judge_of("reconstruction.variational"))
    [part] = reported({3: {"false_negatives": 2.0}}, BY_LABEL, "anomaly:reconstruction")
    assert type(part["metrics"]["false_negatives"]) is int


@pytest.mark.parametrize("task", ["classification", "reconstruction", "anomaly:reconstruction"])
def test_of_a_label_there_are_no_figures_that_compare_labels(task):
    known = {name for name, metric in judge_of(task).metrics.items() if metric.of_label}
    assert known
    assert not known & {"macro_f1", "auroc", "average_precision", "precision"}


def test_classes_are_ranked_by_one_figure_even_where_some_lack_it():
    """All images have the class `everywhere`, so it has no AUROC; its F1 is no AUROC to be ranked among others."""
    judge = judge_of("multilabel")
    labels = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 0], [0, 1, 1]], np.float32)
    probabilities = np.array([[0.9, 0.9, 0.8], [0.2, 0.1, 0.2], [0.8, 0.1, 0.3], [0.1, 0.2, 0.6]], np.float32)
    rows = {"labels": labels, "probabilities": probabilities, "decisions": (probabilities > 0.5).astype(np.float32)}
    parts = slices.of_classes(judge, rows, ["good", "everywhere", "bad"])
    assert [part["class"] for part in parts] == ["bad", "good", "everywhere"]
    assert "auroc" not in parts[2]["metrics"]
    assert parts[0]["metrics"]["auroc"] < parts[2]["metrics"]["f1"] < parts[1]["metrics"]["auroc"]


def test_a_class_that_neither_masks_nor_answers_have_is_left_out():
    """Images, [N, K]: two of each class but the last one, which is in none; nothing of the second one is right."""
    union = np.array([[9, 4, 0], [9, 0, 0], [9, 4, 0]], np.float32)
    rows = {"intersection": union * (0.5, 0, 0), "union": union, "truth": np.array([[9, 4, 0], [0, 0, 0], [9, 0, 0]], np.float32)}
    rows["intersection"][0, 0] = 9
    judge = judge_of("segmentation")
    worst, best = slices.of_classes(judge, rows, ["ground", "cat", "fox"])
    assert (worst["slice"], worst["class"], worst["examples"]) == ({"mask": 1}, "cat", 1)
    assert worst["metrics"] == {"iou": 0.0, "dice": 0.0}
    assert worst["intervals"] == {}
    assert (best["class"], best["examples"]) == ("ground", 2)
    assert best["metrics"] == pytest.approx({"iou": 18 / 27, "dice": 0.8})
    assert set(best["intervals"]) == {"iou", "dice"}
    assert slices.of_classes(judge, {}, ["ground", "cat", "fox"]) == []
    del rows["truth"]
    assert slices.of_classes(judge, rows, ["ground", "cat", "fox"])[0]["examples"] == 2, "of an earlier model, masks or answers"

"""What Evaluator reads around TFMA."""

from types import SimpleNamespace

from components import keys
from components.evaluator import component
from tests.components import digits


def files(artifacts):
    return [str(path) for path in (artifacts.examples / "Split-test").iterdir()]


def test_slices_are_counted_by_value(artifacts):
    labels = digits.images()[1][list(digits.rows(keys.TEST))]
    counts = component.slice_counts(files(artifacts), ["label", "image/id", "nowhere"])
    assert counts["label"] == {str(value): int((labels == value).sum()) for value in set(labels.tolist())}
    assert counts["image/id"] == {f"digit-{i}": 1 for i in digits.rows(keys.TEST)}
    assert counts["nowhere"] == {}
    assert component.slice_counts(["not even read"], []) == {}


def test_figures_are_those_of_the_whole_split_that_are_numbers(monkeypatch):
    written = {"mse": {"doubleValue": 0.5}, "auroc": {"doubleValue": "NaN"}, "recall": {}, "mse_diff": {"doubleValue": 0.1}}
    slices = [((), {"": {"": written}}), ((("label", 1),), {"": {"": {"mse": {"doubleValue": 9.0}}}})]
    monkeypatch.setattr(component.tfma, "load_eval_result", lambda folder, model_name: SimpleNamespace(slicing_metrics=slices))
    assert component.overall_metrics("folder", has_baseline=True) == {"mse": 0.5}

"""Tables and plots of an experiment's rows, made by hand."""

import csv
import io
import re

import pytest

from configs.errors import HubelError
from configs.experiment import ExperimentConfig
from reports import comparison

ARMS = {"narrow": {}, "wide": {}}


def asked(**changes) -> ExperimentConfig:
    return ExperimentConfig.model_validate({"config": "c", "arms": ARMS, "show": ["params", "test_accuracy"], **changes})


def row(arm, seed=0, **figures):
    return {"arm": arm, "seed": seed, "params": {"narrow": 1000, "wide": 5000}[arm], "steps_to": None, **figures, "note": ""}


ONE = [row("narrow", test_accuracy=0.9, test_error=0.1), row("wide", test_accuracy=0.95, test_error=0.05)]
DIVERGED = {"arm": "wide", "seed": 1, "note": "Training diverged: so."}


def test_a_row_an_arm():
    table = comparison.table(asked(), ONE)
    assert table == {
        "columns": ["arm", "params", "test accuracy"],
        "rows": [["narrow", "1,000", "0.9000"], ["wide", "5,000", "0.9500"]],
    }


def test_seeds_are_a_mean_and_a_range():
    rows = [*ONE, row("narrow", 1, test_accuracy=0.8), DIVERGED]
    table = comparison.table(asked(show=["test_accuracy"]), rows)
    assert table["columns"] == ["arm", "test accuracy", "note"]
    assert table["rows"][0] == ["narrow", "0.8500 (0.8000 to 0.9000)", ""]
    assert table["rows"][1] == ["wide", "0.9500 (0.9500 to 0.9500, 1 never)", "Training diverged: so."]


def test_steps_that_were_never_enough_are_said():
    rows = [{**ONE[0], "steps_to": 60}, ONE[1]]
    table = comparison.table(asked(show=["steps_to"], steps_to=0.95), rows)
    assert (table["columns"], table["rows"]) == (["arm", "steps to 0.95"], [["narrow", "60"], ["wide", "never"]])


def test_the_csv_has_every_figure_of_every_training():
    rows = [*ONE, DIVERGED]
    records = list(csv.DictReader(io.StringIO(comparison.as_csv(rows))))
    assert list(records[0]) == ["arm", "seed", "params", "steps_to", "test_accuracy", "test_error", "note"]
    assert [(r["arm"], r["test_accuracy"], r["note"]) for r in records] == [
        ("narrow", "0.9", ""), ("wide", "0.95", ""), ("wide", "", "Training diverged: so."),
    ]  # fmt: skip


def curves(text):
    """Points of each curve that has any."""
    lines = "".join(re.findall(r'<g class="mark-line role-mark[^>]*>(.*?)</g>', text, re.DOTALL))
    return [path.count("L") + 1 for path in re.findall(r' d="(M[-\d.,LZ]+)"', lines)]


HISTORY = [{"step": 10 * n, "train_loss": 1 / n, "validation_loss": 2 / n} for n in range(1, 6)]


def test_a_plot_over_epochs_has_a_curve_for_each_arm_and_figure():
    wanted = asked(plot={"x": "epoch", "y": ["train_loss"]})
    assert curves(comparison.plot("t", wanted, ONE, [HISTORY, HISTORY[:3]])) == [5, 3]
    two = asked(plot={"x": "step", "y": ["train_loss", "validation_loss"]})
    text = comparison.plot("t", two, ONE, [HISTORY, HISTORY])
    assert curves(text) == [5, 5, 5, 5]
    assert ">narrow, validation loss<" in text
    assert ">50<" in text


def test_a_plot_of_seeds_is_of_their_means_as_far_as_all_go():
    rows = [row("narrow", 0), row("narrow", 1), row("wide"), DIVERGED]
    wanted = asked(plot={"x": "epoch", "y": ["train_loss"]})
    assert curves(comparison.plot("t", wanted, rows, [HISTORY, HISTORY[:2], HISTORY, []])) == [2, 5]


def test_a_plot_over_a_figure_has_a_point_for_each_arm_that_has_it():
    wanted = asked(plot={"x": "params", "y": ["test_error", "test_accuracy"], "log": ["x"]})
    text = comparison.plot("t", wanted, ONE, [HISTORY, HISTORY])
    assert curves(text) == [2, 2]
    assert ">test error<" in text
    assert curves(comparison.plot("t", wanted, [ONE[0], DIVERGED], [HISTORY, []])) == [1, 1]


def test_a_figure_that_no_arm_has_is_an_error_that_lists_those_there_are():
    with pytest.raises(HubelError, match="'test_acuracy'") as caught:
        comparison.check(asked(show=["test_acuracy"], plot={"x": "params", "y": ["test_error"]}), ONE)
    assert "test_accuracy" in caught.value.hint
    comparison.check(asked(show=["steps_to"], plot={"x": "params", "y": ["test_error"]}), ONE)
    comparison.check(asked(), [DIVERGED])


def test_one_training_shows_the_interval_over_test_images():
    intervals = {"test_accuracy": [0.88, 0.92], "test_error": [0.08, 0.12]}
    rows = [{**ONE[0], "intervals": intervals}, ONE[1]]
    table = comparison.table(asked(show=["test_accuracy", "test_error"]), rows)
    assert table["rows"] == [["narrow", "0.9000 [0.8800, 0.9200]", "0.1000 [0.0800, 0.1200]"], ["wide", "0.9500", "0.0500"]]
    errors = comparison.with_errors_too({"test_accuracy": [0.75, 0.875]})
    assert errors == {"test_accuracy": [0.75, 0.875], "test_error": [0.125, 0.25]}
    [narrow, wide] = csv.DictReader(io.StringIO(comparison.as_csv(rows)))
    assert (narrow["test_accuracy_low"], narrow["test_accuracy_high"], wide["test_accuracy_low"]) == ("0.88", "0.92", "")
    assert "intervals" not in narrow
    with pytest.raises(HubelError) as caught:
        comparison.check(asked(show=["test_acuracy"], plot={"x": "params", "y": ["test_error"]}), rows)
    assert "intervals" not in caught.value.hint


def test_what_is_told_of_differences():
    words = "within noise (a test, p = 0.1)"
    apart = {"arm": "wide", "against": "narrow", "metric": "test_accuracy", "difference": 0.05, "words": words}
    assert comparison.told(asked(), [apart]) == [
        "Differences from 'narrow'; in brackets, 95 % over test images:",
        "  wide: test accuracy +0.0500, within noise (a test, p = 0.1)",
    ]
    [first, _] = comparison.told(asked(), [{**apart, "noun": "text"}])
    assert first == "Differences from 'narrow'; in brackets, 95 % over test texts:"
    assert comparison.told(asked(), []) == []

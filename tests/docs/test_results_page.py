"""docs/results.md shows what was measured, and the configs that the figures are from are still there."""

import re

import pytest

from benchmarks import paper_results
from benchmarks.paper_results import EXPERIMENTS
from configs import load


def test_the_table_is_that_of_the_rows():
    [(_, shown, _)] = re.findall(paper_results.TABLE, paper_results.PAGE.read_text(encoding="utf-8"))
    assert shown == paper_results.table()


def test_every_row_is_of_a_known_experiment():
    known = {(one.name, one.config) for one in EXPERIMENTS}
    assert {(row["name"], row["config"]) for row in paper_results.rows()} <= known


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.name)
def test_an_experiment_is_a_valid_config(experiment):
    cfg = load.load(experiment.config, list(experiment.changes))
    assert experiment.data in cfg.data.source
    assert experiment.measure in paper_results.MEASURES
    assert experiment.measure != "errors, %" or "accuracy" in cfg.evaluate.thresholds

"""docs/results.md shows what was measured, and the configs that the figures are from are still there."""

import csv
import re

import pytest

from benchmarks import paper_results, train_speed
from benchmarks.paper_results import EXPERIMENTS
from benchmarks.train_speed import Cost
from configs import load


def test_the_table_is_that_of_the_rows():
    [(_, shown, _)] = re.findall(paper_results.TABLE, paper_results.PAGE.read_text(encoding="utf-8"))
    assert shown == paper_results.table()


def test_every_row_is_of_a_known_experiment():
    known = {(one.name, one.config) for one in EXPERIMENTS}
    assert {(row["name"], row["config"]) for row in paper_results.rows()} <= known


def test_a_loop_s_speed_is_written_once_for_each_machine(tmp_path):
    ours = [Cost(0.002, 0.001), Cost(0.001, 0.001), Cost(0.004, 0.003)]
    theirs = [Cost(0.001, 0.001), Cost(0.002, 0.002), Cost(0.004, 0.003)]
    figures = train_speed.figures(ours, theirs)
    assert list(figures.values()) == ["500", "2.000", "1.000", "0.50", "2.00", "1.000"]
    row = {"model": "lenet5", "loop": "fit", **figures, "batch_size": 64, "rounds": 3, "load": "0.1"}
    for made in ([row], [{**row, "loop": "Trainer"}, {**row, "ratio": "0.970"}]):
        train_speed.save(made, tmp_path / "train_speed.csv")
    with (tmp_path / "train_speed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["loop"], row["ratio"]) for row in rows] == [("fit", "0.970"), ("Trainer", "1.000")]
    assert all(row["machine"] and row["date"] and row["commit"] for row in rows)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda one: one.name)
def test_an_experiment_is_a_valid_config(experiment):
    cfg = load.load(experiment.config, list(experiment.changes))
    assert experiment.data in cfg.data.source
    assert experiment.measure in paper_results.MEASURES
    assert experiment.measure != "errors, %" or "accuracy" in cfg.evaluate.thresholds

"""docs/results.md shows what was measured, and the configs that the figures are from are still there."""

import csv
import os
import re
from dataclasses import fields

import pytest

from benchmarks import paper_results, record, train_speed
from benchmarks.paper_results import EXPERIMENTS
from benchmarks.train_speed import Cost
from components import cpu
from configs import load


def test_the_table_is_that_of_the_rows():
    [(_, shown, _)] = re.findall(paper_results.TABLE, paper_results.PAGE.read_text(encoding="utf-8"))
    assert shown == paper_results.table()


def test_every_row_is_of_a_known_experiment():
    known = {(experiment.name, experiment.config) for experiment in EXPERIMENTS}
    assert {(row["name"], row["config"]) for row in paper_results.rows()} <= known


@pytest.mark.parametrize(
    ("flags", "shown"), [("sse4_2", ""), ("sse4_2 avx2", " (AVX2)"), ("avx2 avx512f avx512_vnni", " (AVX2 AVX-512 VNNI)")]
)
def test_a_machine_is_told_from_one_of_the_same_name_with_other_instructions(tmp_path, monkeypatch, flags, shown):
    (tmp_path / "cpuinfo").write_text(f"model name\t: AMD EPYC\nflags\t: {flags}\n")
    monkeypatch.setattr(cpu, "INFO", tmp_path / "cpuinfo")
    assert record.circumstances()["machine"] == f"{os.cpu_count()} cores of AMD EPYC{shown}"


def test_a_loop_s_speed_is_written_once_for_each_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    ours = [Cost(0.002, 0.001), Cost(0.001, 0.001), Cost(0.004, 0.003)]
    theirs = [Cost(0.001, 0.001), Cost(0.002, 0.002), Cost(0.004, 0.003)]
    figures = train_speed.figures(ours, theirs)
    assert list(figures.values()) == ["500", "2.000", "1.000", "0.50", "2.00", "1.000"]
    row = {"model": "lenet5", "loop": "fit", **figures, "batch_size": 64, "rounds": 3, **record.circumstances()}
    for made in ([row], [{**row, "loop": "Trainer"}, {**row, "ratio": "0.970"}]):
        record.add("train_speed", made, train_speed.KEYS)
    rows = record.rows("train_speed")
    assert [(row["loop"], row["ratio"]) for row in rows] == [("fit", "0.970"), ("Trainer", "1.000")]
    assert all(row["machine"] and row["date"] and row["commit"] for row in rows)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_an_experiment_is_a_valid_config(experiment):
    cfg = load.load(experiment.config, list(experiment.changes))
    assert experiment.data in cfg.data.source
    assert experiment.measure in paper_results.MEASURES
    assert experiment.measure != "errors, %" or "accuracy" in cfg.evaluate.thresholds


def test_the_mean_of_ten_is_that_of_a_seed_with_all_ten(tmp_path, monkeypatch):
    monkeypatch.setattr(paper_results, "RESULTS", tmp_path / "results.csv")
    ten = [arm for arm in EXPERIMENTS if arm.config == "mnist_one_class"]
    blank = dict.fromkeys((field.name for field in fields(paper_results.Row)), "")
    rows = [
        blank | {"name": arm.name, "config": arm.config, "seed": str(seed), "ours": str(80.1 + digit + 5 * seed), "epochs": "60"}
        | {"best": "7", "wall_minutes": "1.5", "cpu_minutes": "2.5", "date": f"2026-01-{10 + digit}"}
        for digit, arm in enumerate(ten)
        for seed in range(2)
    ]  # fmt: skip
    rows.append(blank | {"name": "contractive code", "config": "mnist_contractive_autoencoder", "seed": "0"})

    def shown(rows):
        with paper_results.RESULTS.open("w", newline="") as file:
            writer = csv.DictWriter(file, blank)
            writer.writeheader()
            writer.writerows(rows)
        return [[cell.strip() for cell in line.split("|")[1:-1]] for line in paper_results.table().splitlines()[2:]]

    first, second, last = shown(rows)[-3:]
    assert [first[0], first[3], first[4], first[6:]] == [
        paper_results.MEAN, f"89.7 ({paper_results.DCAE})", "**84.6**", ["0", "60", "15.0, 25.0", "2026-01-19"]
    ]  # fmt: skip
    assert (second[4], second[6], last[0]) == ("**89.6**", "1", "contractive code")
    assert [line[6] for line in shown(rows[1:]) if line[0] == paper_results.MEAN] == ["1"]
    assert len(paper_results.rows()) == len(rows) - 1

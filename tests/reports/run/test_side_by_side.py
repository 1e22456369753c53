"""Runs side by side: those that cannot be compared say why, the better one is shaded, what differs between configs is all there."""

import dataclasses
import html
import re

import pytest

from reports.run import side_by_side
from reports.run.side_by_side import Run

FIRST = Run(
    "digits", "20260101-120000", "done", seconds=61.0, version=1,
    metrics={"accuracy": 0.95, "cross_entropy": 0.2, "example_count": 359},
    intervals={"accuracy": [0.93, 0.97], "cross_entropy": [0.15, 0.25]},
    slices=[{"slice": {"label": 3}, "class": "three", "examples": 37, "metrics": {"accuracy": 0.9}, "intervals": {}}],
    better={"accuracy": "more", "cross_entropy": "less"},
    history=[{"loss": 2.0, "val_loss": 2.1}, {"loss": 1.0, "val_loss": 1.2}],
    config={"train": {"epochs": 2, "batch_size": 64}, "seed": 0, "model": {"options": {}}},
    data="d", task="classification", params=61706,
)  # fmt: skip
SECOND = dataclasses.replace(
    FIRST, run="20260101-130000", metrics={**FIRST.metrics, "accuracy": 0.99, "cross_entropy": 0.3},
    intervals={"accuracy": [0.98, 1.0]}, config={"train": {"epochs": 3, "batch_size": 64}, "seed": 0, "notes": "<b>"},
)  # fmt: skip


def rows(page: str) -> dict[str, list[str]]:
    """Cells by their row's name, tags and all."""
    lines = re.findall(r"<tr>\s*(.*?)\s*</tr>", page, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>.*?</t[hd]>", row, re.DOTALL) for row in lines]
    return {html.unescape(re.sub("<[^>]+>", "", row[0])): row[1:] for row in cells}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"task": "reconstruction"}, "digits@20260101-120000 is for classification, digits@20260101-130000 for reconstruction."),
        ({"data": "e"}, "were judged on other test examples"),
        ({"metrics": {}, "status": "failed", "reason": "The disk is full."}, "has no figures: it is failed (The disk is full.)."),
        ({"metrics": {"mse": 1.0, "example_count": 359}}, "have no figure in common"),
        ({"run": FIRST.run}, "One run is named twice."),
        ({}, ""),
    ],
)
def test_runs_that_cannot_be_compared_say_why(changes, why):
    said = side_by_side.why_not([FIRST, dataclasses.replace(SECOND, **changes)])
    assert why in said
    assert bool(said) == bool(why)


def test_the_page_has_each_figure_of_each_run_and_shades_the_better_one():
    told = rows(side_by_side.write([FIRST, SECOND]))
    accuracy, entropy = told["accuracy"], told["cross_entropy"]
    assert "0.9500 (0.9300 to 0.9700)" in accuracy[0]
    assert "0.9900 (0.9800 to 1.0000)" in accuracy[1]
    assert [" shaded" in cell for cell in accuracy] == [False, True]
    assert [" shaded" in cell for cell in entropy] == [True, False]
    assert ">359<" in told["example_count"][0]
    assert "61.0 s" in told["time of the run"][0]
    assert "0.9000" in told["three"][0]


def test_the_sentence_tells_a_difference_from_noise():
    apart = side_by_side.write([FIRST, SECOND])
    assert "(+0.0400, more than noise)" in apart
    near = dataclasses.replace(SECOND, intervals={"accuracy": [0.96, 1.0]})
    assert "(+0.0400, which may be noise: their 95 % intervals overlap)" in side_by_side.write([FIRST, near])


def test_what_differs_between_configs_is_there_and_nothing_else():
    assert side_by_side.differences([FIRST.config, SECOND.config]) == {"train.epochs": [2, 3], "notes": [None, "<b>"]}
    told = rows(side_by_side.write([FIRST, SECOND]))
    assert "batch_size" not in " ".join(told)
    assert "&lt;b&gt;" in told["notes"][1]
    same = side_by_side.write([FIRST, dataclasses.replace(SECOND, config=FIRST.config)])
    assert "Their configs are the same, key by key." in same

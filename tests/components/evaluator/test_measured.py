"""Bounds on figures that TFMA does not compute."""

import pytest

from components.evaluator import measured
from components.tasks.judges.base import Comparison
from configs.schema.evaluate import Threshold

BETTER = {"probe_accuracy": "more", "rank": "less"}


def refusals(*asked) -> list[str]:
    return [miss.text for miss in measured.misses(*asked)]


@pytest.mark.parametrize(
    ("figures", "thresholds", "parts"),
    [
        ({"probe_accuracy": 0.9}, {"probe_accuracy": {"min": 0.9}}, []),
        ({"probe_accuracy": 0.8}, {"probe_accuracy": {"min": 0.9}}, ["probe_accuracy 0.8000 is below the minimum 0.9"]),
        ({"rank": 2.0}, {"rank": {"max": 1.5}}, ["rank 2.0000 is above the maximum 1.5"]),
        ({}, {"probe_accuracy": {"min": 0.9}}, ["probe_accuracy is asked for, and this data gives none"]),
        ({"mse": 9.0}, {"mse": {"max": 0.1}}, []),  # TFMA's
    ],
)
def test_a_threshold_is_kept_or_the_part_has_its_figures(figures, thresholds, parts):
    asked = {name: Threshold.model_validate(bound) for name, bound in thresholds.items()}
    assert refusals(figures, BETTER, asked, []) == parts


@pytest.mark.parametrize(
    ("name", "value", "kept"), [("probe_accuracy", 0.5, True), ("probe_accuracy", 0.3, False), ("rank", 0.3, True)]
)
def test_a_comparison_is_one_in_the_direction_that_is_better(name, value, kept):
    reasons = refusals({name: value}, BETTER, {}, [Comparison(name, 0.4, "chance"), Comparison("mse", 0.0, "of TFMA")])
    assert reasons == ([] if kept else ["probe_accuracy 0.30000 is no better than the 0.40000 of chance"])


def test_a_comparison_of_a_figure_that_is_missing_is_not_kept():
    assert refusals({}, BETTER, {}, [Comparison("rank", 0.4, "chance")]) == ["rank nan is no better than the 0.40000 of chance"]

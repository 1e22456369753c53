"""Charts of a classifier draw what they are given, and look into a corner where all of it is there."""

import numpy as np
import pytest

from components.reporter import calibration, classes
from components.reporter import classifier_charts as drawn


def curve(sharp: float, seed: int = 0) -> classes.Curve:
    generator = np.random.default_rng(seed)
    is_class = generator.random(400) < 0.3
    return classes.roc(is_class, generator.normal(0, 1, 400) + sharp * is_class)


def data(spec) -> list[dict]:
    return [row for rows in spec["datasets"].values() for row in rows]


@pytest.mark.parametrize(("sharp", "end"), [(0.5, 1.0), (12.0, 0.05)])
def test_an_roc_curve_is_drawn_where_there_is_something_to_see(sharp, end):
    made = drawn.curves("roc", "ROC", "About.", "x", "y", {"cat": curve(sharp)}, diagonal=True)
    lines = made.spec["layer"][-1]["encoding"]
    assert lines["x"]["scale"]["domain"] == [0, end]
    assert (lines["y"]["scale"]["domain"][0] > 0) == (end < 1)
    assert ("Drawn up to 0.05" in made.about) == (end < 1)
    assert made.spec["description"] == made.about
    assert max(row["x"] for row in data(made.spec)) == 1, "the numbers are all there"
    assert made.rows[0][0] == "cat"
    assert made.rows[-1][1:3] == ["1.000", "1.000"]


def test_reliability_has_the_bins_of_each_model():
    confidence, is_right = np.linspace(0.01, 1, 60), np.arange(60) % 2 == 0
    bins = calibration.reliability(confidence, is_right)
    made = drawn.reliability("reliability", "Reliability", "About.", {"as it is": bins, "at temperature 2": bins[:3]})
    points = [row for row in data(made.spec) if "accuracy" in row]
    assert [row["accuracy"] for row in points] == [part.accuracy for part in [*bins, *bins[:3]]]
    assert [row[2] for row in made.rows] == [str(part.images) for part in [*bins, *bins[:3]]]


def test_abstention_is_drawn_with_its_interval():
    confidence = np.random.default_rng(0).random(300)
    of = classes.abstention(confidence, confidence > 0.2)
    made = drawn.abstention("abstention-curve", "Abstention", "About.", of)
    points = data(made.spec)
    assert [row["coverage"] for row in points] == of.coverage.tolist()
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in points)
    assert made.rows[0][0] == "100.0%"

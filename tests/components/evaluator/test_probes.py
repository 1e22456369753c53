"""Probes of codes: they find what is there, and nothing where there is nothing to be found."""

import numpy as np
import pytest

from components.evaluator import probes
from components.evaluator.probes import CLUSTERS, FIGURES, NEAREST, PROBE, Codes


def blobs(each: int, classes: int = 3, apart: float = 10.0, seed: int = 0) -> Codes:
    """Gaussian clouds on the corners of a simplex, a class each."""
    labels = np.tile(np.arange(classes), each)
    drawn = np.random.default_rng(seed).normal(size=(len(labels), classes))
    return Codes((apart * np.eye(classes)[labels] + drawn).astype(np.float32), labels)


def test_codes_of_classes_that_lie_apart_are_read_and_those_of_none_are_not():
    assert probes.figures(blobs(20), blobs(20, seed=1)) == dict.fromkeys(FIGURES, 1.0)
    mixed = probes.figures(blobs(100, apart=0), blobs(100, apart=0, seed=1))
    assert mixed[PROBE] == pytest.approx(1 / 3, abs=0.1)
    assert mixed[NEAREST] == pytest.approx(1 / 3, abs=0.1)
    assert mixed[CLUSTERS] == pytest.approx(0, abs=0.05)


def test_the_same_codes_have_the_same_figures():
    train, test = blobs(30, apart=2), blobs(30, apart=2, seed=1)
    assert probes.figures(train, test) == probes.figures(train, test)


def test_the_linear_probe_does_not_mind_the_scale_of_a_number_and_neighbours_do():
    scales = np.float32([1e-4, 1.0, 1e4])
    (train, test) = (Codes(blobs(50, apart=4, seed=seed).codes * scales, blobs(50).labels) for seed in (0, 1))
    figures = probes.figures(train, test)
    assert figures[PROBE] == probes.linear(blobs(50, apart=4), blobs(50, apart=4, seed=1))[PROBE] > 0.9
    assert figures[NEAREST] < figures[PROBE] - 0.1


def test_a_class_that_was_never_learned_is_not_asked():
    test = blobs(10, classes=3, seed=1)
    train = Codes(*(part[blobs(10).labels < 2] for part in blobs(10)))
    assert probes.linear(train, test) == {PROBE: 1.0}
    assert probes.figures(train, Codes(test.codes[test.labels == 2], test.labels[test.labels == 2])) == {}


@pytest.mark.parametrize(
    ("train", "names"),
    [
        (Codes(np.zeros((9, 2)), np.zeros(9, int)), set()),  # one class
        (Codes(np.full((9, 3), np.nan), np.arange(9) % 3), set()),
        (Codes(*(part[:4] for part in blobs(2))), {PROBE, CLUSTERS}),  # fewer than 5 neighbours
        (Codes(np.zeros((9, 3), np.float32), np.arange(9) % 3), set(FIGURES)),  # a code that says nothing
    ],
)
def test_what_cannot_be_had_is_not_there(train, names):
    assert probes.figures(train, blobs(5, seed=1)).keys() == names


def test_the_interval_of_clusters_that_say_nothing_is_around_nothing():
    """Copies of an image in a resample agree always; counted as pairs they would lift every resample."""
    middles = []
    for seed in range(60):
        labels, clusters = np.random.default_rng(seed).integers(0, 3, (2, 30))
        figure = probes._agreement(labels, clusters)
        low, high = figure.interval
        assert low < figure < high
        middles.append((low + high) / 2)
    assert np.mean(middles) == pytest.approx(0, abs=0.05)  # 0.1 with them

"""Weak parts are found where they were made, and seldom where there are none, however many are looked at."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.reporter import weakest


def test_a_part_that_was_made_weak_comes_first():
    generator = np.random.default_rng(0)
    properties = {"brightness": generator.random(1000), "contrast": generator.random(1000)}
    hit = generator.random(1000) < np.where(properties["brightness"] < 0.2, 0.7, 0.97)
    first, *others = weakest.of_hits(properties, hit).parts
    assert (first.name, first.is_weak, len(others)) == ("brightness", True, 9)
    assert first.high < 0.25
    inside = properties["brightness"] <= first.high
    assert (first.images, first.value, first.rest) == (inside.sum(), hit[inside].mean(), hit[~inside].mean())
    assert first.interval[0] < 0.7 < first.interval[1]
    assert not any(part.is_weak for part in others)


def test_of_errors_too():
    generator = np.random.default_rng(1)
    size = generator.integers(10, 100, 500).astype(float)
    error = generator.gamma(2, 1, 500) * np.where(size > 80, 1.6, 1)
    first = weakest.of_errors({"size": size}, error).parts[0]
    assert (first.is_weak, first.value > first.rest) == (True, True)
    assert first.low > 70


def test_what_is_said_is_corrected_for_how_many_were_looked_at():
    """Of 40 splits without a weak part, two are said to have one, about; without the correction it would be half."""
    said = raw = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        properties = {name: generator.random(400) for name in "abcd"}
        hit = generator.random(400) < 0.8
        search = weakest.of_hits(properties, hit)
        said += bool(search.weak)
        raw += any(
            stats.fisher_exact([[hit[m].sum(), (~hit[m]).sum()], [hit[~m].sum(), (~hit[~m]).sum()]], "less").pvalue < 0.05
            for of in properties.values()
            for m in weakest.binned(of, weakest.BINS)
        )
    assert said <= 5
    assert raw > 12


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_chances_are_holm_s(chances):
    corrected = weakest._holm(chances)
    order, running = sorted(range(len(chances)), key=lambda n: chances[n]), 0.0
    for rank, number in enumerate(order):
        running = max(running, min(1.0, chances[number] * (len(chances) - rank)))
        assert corrected[number] == pytest.approx(running)


@given(st.lists(st.one_of(st.sampled_from([1.0, 2.0, 3.0, np.nan]), st.floats(-5, 5)), max_size=60), st.integers(2, 6))
def test_each_image_is_in_one_part_and_equal_ones_together(values, bins):
    values = np.array(values, float)
    masks = weakest.binned(values, bins)
    assert len(masks) <= bins
    assert sum(mask.astype(int) for mask in masks).tolist() == np.isfinite(values).astype(int).tolist() if masks else True
    ranges = [(values[mask].min(), values[mask].max()) for mask in masks]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))


def test_parts_are_about_as_large():
    masks = weakest.binned(np.random.default_rng(0).random(1000), 5)
    assert [mask.sum() for mask in masks] == [200] * 5


def test_what_was_not_looked_at_is_said():
    generator = np.random.default_rng(0)
    properties = {"aspect": np.ones(60), "size": np.full(60, np.nan), "kind": np.r_[np.zeros(55), np.ones(5)]}
    search = weakest.of_hits(properties, generator.random(60) < 0.5)
    assert search.passed_over == {"aspect": "all images have 1", "size": "no image has it"}
    assert (search.parts, search.small) == ([], 2)


def test_an_image_without_the_property_is_in_no_part_and_no_rest():
    property_ = np.r_[np.full(50, np.nan), np.arange(100.0)]
    search = weakest.of_hits({"size": property_}, np.r_[np.zeros(50, bool), np.ones(100, bool)])
    assert {(part.value, part.rest) for part in search.parts} == {(1.0, 1.0)}


def test_intervals_hold_for_all_parts_at_once():
    generator = np.random.default_rng(2)
    hit = generator.random(500) < 0.9
    part = next(iter(weakest.of_hits({"a": generator.random(500)}, hit).parts))
    alone = stats.binomtest(round(part.value * part.images), part.images).proportion_ci(0.95, method="wilson")
    wide = stats.binomtest(round(part.value * part.images), part.images).proportion_ci(0.99, method="wilson")
    assert part.interval == (pytest.approx(wide.low), pytest.approx(wide.high))
    assert part.interval[0] < alone.low

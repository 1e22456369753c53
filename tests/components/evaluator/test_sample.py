"""Rows evenly spread over a stream of unknown length."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.sample import evenly


@given(st.lists(st.integers(0, 7), max_size=30), st.integers(1, 20))
def test_there_are_exactly_as_many_as_asked_for_whatever_the_batches(sizes, most):
    ends = np.cumsum([0, *sizes])
    rows = np.arange(ends[-1])
    sample = evenly(([rows[start:end], -rows[start:end]] for start, end in itertools.pairwise(ends)), most)
    if len(rows) == 0:
        assert sample == []
        return
    assert len(sample[0]) == min(most, len(rows))
    assert (np.diff(sample[0]) > 0).all()
    np.testing.assert_array_equal(sample[1], -sample[0])
    np.testing.assert_array_equal(sample[0], evenly([[rows]], most)[0])


@pytest.mark.parametrize(("rows", "most"), [(54_000, 5_000), (54_001, 5_000), (5_001, 5_000), (1_000, 100), (640, 10)])
def test_they_are_spread_evenly(rows, most):
    [sample] = evenly(([part] for part in np.array_split(np.arange(rows), 50)), most)
    assert len(sample) == most
    gaps = np.diff(sample)
    assert len(set(gaps)) <= 3
    assert gaps.max() <= 3 * rows / most
    tenths = np.bincount(sample * 10 // rows, minlength=10)
    assert abs(tenths - most / 10).max() <= 4


@pytest.mark.parametrize("period", [2, 3, 8, 10, 16, 60])
def test_classes_in_turns_are_all_sampled(period):
    labels = np.arange(54_000) % period
    [sample] = evenly(([part] for part in np.split(labels, 90)), 5_000)
    counts = np.bincount(sample, minlength=period)
    assert abs(counts - 5_000 / period).max() <= 5


def test_few_rows_are_changed_in_vain():
    asked = []

    def change(rows):
        asked.extend(rows)
        return [rows * 10]

    [sample] = evenly(([part] for part in np.split(np.arange(6400), 64)), 100, change)
    assert len(sample) == 100
    assert set(sample) <= {row * 10 for row in asked}
    assert len(asked) < 100 * (1 + 6)

"""Rows evenly spread over a stream of unknown length."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.sample import evenly


@given(st.lists(st.integers(0, 7), max_size=30), st.integers(1, 20))
def test_they_are_every_first_second_or_fourth_and_as_many_as_may_be(sizes, most):
    ends = np.cumsum([0, *sizes])
    rows = np.arange(ends[-1])
    found = evenly(([rows[start:end], -rows[start:end]] for start, end in itertools.pairwise(ends)), most)
    if len(rows) == 0:
        assert found == []
        return
    step = next(2**power for power in range(20) if len(rows[:: 2**power]) <= most)
    np.testing.assert_array_equal(found[0], rows[::step])
    np.testing.assert_array_equal(found[1], -rows[::step])


def test_few_rows_are_changed_in_vain():
    asked = []

    def change(rows):
        asked.extend(rows)
        return [rows * 10]

    [found] = evenly(([part] for part in np.split(np.arange(6400), 64)), 100, change)
    assert len(found) == 100
    assert found[1] == 640
    assert len(asked) < 100 * (1 + 6)

"""Which images are shown."""

import numpy as np

from components.reporter import ranks


def test_from_best_to_worst_takes_both_ends_and_steps_between():
    errors = np.random.default_rng(0).permutation(101) / 100
    assert errors[ranks.from_best_to_worst(errors, 5)].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert ranks.from_best_to_worst(np.array([2.0, 1, np.nan, 0]), 9) == [3, 1, 0, 2], (
        "all where there are few; what is no number last"
    )
    assert ranks.from_best_to_worst(np.empty(0), 4) == []


def test_nearest_are_those_on_both_sides_in_the_order_of_their_values():
    values = np.array([0.0, 5, 4.9, 9, 5.3, 4])
    assert values[ranks.nearest(values, 5, 3)].tolist() == [4.9, 5, 5.3]
    assert ranks.nearest(values, 5, 99) == np.argsort(values).tolist()


def test_spread_is_even():
    assert ranks.spread(9, 5).tolist() == [0, 2, 4, 6, 8]
    assert ranks.spread(3, 5).tolist() == [0, 1, 2]
    assert ranks.spread(0, 5).tolist() == []

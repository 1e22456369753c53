"""Bins count every value once, between edges that groups share."""

import numpy as np
import pytest

from components.reporter import histograms


def test_groups_share_edges_and_every_value_is_counted_once():
    random = np.random.default_rng(0)
    groups = {"a": random.standard_normal(500), "b": random.standard_normal(300) + 4}
    rows = histograms.of_groups(groups)
    for name, values in groups.items():
        mine = [row for row in rows if row["group"] == name]
        assert sum(row["count"] for row in mine) == len(values)
        for row in mine[:-1]:
            assert row["count"] == ((values >= row["low"]) & (values < row["high"])).sum()
    edges = {row["low"] for row in rows} | {row["high"] for row in rows}
    assert 10 < len(edges) <= histograms.MOST_BINS + 1
    assert np.allclose(np.diff(sorted(edges)), np.diff(sorted(edges))[0])


@pytest.mark.parametrize(
    "values", [np.zeros(5), np.r_[np.random.default_rng(0).random(99), 1e12], np.array([1.0]), np.array([0.0] * 99 + [1])]
)
def test_flat_and_far_values_are_bins_too(values):
    rows = histograms.of_groups({"": values})
    assert sum(row["count"] for row in rows) == len(values)
    assert len(rows) <= histograms.MOST_BINS


def test_what_is_not_finite_is_in_no_bin():
    assert histograms.of_groups({"": np.array([np.nan, np.inf])}) == []
    assert histograms.of_groups({}) == []
    assert sum(row["count"] for row in histograms.of_groups({"": np.array([np.nan, 1, 2])})) == 2


def test_whole_numbers_have_a_bin_each_until_there_are_too_many():
    assert histograms.of_whole_numbers(np.array([3, 5, 5])) == [
        {"low": 2.5, "high": 3.5, "count": 1},
        {"low": 4.5, "high": 5.5, "count": 2},
    ]
    many = histograms.of_whole_numbers(np.arange(1000))
    assert len(many) <= histograms.MOST_BINS
    assert sum(row["count"] for row in many) == 1000

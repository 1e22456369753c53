"""Cells hold the distribution: exact where numbers repeat, close elsewhere, the same put together in parts."""

import json

import numpy as np
import pytest

from serving.statistics import cells
from serving.statistics.cells import Names, Numbers, of_json

SETS = {
    "brightness": np.random.default_rng(0).normal(120, 30, 4000).clip(0, 255),
    "scores": np.random.default_rng(1).beta(8, 1, 4000),
    "both signs": np.random.default_rng(2).normal(0, 1e-3, 4000),
    "px": np.random.default_rng(3).choice([28, 224, 227, 4000], 4000),
}


def filled(values, is_whole=False):
    numbers = Numbers(is_whole)
    numbers.add(values)
    return numbers


@pytest.mark.parametrize("name", SETS)
def test_quantiles_and_histograms_against_numpy(name):
    values = SETS[name]
    numbers = filled(values)
    shares = np.linspace(0, 1, 21)
    spread = np.ptp(values)
    assert np.abs(numbers.quantiles(shares) - np.quantile(values, shares, method="inverted_cdf")).max() <= 0.02 * spread
    edges = np.linspace(values.min(), values.max(), 11)
    assert np.abs(numbers.histogram(edges) - np.histogram(values, edges)[0]).max() <= 0.03 * len(values)
    assert numbers.histogram(edges).sum() == pytest.approx(len(values))
    assert (numbers.mean, numbers.deviation) == pytest.approx((values.mean(), values.std()))
    assert len(numbers.cells) < 900


def test_equal_numbers_stay_exact():
    numbers = filled([101] * 70 + [103] * 30, is_whole=True)
    assert set(numbers.quantiles(np.linspace(0, 1, 101)).tolist()) <= {101, 102, 103}
    assert filled([227] * 5).quantiles(np.array([0, 0.5, 1])).tolist() == [227, 227, 227]


def test_whole_numbers_that_are_most_of_all_stay_exact_beside_others_close_by():
    values = [400] * 950 + [409, 403] * 10 + [533] * 30
    numbers = filled(values, is_whole=True)
    numbers.merge(filled(values, is_whole=True))
    numbers = of_json(json.loads(json.dumps(numbers.as_json())))
    shares = np.linspace(0, 1, 101)
    assert numbers.quantiles(shares).tolist() == np.quantile(values * 2, shares, method="inverted_cdf").tolist()
    assert (numbers.histogram(np.array([400, 401, 410, 533]))).tolist() == [1900, 40, 60]


def test_so_many_whole_numbers_are_counted_one_by_one_and_the_others_by_cells(monkeypatch):
    monkeypatch.setattr(cells, "MAX_VALUES", 3)
    values = np.concatenate([np.full(900, 400), np.arange(390, 420), [0, 0]])
    numbers = filled(values, is_whole=True)
    assert (len(numbers.values), numbers.values[400.0]) == (3, 901)
    quantiles = numbers.quantiles(np.linspace(0, 1, 101))
    assert (np.diff(quantiles) >= 0).all()
    assert np.abs(quantiles - np.quantile(values, np.linspace(0, 1, 101), method="inverted_cdf")).max() <= 20
    assert numbers.histogram(np.array([0, 300, 420])).sum() == pytest.approx(len(values))


def test_a_file_of_before_is_read():
    old = {
        "kind": "numbers",
        "is_whole": True,
        "count": 5,
        "total": 2000.0,
        "squares": 8e5,
        "strange": 0,
        "cells": {"9": [5, 400, 400]},
    }
    assert of_json(old).quantiles(np.array([0.5])).tolist() == [400.0]


def test_parts_put_together_are_the_whole():
    values = SETS["scores"]
    whole, together = filled(values), filled(values[:1000])
    together.merge(filled(values[1000:]))
    assert together.cells == whole.cells
    assert together.count == whole.count
    assert together.total == pytest.approx(whole.total)
    again = of_json(json.loads(json.dumps(whole.as_json())))
    assert again.as_json() == whole.as_json()


def test_any_number_has_a_place_and_their_number_is_bounded():
    numbers = filled([0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300, np.inf, -np.inf, np.nan])
    assert (numbers.count, numbers.strange) == (6, 3)
    places = [cells._place(value) for value in (-1e300, -5, -1, -1e-3, -1e-300, 0, 1e-300, 1e-3, 1, 5, 1e300)]
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    many = filled(np.exp(np.random.default_rng(0).uniform(-600, 600, 20_000)))
    assert len(many.cells) <= (cells.MOST - cells.LEAST + 1) * cells.PARTS


def test_names_are_bounded(monkeypatch):
    monkeypatch.setattr(cells, "MAX_NAMES", 3)
    names = Names()
    names.add({str(place): 1.0} for place in range(10))
    names.add([{"0": 0.5}])
    assert names.counts == {"0": 1.5, "1": 1.0, "2": 1.0, cells.OTHER: 7.0}
    assert names.count == 11
    assert of_json(json.loads(json.dumps(names.as_json()))).counts == names.counts


def test_of_none_there_are_no_quantiles():
    with pytest.raises(ValueError, match="no numbers"):
        Numbers().quantiles(np.array([0.5]))

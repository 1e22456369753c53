"""Sparse penalties, beside NumPy and SciPy."""

import numpy as np
import pytest
from scipy.special import rel_entr

from keras_models import penalties

CODES = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def test_l1():
    np.testing.assert_allclose(penalties.l1(CODES), np.abs(CODES).sum(1), rtol=1e-6)


def test_log():
    np.testing.assert_allclose(penalties.log(CODES), np.log(1 + CODES**2).sum(1), rtol=1e-5)


@pytest.mark.parametrize("rate", [0.05, 0.5])
def test_the_divergence_is_that_of_each_unit_s_mean_over_the_batch(rate):
    codes = 1 / (1 + np.exp(-CODES))
    means = codes.mean(0)
    expected = (rel_entr(rate, means) + rel_entr(1 - rate, 1 - means)).sum()
    assert float(penalties.Divergence(rate)(codes)) == pytest.approx(expected, rel=1e-5)


def test_the_divergence_is_none_at_the_rate_and_finite_far_from_it():
    units = np.full((4, 3), 0.2, "float32")
    assert float(penalties.Divergence(0.2)(units)) == pytest.approx(0, abs=1e-6)
    for value in (0.0, 1.0):
        assert 0.1 < float(penalties.Divergence(0.2)(np.full((4, 3), value, "float32"))) < 100

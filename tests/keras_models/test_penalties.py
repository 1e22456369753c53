"""Sparse penalties, beside NumPy and SciPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, rel_entr

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


@pytest.mark.parametrize("eagerly", [True, False])
def test_a_unit_that_is_off_or_on_in_all_images_has_the_gradient_of_its_logits(eagerly):
    """Beside finite differences of the exact divergence in float64."""
    logits = np.array([[-25.0, 30.0, -3.0], [-20.0, 25.0, 1.0], [-22.0, 28.0, 0.0], [-21.0, 26.0, -1.0]])
    variable = tf.Variable(logits.astype("float32"))

    def of_sigmoid():
        with tf.GradientTape() as tape:
            value = penalties.Divergence(0.2)(keras.activations.sigmoid(variable))
        return value, tape.gradient(value, variable)

    def exact(at):
        on, off = expit(at).mean(0), expit(-at).mean(0)
        return (rel_entr(0.2, on) + rel_entr(0.8, off)).sum()

    value, gradient = of_sigmoid() if eagerly else tf.function(of_sigmoid)()
    assert float(value) == pytest.approx(exact(logits), rel=1e-5)
    for at in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[at] = 1e-4
        assert float(gradient[at]) == pytest.approx((exact(logits + step) - exact(logits - step)) / 2e-4, rel=1e-3, abs=1e-5), at
    assert float(np.abs(gradient).sum(0).min()) > 0.1  # of a unit that is wholly off, and of one that is wholly on


def test_units_that_no_sigmoid_made_have_a_gradient_too():
    codes = tf.Variable(np.zeros((4, 3), "float32"))
    with tf.GradientTape() as tape:
        value = penalties.Divergence(0.2)(codes)
    assert np.isfinite(value)
    assert (tape.gradient(value, codes).numpy() < -1e3).all()

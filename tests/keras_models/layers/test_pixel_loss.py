"""What a reconstruction costs, beside SciPy's densities."""

import keras
import numpy as np
import pytest
from scipy import stats

from keras_models.layers import PixelLoss

RANDOM = np.random.default_rng(0)
IMAGES, GIVEN = (RANDOM.uniform(0.05, 0.95, (3, 4, 5, 2)).astype("float32") for _ in range(2))


def summed(each):
    return each.sum(axis=(1, 2, 3))


def test_squared_error():
    np.testing.assert_allclose(PixelLoss().of(IMAGES, GIVEN), summed((IMAGES - GIVEN) ** 2), rtol=1e-5)


def test_bernoulli():
    binary = (IMAGES > 0.5).astype("float32")
    expected = -summed(stats.bernoulli.logpmf(binary.astype(int), GIVEN))
    np.testing.assert_allclose(PixelLoss("bernoulli").of(binary, GIVEN), expected, rtol=1e-5)


@pytest.mark.parametrize("deviation", [0.3, None])
def test_gaussian(deviation):
    layer = PixelLoss("gaussian", deviation)
    expected = -summed(stats.norm.logpdf(IMAGES, GIVEN, deviation or 0.1))
    np.testing.assert_allclose(layer.of(IMAGES, GIVEN), expected, rtol=1e-5)
    assert len(layer.trainable_weights) == (deviation is None)


def test_certainty_that_is_wrong_costs_no_infinity():
    loss = PixelLoss("bernoulli").of(np.ones((1, 1, 1, 1), "float32"), np.zeros((1, 1, 1, 1), "float32"))
    assert float(loss[0]) == pytest.approx(-np.log(1e-6), rel=1e-3)


def test_it_comes_back_from_a_file(tmp_path):
    image = keras.Input((4, 5, 2))
    model = keras.Model(image, PixelLoss("gaussian")(image))
    model.get_layer("pixel_loss").log_deviation.assign(-1.0)
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(again(IMAGES), IMAGES)
    np.testing.assert_allclose(again.get_layer("pixel_loss").of(IMAGES, GIVEN), model.get_layer("pixel_loss").of(IMAGES, GIVEN))


@pytest.mark.parametrize("arguments", [("absolute",), ("gaussian", 0.0), ("bernoulli", 0.1)])
def test_what_it_refuses(arguments):
    with pytest.raises(ValueError, match=r"loss|deviation"):
        PixelLoss(*arguments)

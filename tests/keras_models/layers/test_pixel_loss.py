"""What a reconstruction costs, beside SciPy's densities."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy import special, stats

from keras_models import probabilities
from keras_models.layers.pixel_loss import PixelLoss

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
    assert float(loss[0]) == pytest.approx(1 - np.log(1e-6), rel=1e-3)  # on the tangent at 1e-6


SATURATED = np.array([-90.0, -40.0, -15.0, 0.5, 15.0, 40.0, 90.0], "float32")  # most of whose sigmoids are 0 or 1 in float32


def last_layers(kind):
    """Logits -> image, as decoders end."""
    image = keras.Input((7, 1, 1))
    if kind == "sigmoid last":
        return keras.Model(image, layers.Activation("sigmoid")(image))
    flat = layers.Activation("sigmoid", dtype="float16" if kind == "in halves" else None)(layers.Flatten()(image))
    return keras.Model(image, layers.Reshape((7, 1, 1), dtype="float32")(flat))


@pytest.mark.parametrize(
    ("kind", "eagerly"), [("sigmoid last", True), ("sigmoid last", False), ("a reshape last", False), ("in halves", False)]
)
def test_a_saturated_pixel_has_the_cost_and_the_gradient_of_its_logit(kind, eagerly):
    model, loss = last_layers(kind), PixelLoss("bernoulli")
    image = keras.Input((7, 1, 1))
    net = keras.Model(image, loss(model(image)))
    wanted = np.full((1, 7, 1, 1), 0.25, "float32")
    logits = tf.Variable(SATURATED.reshape(1, 7, 1, 1))

    def costs():
        with tf.GradientTape() as tape:
            cost = loss.of(wanted, net(logits, training=True))
        return cost, tape.gradient(cost, logits)

    cost, gradient = costs() if eagerly else tf.function(costs)()
    exact = SATURATED.astype("float64")
    np.testing.assert_allclose(cost, [(np.logaddexp(0, exact) - 0.25 * exact).sum()], rtol=1e-3 if kind == "in halves" else 1e-6)
    assert cost.dtype == "float32"
    np.testing.assert_allclose(np.ravel(gradient), special.expit(exact) - 0.25, atol=1e-3 if kind == "in halves" else 1e-6)


def test_what_only_looks_like_a_sigmoid_is_taken_as_it_is():
    given = keras.activations.softmax(np.array([[0.0, 1.0, 2.0]], "float32"))  # Keras notes the logits of that as well
    image = np.array([[[[1.0, 0.0, 0.0]]]], "float32")
    expected = -np.log([special.softmax([0, 1, 2])[0], *(1 - special.softmax([0, 1, 2])[1:])]).sum()
    assert float(PixelLoss("bernoulli").of(image, tf.reshape(given, (1, 1, 1, 3)))[0]) == pytest.approx(expected, rel=1e-5)
    assert probabilities.logits(given) is None
    assert tf.function(lambda x: probabilities.logits(keras.activations.softmax(x)) is None)(tf.zeros((1, 3)))


def test_where_there_are_no_logits_there_is_a_gradient_all_the_same():
    given = tf.Variable(np.array([0.0, 1e-8, 0.5, 1.0], "float32").reshape(1, 2, 2, 1))
    with tf.GradientTape() as tape:
        cost = PixelLoss("bernoulli").of(np.ones((1, 2, 2, 1), "float32"), given)
    np.testing.assert_allclose(np.ravel(tape.gradient(cost, given)), [-1e6, -1e6, -2, -1], rtol=1e-5)


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

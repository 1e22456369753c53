"""Guided backpropagation and the deconvnet, against their papers' equations written out in NumPy."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_models import normalize, twin
from keras_models.explain import backwards, deconvnet, guided_backpropagation
from keras_models.explain.base import Unsuited
from keras_models.explain.network import Network, Target
from tests.keras_models.explain.nets import correlated, images, linear, pooled, rectified, transposed, unpooled


def by_hand(model, x, unit, passed):
    """Of the strongest place of a map of relu2; passed(coming, made) is what a ReLU passes back."""
    net = model.get_layer("net")
    (kernel1, bias1), (kernel2, bias2) = (net.get_layer(name).get_weights() for name in ("conv1", "conv2"))
    first = np.maximum(correlated(x, kernel1, bias1), 0)
    small, switches = pooled(first)
    second = np.maximum(correlated(small, kernel2, bias2), 0)
    start = np.zeros_like(second)
    place = np.unravel_index(second[..., unit].argmax(), second.shape[:2])
    start[(*place, unit)] = second[(*place, unit)]
    coming = transposed(passed(start, second), kernel2)
    coming = passed(unpooled(coming, switches, first.shape), first)
    return transposed(coming, kernel1), second[(*place, unit)]


def strongest(model, x):
    values = Network(model).values(x, ["net/relu2"])["net/relu2"]
    return int(values[0].max((0, 1)).argmax())


def test_the_deconvnet_unpools_by_switches_rectifies_and_transposes():
    model, x = rectified(), images(many=1)
    unit = strongest(model, x)
    expected, value = by_hand(model, x[0], unit, lambda coming, made: np.maximum(coming, 0))
    assert value > 0
    made = deconvnet.attribute(Network(model), x, Target("net/relu2", np.array([unit])))
    np.testing.assert_allclose(made[0], expected, 1e-3, 1e-3 * np.abs(expected).max())
    plain, _ = by_hand(model, x[0], unit, lambda coming, made: coming * (made > 0))
    assert np.abs(expected - plain).max() > 0.01 * np.abs(expected).max()


def test_guided_backpropagation_passes_what_is_positive_where_the_relu_was_on():
    model, x = rectified(), images(many=1)
    unit = strongest(model, x)
    expected, value = by_hand(model, x[0], unit, lambda coming, made: np.maximum(coming, 0) * (made > 0))
    made = guided_backpropagation.attribute(Network(model), x, Target("net/relu2", np.array([unit])))
    np.testing.assert_allclose(made[0], expected / value, 1e-3, 1e-3 * np.abs(expected / value).max())


@pytest.mark.parametrize("relu", [layers.ReLU(), layers.Activation("relu"), ops.relu, ops.relu6])
def test_guided_backpropagation_is_zero_where_the_relu_was(relu):
    """Of a sum of rectified pixels: 1 where a pixel is above 0, nothing elsewhere; by a layer, an activation or an operation."""
    x = keras.Input((4, 4, 1))
    network = Network(keras.Model(x, ops.sum(relu(x), axis=(1, 2)), name="sum"))
    image = np.linspace(-3, 4.5, 16, dtype="float32").reshape(1, 4, 4, 1)
    made = guided_backpropagation.attribute(network, image, Target(network.output, np.array([0])))
    np.testing.assert_array_equal(made, (image > 0).astype("float32"))


def test_guided_backpropagation_says_where_there_is_no_relu():
    model = normalize.with_normalization(twin("lenet5"), "unit")
    with pytest.raises(Unsuited, match="lenet5 has no ReLU to be guided at: its activations are tanh"):
        guided_backpropagation.attribute(Network(model), images((16, 16, 1)), Target("net/logits", np.array([0, 1])))


def test_the_deconvnet_of_a_linear_layer_is_its_transpose():
    model, weights = linear()
    made = deconvnet.attribute(Network(model), images((6, 6, 1)), Target("net/logits", np.array([0, 2])))
    values = np.asarray(model(images((6, 6, 1))))
    sizes = np.array([values[0, 0], values[1, 2]])
    np.testing.assert_allclose(made, weights[[0, 2]] * np.where(sizes > 0, sizes, 1).reshape(-1, 1, 1, 1), 1e-5, 1e-4)


def test_the_deconvnet_of_a_linear_convolution_is_the_transposed_one():
    x = keras.Input((5, 5, 2))
    layer = layers.Conv2D(3, 2, bias_initializer="ones", name="conv")
    network = Network(keras.Model(x, layer(x)))
    image = images((5, 5, 2), 1)
    maps = network.values(image, ["conv"])["conv"][0]
    start = np.zeros_like(maps)
    place = np.unravel_index(maps[..., 1].argmax(), maps.shape[:2])
    start[(*place, 1)] = max(maps[(*place, 1)], 0) or 1
    expected = transposed(start, np.asarray(layer.kernel))
    made = deconvnet.attribute(network, image, Target("conv", np.array([1])))
    np.testing.assert_allclose(made[0], expected, 1e-4, 1e-3)


def test_an_activation_with_weights_of_its_own_is_passed_too():
    x = keras.Input((4, 4, 1))
    y = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="conv")(x)
    network = Network(keras.Model(x, ops.sum(layers.PReLU(alpha_initializer="zeros", name="prelu")(y), axis=(1, 2)), name="sum"))
    made = deconvnet.attribute(network, images((4, 4, 1)) - 100, Target(network.output, np.array([0, 0])))
    assert np.ptp(made[0]) == 0
    assert (made != 0).all()


def test_layers_are_afterwards_as_they_were():
    model, x = rectified(), images()
    before = np.asarray(model(x))
    layer = model.get_layer("net").get_layer("conv1")
    activation = layer.activation
    deconvnet.attribute(Network(model), x, Target("net/logits", np.array([0, 1])))
    assert layer.activation is activation
    np.testing.assert_array_equal(model(x), before)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (layers.Conv2D(1, 1, activation="relu"), "relu"),
        (layers.Dense(1, activation="tanh"), "tanh"),
        (layers.Dense(1), "linear"),
        (layers.ReLU(), "relu"),
        (layers.LeakyReLU(), "leakyrelu"),
        (layers.Flatten(), None),
    ],
)
def test_activations_are_known(operation, kind):
    assert backwards.activation_of(operation) == kind

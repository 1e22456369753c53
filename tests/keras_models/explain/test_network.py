"""A model taken apart: values of all layers, those of models inside too."""

import keras
import numpy as np
import pytest
from keras import layers

from configs.errors import UsageError
from keras_models import arithmetic
from keras_models.explain.base import Unsuited
from keras_models.explain.network import Network, Target, background, gradients, scores
from tests.keras_models.explain.nets import images, linear, rectified


def test_layers_of_the_net_within_give_what_keras_computes():
    model, x = rectified(), images()
    network = Network(model)
    values = network.run(x)
    net = model.get_layer("net")
    for name in ("conv1", "pool1", "relu2", "logits"):
        part = keras.Model(net.inputs, net.get_layer(name).output)
        np.testing.assert_allclose(values[f"net/{name}"], part(x, training=False), 1e-6, 1e-5)
    assert list(network.parts) == [row["name"] for row in arithmetic.layer_table(model)]
    assert network.output == "net/logits"


@pytest.mark.parametrize("name", ["net/conv1", "conv1"])
def test_a_layer_is_found_by_its_end(name):
    assert Network(rectified()).find(name) == "net/conv1"


def test_an_unknown_layer_lists_the_right_ones():
    with pytest.raises(UsageError) as caught:
        Network(rectified()).find("conv3")
    assert "did you mean 'conv2'" in caught.value.message
    assert "conv1, pool1, conv2, relu2, flatten, logits" in caught.value.hint


def test_an_unknown_unit_says_which_there_are():
    with pytest.raises(UsageError, match="There is no unit 4: conv1 has units 0 to 3"):
        Network(rectified()).check_unit("net/conv1", 4)


def test_the_last_maps_are_those_of_the_last_convolution_with_its_activation():
    network = Network(rectified())
    assert network.maps() == "net/relu2"
    assert network.maps("net/conv2") == "net/conv1"
    with pytest.raises(Unsuited, match="linear has no convolution"):
        Network(linear()[0]).maps()


@pytest.mark.parametrize("shape", [(3,), (None, 4, 1)])
def test_what_does_not_look_at_images_of_one_size_is_refused(shape):
    x = keras.Input(shape)
    with pytest.raises(Unsuited, match="does not look at images of one size"):
        Network(keras.Model(x, layers.Identity()(x)))


def test_the_gradient_of_a_linear_model_is_its_weights():
    model, weights = linear()
    made = gradients(Network(model), images((6, 6, 1)), Target("net/logits", np.array([2, 0])))
    np.testing.assert_allclose(made, weights[[2, 0]], 1e-6)


def test_a_unit_of_maps_is_its_largest_value_or_that_in_the_middle():
    network, x = Network(rectified()), images()
    maps = network.values(x, ["net/conv1"])["net/conv1"]
    units = np.array([1, 3])
    np.testing.assert_allclose(scores(network, x, Target("net/conv1", units)), [maps[0, ..., 1].max(), maps[1, ..., 3].max()])
    np.testing.assert_allclose(scores(network, x, Target("net/conv1", units, "centre")), [maps[0, 3, 3, 1], maps[1, 3, 3, 3]])


def test_background_is_the_median_of_the_border():
    x = np.full((1, 5, 5, 1), 9, "float32")
    x[:, 1:4, 1:4] = 200
    x[:, 0, 0] = 100
    assert background(x).ravel().tolist() == [9]

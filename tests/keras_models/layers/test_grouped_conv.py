"""Convolution in groups, against NumPy and against Keras's own."""

import keras
import numpy as np
import pytest

from keras_models.layers.grouped_conv import GroupedConv2D


@pytest.mark.parametrize(("groups", "stride"), [(2, 1), (3, 2)])
def test_against_numpy(groups, stride):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 5, 6, 6)).astype("float32")
    layer = GroupedConv2D(6, 3, stride, groups=groups)
    layer.build(x.shape)
    seen = made = 6 // groups
    kernel, bias = random.normal(size=(3, 3, seen, 6)).astype("float32"), random.normal(size=6).astype("float32")
    layer.set_weights([kernel, bias])
    rows, columns = (5 - 3) // stride + 1, (6 - 3) // stride + 1
    expected = np.zeros((2, rows, columns, 6))
    for out in range(6):
        group = out // made
        for i in range(rows):
            for j in range(columns):
                window = x[:, i * stride : i * stride + 3, j * stride : j * stride + 3, group * seen : (group + 1) * seen]
                expected[:, i, j, out] = (window * kernel[..., out]).sum((1, 2, 3)) + bias[out]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)
    assert layer.compute_output_shape((None, 5, 6, 6)) == (None, rows, columns, 6)


def test_is_keras_s_layer_with_the_same_weights():
    x = np.random.default_rng(0).normal(size=(2, 7, 7, 4)).astype("float32")
    arguments = {"filters": 8, "kernel_size": 5, "padding": "same", "groups": 2, "activation": "relu"}
    ours, theirs = GroupedConv2D(**arguments), keras.layers.Conv2D(**arguments)
    theirs.build(x.shape)
    ours.build(x.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


def test_saves_by_name():
    layer = GroupedConv2D(4, 3, groups=2, name="conv2")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is GroupedConv2D
    assert again.get_config() == layer.get_config()

"""Convolution through a table, against NumPy."""

import numpy as np
import pytest

from keras_models.layers.table_conv import INITIAL, TableConv2D

TABLE = ((0, 2), (1,), (0, 1, 2))


def test_against_numpy():
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 5, 6, 3)).astype("float32")
    layer = TableConv2D(TABLE, 3, "tanh")
    layer.build(x.shape)
    kernel, bias = random.normal(size=(3, 3, 6)).astype("float32"), random.normal(size=3).astype("float32")
    layer.set_weights([kernel, bias])
    expected = np.zeros((2, 3, 4, 3))
    connection = 0
    for out, row in enumerate(TABLE):
        expected[..., out] = bias[out]
        for seen in row:
            for i in range(3):
                for j in range(4):
                    window = x[:, i : i + 3, j : j + 3, seen]
                    expected[:, i, j, out] += (window * kernel[..., connection]).sum((1, 2))
            connection += 1
    np.testing.assert_allclose(layer(x), np.tanh(expected), rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape((None, 5, 6, 3)) == (None, 3, 4, 3)


def test_kernels_start_within_the_bound_of_their_own_fan_in():
    layer = TableConv2D(TABLE, 3)
    layer.build((None, 5, 5, 3))
    kernel, bias = layer.get_weights()
    bounds = INITIAL / np.array([18, 18, 9, 27, 27, 27])
    assert (np.abs(kernel) <= bounds).all()
    assert (np.abs(kernel).max((0, 1)) > bounds / 3).all()
    assert not bias.any()


def test_a_map_that_the_input_lacks():
    with pytest.raises(ValueError, match=r"^the table of c3 names map 2; the input has maps 0 to 1$"):
        TableConv2D(TABLE, 3, name="c3").build((None, 5, 5, 2))


def test_config_is_complete():
    layer = TableConv2D(TABLE, 3, "relu", name="c3")
    assert TableConv2D.from_config(layer.get_config()).get_config() == layer.get_config()

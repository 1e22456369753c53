"""Trainable sub-sampling against NumPy."""

import keras
import numpy as np
import pytest

from keras_models.layers.subsampling import TrainableSubsampling


@pytest.mark.parametrize(("height", "width", "size"), [(4, 6, 2), (5, 7, 2), (9, 7, 3)])
def test_against_numpy(height, width, size):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, height, width, 3)).astype("float32")
    layer = TrainableSubsampling(size, "tanh")
    layer.build(x.shape)
    coefficient, bias = random.normal(size=(2, 3)).astype("float32")
    layer.set_weights([coefficient, bias])
    rows, columns = height // size, width // size
    total = x[:, : rows * size, : columns * size].reshape(2, rows, size, columns, size, 3).sum((2, 4))
    np.testing.assert_allclose(layer(x), np.tanh(coefficient * total + bias), rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, height, width, 3)) == (None, rows, columns, 3)


def test_starts_as_an_average_with_two_weights_a_map():
    x = np.random.default_rng(0).random((2, 4, 4, 5), dtype="float32")
    layer = TrainableSubsampling(2)
    np.testing.assert_allclose(layer(x), keras.layers.AveragePooling2D(2)(x), rtol=1e-6)
    assert sum(w.size for w in layer.get_weights()) == 10


def test_config_is_complete():
    layer = TrainableSubsampling(3, "relu", name="s2")
    assert TrainableSubsampling.from_config(layer.get_config()).get_config() == layer.get_config()

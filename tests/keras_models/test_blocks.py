"""Blocks that several families share."""

import keras
import numpy as np
import pytest

from keras_models import blocks


@pytest.mark.parametrize(
    ("maps", "width", "multiple", "expected"), [(96, 1, 2, 96), (96, 0.02, 2, 2), (64, 0.001, 1, 1), (6, 0.5, 2, 4)]
)
def test_scaled(maps, width, multiple, expected):
    assert blocks.scaled(maps, width, multiple) == expected


def test_layers_of_equal_shape_start_with_other_weights():
    start = blocks.normal(0.01)
    kernels = []
    for _ in range(2):
        layer = keras.layers.Dense(200, kernel_initializer=start)
        layer.build((None, 200))
        kernels.append(np.asarray(layer.kernel))
    assert abs(np.corrcoef(kernels[0].ravel(), kernels[1].ravel())[0, 1]) < 0.05
    np.testing.assert_allclose([kernels[0].mean(), kernels[0].std()], [0, 0.01], atol=2e-4)


X = np.float32([[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3]])[None, ..., None]


@pytest.mark.parametrize(
    ("pooling", "padding", "expected"),
    [
        ("max", "valid", [[9, 6], [9, 9]]),
        ("average", "valid", [[4.5, 3.25], [6, 6.25]]),
        ("overlapping", "valid", [[9]]),
        ("overlapping", "same", [[9, 8], [9, 9]]),
    ],
)
def test_downsample(pooling, padding, expected):
    out = blocks.downsample(X, blocks.pool_window("pool1", pooling, padding), pooling)
    np.testing.assert_array_equal(out[0, ..., 0], expected)


def test_downsample_by_a_convolution():
    window = blocks.pool_window("pool1", "strided")
    out = blocks.downsample(X, window, "strided", activation="relu", kernel_initializer="ones")
    np.testing.assert_array_equal(out[0, ..., 0], [[X[0, :3, :3].sum()]])
    assert window == ("pool1", 3, 2, "valid")

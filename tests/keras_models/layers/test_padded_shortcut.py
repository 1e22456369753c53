"""Option A's shortcut, against NumPy."""

import numpy as np
import pytest

from keras_models.layers.padded_shortcut import PaddedShortcut


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("filters", [3, 5])
def test_against_numpy(strides, filters):
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    layer = PaddedShortcut(filters, strides)
    rows, columns = -(-5 // strides), -(-4 // strides)
    expected = np.zeros((2, rows, columns, filters), "float32")
    for row in range(rows):
        for column in range(columns):
            expected[:, row, column, :3] = x[:, row * strides, column * strides]
    np.testing.assert_array_equal(layer(x), expected)
    assert layer.compute_output_shape((None, 5, 4, 3)) == (None, rows, columns, filters)
    assert layer.compute_output_shape((None, None, None, 3)) == (None, None, None, filters)
    assert layer.weights == []


def test_maps_are_never_dropped():
    with pytest.raises(ValueError, match=r"^skip: shortcut A adds maps and cannot drop any; got 3 for 2$"):
        PaddedShortcut(2, name="skip").build((None, 4, 4, 3))


def test_config_is_complete():
    layer = PaddedShortcut(5, 2, name="skip")
    assert PaddedShortcut.from_config(layer.get_config()).get_config() == layer.get_config()

"""The sentences that builders refuse bad values with."""

import keras
import numpy as np
import pytest

from keras_models import blocks


def test_good_values_come_back_plain():
    assert blocks.need_image([np.int64(5), 4, 3]) == (5, 4, 3)
    assert blocks.need_count("code_size", np.int32(2)) == 2
    assert blocks.need_counts("hidden", [3, 4]) == (3, 4)
    assert blocks.need_counts("hidden", ()) == ()
    assert blocks.need_choice("pooling", "max", ("average", "max")) == "max"
    assert blocks.need_activation("elu") == "elu"
    assert blocks.need_flag("lrn", False) is False
    assert blocks.need_share("dropout", 0) == 0
    assert blocks.need_positive("width", np.float32(0.5)) == 0.5


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 0), (5, 4.0, 1), (5, None, 1), 5, "541", (True, 4, 1)])
def test_need_image_names_the_rule(shape):
    with pytest.raises(ValueError, match=r"^input_shape must be \(height, width, channels\), whole numbers from 1; got "):
        blocks.need_image(shape)


def test_need_image_names_the_least_side():
    with pytest.raises(ValueError, match=r"^height and width must be at least 16 px; got 20 x 15$"):
        blocks.need_image((20, 15, 1), 16)


@pytest.mark.parametrize("value", [1, 2.0, "3", None, True])
def test_need_count(value):
    with pytest.raises(ValueError, match=r"^num_classes must be a whole number of at least 2; got "):
        blocks.need_count("num_classes", value, 2)


def test_need_counts():
    with pytest.raises(ValueError, match=r"^hidden must be a list of whole numbers from 1; got \[0\]$"):
        blocks.need_counts("hidden", [0])
    with pytest.raises(ValueError, match=r"^filters must be a list of whole numbers from 1 with at least 1 of them; got \(\)$"):
        blocks.need_counts("filters", (), 1)
    with pytest.raises(ValueError, match=r"^hidden must be a list of whole numbers from 1; got 16$"):
        blocks.need_counts("hidden", 16)


def test_need_choice():
    with pytest.raises(ValueError, match=r"^pooling must be average or max; got 'sum'$"):
        blocks.need_choice("pooling", "sum", ("average", "max"))


@pytest.mark.parametrize("value", ["rleu", 3, None, abs])
def test_need_activation(value):
    with pytest.raises(ValueError, match=r"^activation must be the name of a Keras activation, such as relu, tanh or elu; got "):
        blocks.need_activation(value)


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_need_flag(value):
    with pytest.raises(ValueError, match=r"^lrn must be true or false; got "):
        blocks.need_flag("lrn", value)


@pytest.mark.parametrize("value", [1, -0.1, float("nan"), "0.5", True, None])
def test_need_share(value):
    with pytest.raises(ValueError, match=r"^dropout must be a number from 0 to below 1; got "):
        blocks.need_share("dropout", value)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "1", True, None])
def test_need_positive(value):
    with pytest.raises(ValueError, match=r"^width must be a number above 0; got "):
        blocks.need_positive("width", value)


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

"""The arithmetic that lectures and papers work out by hand, on real Keras layers."""

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf
from keras import layers

from keras_models import build
from keras_models.arithmetic import layer_table, totals
from keras_models.parameters import total_params, without_weights


def row_of(layer, *shape) -> dict:
    """The table's row of one layer over inputs of that shape (without the batch)."""
    data = keras.Input(shape)
    return layer_table(keras.Model(data, layer(data)))[-1]


# volumes and parameters


@pytest.mark.parametrize("filter_side", [1, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1])
def test_the_output_side_is_floor_of_n_minus_f_plus_2p_over_s_plus_1(filter_side, stride, padding):
    side = 12
    row = keras.Input((side, side, 1))
    out = layers.Conv2D(1, filter_side, stride)(layers.ZeroPadding2D(padding)(row))
    expected = (side - filter_side + 2 * padding) // stride + 1
    assert layer_table(keras.Model(row, out))[-1]["output"] == [expected, expected, 1]


def test_ten_5x5_filters_over_32x32x3_have_760_parameters():
    row = row_of(layers.Conv2D(10, 5, padding="same"), 32, 32, 3)
    assert (row["output"], row["params"]) == ([32, 32, 10], 760)


def test_padding_of_1_keeps_the_side_under_a_3x3_filter():
    assert row_of(layers.Conv2D(1, 3, padding="same"), 7, 7, 1)["output"] == [7, 7, 1]


def test_one_shared_5x5_filter_stands_for_451584_weights():
    row = row_of(layers.Conv2D(1, 5), 28, 28, 1)
    assert (row["output"], row["params"]) == ([24, 24, 1], 26)
    assert row["dense_weights"] == 28 * 28 * 24 * 24 == 451_584
    assert row["unshared_weights"] == 24 * 24 * 25


def test_784_100_10_has_79400_weights_and_79510_parameters():
    model = build("mlp", {}, {})
    assert totals(layer_table(model))["dense_weights"] == 79_400
    assert total_params(model) == 79_510


def test_1000_dense_units_over_200x200x3_have_120_million_weights():
    with without_weights():
        data = keras.Input((200, 200, 3))
        row = layer_table(keras.Model(data, layers.Dense(1000, use_bias=False)(layers.Flatten()(data))))[-1]
    assert row["params"] == row["multiply_adds"] == 120_000_000


def test_a_difference_of_neighbours_against_the_matrix_that_does_the_same():
    """Goodfellow, Bengio & Courville 2016, chapter 9: two multiplications and an addition for each value."""
    row = row_of(layers.Conv2D(1, (1, 2), use_bias=False), 280, 320, 1)
    outputs = 280 * 319
    assert row["output"] == [280, 319, 1]
    assert row["multiply_adds"] == 2 * outputs
    assert 2 * row["multiply_adds"] - outputs == 267_960  # the first product is not added to anything
    assert row["dense_weights"] == 8_003_072_000
    assert round(row["dense_weights"] / 267_960) == 29_867


def test_three_3x3_convolutions_see_7x7_with_27_instead_of_49_squared_channels():
    maps = 16
    data = x = keras.Input((20, 20, maps))
    for _ in range(3):
        x = layers.Conv2D(maps, 3, use_bias=False)(x)
    stacked = layer_table(keras.Model(data, x))
    single = row_of(layers.Conv2D(maps, 7, use_bias=False), 20, 20, maps)
    assert stacked[-1]["receptive_field"] == single["receptive_field"] == [7, 7]
    assert sum(row["params"] for row in stacked) == 27 * maps**2
    assert single["params"] == 49 * maps**2


def test_maximum_pooling_keeps_the_smaller_last_region():
    """Goodfellow, Bengio & Courville 2016, figure 9.10: six detectors, regions of 3, stride 2. The side is rounded up; Keras's
    "valid" rounds down and loses the sixth detector."""
    detectors = np.float32([1, 0.2, 0.1, 0.1, 0, 0.3]).reshape(1, 6, 1)
    np.testing.assert_array_equal(np.ravel(layers.MaxPooling1D(3, 2, "same")(detectors)), np.float32([1, 0.1, 0.3]))
    assert row_of(layers.MaxPooling1D(3, 2, "same"), 6, 1)["output"] == [3, 1]
    assert row_of(layers.MaxPooling1D(3, 2), 6, 1)["output"] == [2, 1]


def test_connections_of_lenet5_are_the_paper_s_340908():
    """LeCun et al. 1998, section II-B, counts a connection for each bias too."""
    rows = layer_table(build("lenet5_1998", {}, {}))
    connections = {row["name"]: row["multiply_adds"] + (row["params"] > 0) * int(np.prod(row["output"])) for row in rows}
    published = {"c1": 122_304, "s2": 5_880, "c3": 151_600, "s4": 2_000, "c5": 48_120, "f6": 10_164}
    assert {name: connections[name] for name in published} == published
    assert sum(connections.values()) == 340_908


# cross-correlation and convolution


def correlated(image, kernel):
    """What Keras's Conv2D makes of a matrix with that kernel: windows that lie wholly inside."""
    layer = layers.Conv2D(1, kernel.shape, use_bias=False)
    layer.build((None, *image.shape, 1))
    layer.kernel.assign(kernel[:, :, None, None].astype("float32"))
    return layer(image[None, :, :, None].astype("float32")).numpy()[0, :, :, 0]


def slid(image, kernel):
    """Sum of products at each place, in plain NumPy."""
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijkl,kl->ij", windows, kernel)


CORRELATIONS = [
    (
        [[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]],
        [[0, 1, 2], [2, 2, 0], [0, 1, 2]],
        [[12, 12, 17], [10, 17, 19], [9, 6, 14]],
    ),
    (
        [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]],
        [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
        [[4, 3, 4], [2, 4, 3], [2, 3, 4]],
    ),
]


@pytest.mark.parametrize(("image", "kernel", "result"), CORRELATIONS)
def test_what_networks_call_convolution_is_cross_correlation(image, kernel, result):
    image, kernel = np.array(image), np.array(kernel)
    for correlate in (slid, correlated, lambda a, b: scipy.signal.correlate2d(a, b, "valid")):
        np.testing.assert_array_equal(correlate(image, kernel), result)


def test_true_convolution_flips_the_kernel():
    """Full: the image is padded, so that each of its values meets each of the kernel's."""
    image, kernel = np.array([[1, 3, 1], [0, -1, 1], [2, 2, -1]]), np.array([[1, 2], [0, -1]])
    result = [[1, 5, 7, 2], [0, -2, -4, 1], [2, 6, 4, -3], [0, -2, -2, 1]]
    np.testing.assert_array_equal(scipy.signal.convolve2d(image, kernel), result)
    padded, flipped = np.pad(image, 1), kernel[::-1, ::-1]
    for correlate in (slid, correlated):
        np.testing.assert_array_equal(correlate(padded, flipped), result)
        assert (correlate(padded, kernel) != result).any()  # unflipped, this kernel gives something else


def test_convolution_commutes_and_cross_correlation_does_not():
    image, kernel = np.array([[1, 3, 1], [0, -1, 1], [2, 2, -1]]), np.array([[1, 2], [0, -1]])
    np.testing.assert_array_equal(scipy.signal.convolve2d(image, kernel), scipy.signal.convolve2d(kernel, image))
    turned = scipy.signal.correlate2d(kernel, image)[::-1, ::-1]
    np.testing.assert_array_equal(scipy.signal.correlate2d(image, kernel), turned)
    assert (scipy.signal.correlate2d(image, kernel) != scipy.signal.correlate2d(kernel, image)).any()


def test_the_gradient_of_cross_correlation_is_true_convolution():
    """Back-propagation through Conv2D convolves the gradient above with the same kernel, not flipped by hand, fully padded."""
    rng = np.random.default_rng(0)
    image, kernel, above = rng.normal(size=(6, 5)), rng.normal(size=(3, 2)), rng.normal(size=(4, 4))
    data = tf.constant(image[None, :, :, None])
    with tf.GradientTape() as tape:
        tape.watch(data)
        out = tf.nn.conv2d(data, kernel[:, :, None, None], 1, "VALID")
    gradient = tape.gradient(out, data, above[None, :, :, None]).numpy()[0, :, :, 0]
    np.testing.assert_allclose(gradient, scipy.signal.convolve2d(above, kernel), atol=1e-12)


# back-propagation through pooling


def gradient_through(pool, image, above):
    """What arrives at each value of the image, of what each region's gradient above is."""
    data = tf.constant(np.float32(image)[None, :, :, None])
    with tf.GradientTape() as tape:
        tape.watch(data)
        out = pool(data)
    return tape.gradient(out, data, np.float32(above)[None, :, :, None]).numpy()[0, :, :, 0]


IMAGE = [[1, 2, 5, 6], [4, 3, 8, 7], [9, 0, 1, 1], [0, 0, 1, 2]]
ABOVE = [[4, 8], [12, 16]]


def test_mean_pooling_spreads_the_gradient_evenly_over_its_region():
    gradient = gradient_through(layers.AveragePooling2D(2), IMAGE, ABOVE)
    np.testing.assert_array_equal(gradient, [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]])


def test_maximum_pooling_hands_the_gradient_to_the_largest_value_alone():
    gradient = gradient_through(layers.MaxPooling2D(2), IMAGE, ABOVE)
    np.testing.assert_array_equal(gradient, [[0, 0, 0, 0], [4, 0, 8, 0], [12, 0, 0, 0], [0, 0, 0, 16]])


def test_where_regions_overlap_their_gradients_add_up():
    gradient = gradient_through(layers.MaxPooling2D(3, 1), IMAGE, ABOVE)
    np.testing.assert_array_equal(gradient, [[0, 0, 0, 0], [0, 0, 8 + 16, 0], [4 + 12, 0, 0, 0], [0, 0, 0, 0]])
    gradient = gradient_through(layers.AveragePooling2D(3, 1), IMAGE, np.multiply(ABOVE, 9))
    np.testing.assert_array_equal(gradient, [[4, 12, 12, 8], [16, 40, 40, 24], [16, 40, 40, 24], [12, 28, 28, 16]])


def test_pooling_neither_adds_to_the_gradient_nor_takes_from_it():
    for pool in (layers.AveragePooling2D(2), layers.MaxPooling2D(2), layers.MaxPooling2D(3, 1)):
        assert gradient_through(pool, IMAGE, ABOVE).sum() == np.sum(ABOVE)

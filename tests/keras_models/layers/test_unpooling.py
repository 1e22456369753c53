"""Where maxima lay, and values put back there: against loops that do what PyTorch's MaxPool2d and MaxUnpool2d do."""

import keras
import numpy as np
import pytest

from keras_models.layers.unpooling import PoolingIndices, Unpooling


def pooled(images, size):
    """What MaxPool2d gives: the largest values, and of each where it lies in its map, counted by rows; of equal ones the first."""
    many, height, width, maps = images.shape
    values = np.zeros((many, height // size, width // size, maps), images.dtype)
    flat = np.zeros(values.shape, int)
    for n, i, j, c in np.ndindex(values.shape):
        square = images[n, i * size : (i + 1) * size, j * size : (j + 1) * size, c]
        row, column = divmod(int(square.argmax()), size)
        values[n, i, j, c], flat[n, i, j, c] = square[row, column], (i * size + row) * width + j * size + column
    return values, flat


def unpooled(values, flat, shape):
    """What MaxUnpool2d gives."""
    made = np.zeros(shape, values.dtype)
    for n, i, j, c in np.ndindex(values.shape):
        made[(n, *divmod(flat[n, i, j, c], shape[2]), c)] = values[n, i, j, c]
    return made


@pytest.mark.parametrize("size", [2, 3])
def test_values_go_back_to_where_the_maxima_lay(size):
    draw = np.random.default_rng(0)
    images = draw.integers(-3, 4, (2, 4 * size, 3 * size, 3)).astype("float32")  # equal ones in most squares
    values, flat = pooled(images, size)
    indices = PoolingIndices(size)(images)
    rows, columns = np.divmod(flat, images.shape[2])
    np.testing.assert_array_equal(indices, rows % size * size + columns % size)
    np.testing.assert_array_equal(keras.layers.MaxPooling2D(size)(images), values)
    others = draw.normal(size=values.shape).astype("float32")
    np.testing.assert_array_equal(Unpooling(size)([others, indices]), unpooled(others, flat, images.shape))


def test_the_gradient_is_that_of_the_values_alone():
    import tensorflow as tf

    images, others = tf.random.stateless_normal((2, 1, 4, 4, 1), (0, 1))[0], tf.Variable(tf.ones((1, 2, 2, 1)))
    weights = tf.reshape(tf.range(16.0), (1, 4, 4, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(weights * Unpooling()([others, PoolingIndices()(images)]))
    of_values, of_images = tape.gradient(total, [others, images])
    _, flat = pooled(images.numpy(), 2)
    np.testing.assert_array_equal(of_values, flat)
    assert of_images is None

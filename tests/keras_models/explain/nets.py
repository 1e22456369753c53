"""Small networks whose answers are known, and the operations of one written out in NumPy."""

import keras
import numpy as np
from keras import layers

from keras_models import normalize


def images(shape=(8, 8, 1), many=2, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (many, *shape)).astype("float32")


def linear(shape=(6, 6, 1), classes=3):
    """Pixels of 0..255 -> logits, without a bias; and its weights, float32 [classes, height, width, channels]."""
    keras.utils.set_random_seed(0)
    image = keras.Input(shape, name="image")
    net = keras.Model(image, layers.Dense(classes, use_bias=False, name="logits")(layers.Flatten()(image)), name="linear")
    return normalize.with_normalization(net, "none"), np.asarray(net.get_layer("logits").kernel).T.reshape(classes, *shape)


def rectified(shape=(8, 8, 1), classes=3):
    """Convolution, ReLU, maximum pooling, convolution, ReLU, dense: behind a normalisation that does nothing."""
    keras.utils.set_random_seed(0)
    x = image = keras.Input(shape, name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Conv2D(5, 2, name="conv2")(x)
    x = layers.ReLU(name="relu2")(x)
    x = layers.Dense(classes, name="logits")(layers.Flatten(name="flatten")(x))
    return normalize.with_normalization(keras.Model(image, x, name="rectified"), "none")


def correlated(x, kernel, bias):
    """A valid convolution, as networks call it: [height, width, channels] with [rows, columns, channels, maps]."""
    rows, columns = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), (0, 1))
    return np.einsum("hwcij,ijcm->hwm", windows, kernel) + bias


def transposed(maps, kernel):
    """What the transposed convolution makes of maps, place by place."""
    height, width, _ = maps.shape
    rows, columns, channels, _ = kernel.shape
    made = np.zeros((height + rows - 1, width + columns - 1, channels))
    for row in range(height):
        for column in range(width):
            made[row : row + rows, column : column + columns] += kernel @ maps[row, column]
    return made


def pooled(x):
    """2 x 2 maximum pooling and its switches: for each value, where in the map it was."""
    height, width, maps = x.shape[0] // 2, x.shape[1] // 2, x.shape[2]
    made, switches = np.zeros((height, width, maps)), np.zeros((height, width, maps, 2), int)
    for row, column, at in np.ndindex(height, width, maps):
        part = x[2 * row : 2 * row + 2, 2 * column : 2 * column + 2, at]
        place = np.unravel_index(part.argmax(), part.shape)
        made[row, column, at] = part.max()
        switches[row, column, at] = 2 * row + place[0], 2 * column + place[1]
    return made, switches


def unpooled(values, switches, shape):
    made = np.zeros(shape)
    for row, column, at in np.ndindex(values.shape):
        made[(*switches[row, column, at], at)] += values[row, column, at]
    return made

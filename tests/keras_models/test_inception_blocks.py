"""The inception module against plain NumPy."""

import keras
import numpy as np

from keras_models.inception_blocks import Inception, inception


def convolved(x, kernel, bias):
    """A rectified convolution with padding, in plain NumPy."""
    reach = kernel.shape[0] // 2
    padded = np.pad(x, [(0, 0), (reach, reach), (reach, reach), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], (1, 2))
    return np.maximum(np.einsum("nhwcij,ijco->nhwo", windows, kernel) + bias, 0)


def test_the_block_alone_against_numpy():
    maps = Inception(2, 3, 4, 2, 3, 1)
    image = keras.Input((6, 5, 4))
    block = keras.Model(image, inception(image, maps, "block"))
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 6, 5, 4)).astype("float32")
    block.set_weights([random.normal(size=weight.shape) for weight in block.get_weights()])

    def conv(x, part):
        return convolved(x, *block.get_layer(f"block_{part}").get_weights())

    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    pooled = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2)).max((-2, -1))
    branches = conv(x, "conv1"), conv(conv(x, "reduce3"), "conv3"), conv(conv(x, "reduce5"), "conv5"), conv(pooled, "project")
    np.testing.assert_allclose(block(x), np.concatenate(branches, axis=-1), rtol=1e-4, atol=1e-4)
    assert block.output_shape == (None, 6, 5, 2 + 4 + 3 + 1)

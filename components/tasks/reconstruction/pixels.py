"""Pixels in 0..1: batches of them, and how far an answer is from them."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from components.transform import placement

ROUNDING = (1 / 255) ** 2 / 12  # variance of what rounding to 8 bits takes away: no density of images is sharper


def unit(batches: tf.data.Dataset) -> Iterator[np.ndarray]:
    """Of batches of (float32 pixels in 0..255, anything), the pixels in [0, 1]."""
    for pixels, _ in batches.as_numpy_iterator():
        yield pixels / 255.0


def error_map(model: keras.Model, pixels: tf.Tensor, placed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Squared errors of pixels in [0, 1], the mean over channels, and where they are of the image: 1, and 0 in the bars beside it.

    Args:
        pixels: float32 [N, height, width, channels] in 0..255. placed: int32 [N, 4], as of components.transform.placement.

    Returns:
        float32 [N, height, width, 1] each.
    """
    errors = tf.reduce_mean(tf.square(pixels / 255.0 - model(pixels, training=False)), axis=3, keepdims=True)
    return errors, placement.inside(placed, *pixels.shape[1:3])

"""Operations on the values of pixels where they are. Each adds what changes to the image, so that a strength of 0 leaves it as it
is, bit for bit; Keras's layers take the image to HSV and back, which does not, and tf.image has one factor a batch.

All take (parameters, drawn float32 [N, k] in [-1, 1), images float32 [N, height, width, channels] in 0..255, covariance or None)
and return images that may leave the range, which the caller clips.
"""

import math

import numpy as np
import tensorflow as tf

from configs.errors import UsageError

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
LARGEST = 1 - 2**-22  # of the draws; erfinv of -1 is not finite


def brightness(step, drawn, images, covariance):
    return images + 255 * step.share * by_image(drawn[:, 0])


def contrast(step, drawn, images, covariance):
    return contrasted(images, step.factor * by_image(drawn[:, 0]))


def saturation(step, drawn, images, covariance):
    """HSV's S times a factor, at most 1; hue and the largest channel stay."""
    most, least = (of(images, axis=-1, keepdims=True) for of in (tf.reduce_max, tf.reduce_min))
    room = tf.math.divide_no_nan(least, most - least)  # how much S may grow: 1 / S - 1
    change = step.factor * by_image(drawn[:, 0])
    return images + tf.minimum(change, room) * (images - most)


def hue(step, drawn, images, covariance):
    """HSV's H turned."""
    parts = tf.image.rgb_to_hsv(images / 255)

    def turned(share):
        return tf.image.hsv_to_rgb(tf.concat([tf.math.floormod(parts[..., :1] + share, 1.0), parts[..., 1:]], axis=-1))

    return images + 255 * (turned(step.degrees / 360 * by_image(drawn[:, 0])) - turned(0.0))


def color_shift(step, drawn, images, covariance):
    return images + 255 * step.share * drawn[:, None, None, :]


def pca_color(step, drawn, images, covariance):
    """Along each principal component of the training split's colours, a normal draw times its standard deviation.

    Krizhevsky 2012, section 4.1, multiplies by the eigenvalue, the deviation's square, which depends on the unit of the pixels.

    Raises: UsageError without a covariance.
    """
    if covariance is None:
        raise UsageError("pca_color needs the covariance of the training split's colours.", "Use images of three channels.")
    values, vectors = np.linalg.eigh(np.reshape(np.asarray(covariance, np.float64), (3, 3)))
    axes = tf.constant(vectors * np.sqrt(np.maximum(values, 0)), tf.float32)  # a column for each component
    return images + tf.linalg.matvec(axes, step.stddev * normal(drawn))[:, None, None, :]


def contrasted(images, change):
    """The distance to each channel's mean times 1 + change [N, 1, 1, 1]."""
    return images + change * (images - tf.reduce_mean(images, axis=[1, 2], keepdims=True))


def grey(images: tf.Tensor) -> tf.Tensor:
    """Luminance [N, height, width, 1] of images of one or three channels."""
    return images if images.shape[-1] == 1 else tf.reduce_sum(images * LUMA, axis=-1, keepdims=True)


def normal(drawn: tf.Tensor) -> tf.Tensor:
    """Standard normal numbers from uniform ones in [-1, 1), by the inverse of the distribution."""
    return math.sqrt(2) * tf.math.erfinv(tf.clip_by_value(drawn, -LARGEST, LARGEST))


def by_image(numbers: tf.Tensor) -> tf.Tensor:
    """[N] as [N, 1, 1, 1]."""
    return numbers[:, None, None, None]

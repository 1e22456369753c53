"""RandAugment: Cubuk 2020, section 3, table of operations in figure 2.

Each image gets `operations` of the fourteen, drawn with replacement, all of one magnitude of 0..10. Different on purpose: the moves
of an image come before its colours, so that it is resampled once; brightness, colour, contrast and sharpness go either way by up to
0.9; what moves in from outside is the border's, the mirror image unless the config says otherwise.
"""

import math

import tensorflow as tf

from components.transform.augment import color, geometry

NAMES = (
    "identity", "auto_contrast", "equalize", "rotate", "solarize", "color", "posterize", "contrast", "brightness", "sharpness",
    "shear_x", "shear_y", "translate_x", "translate_y",
)  # fmt: skip
STRONGEST = 10.0
DEGREES, SLANT, SHIFT, BLEND, BITS = 30, 0.3, 0.3, 0.9, 4  # at the strongest; SHIFT is a share of the side


class _Round:
    """One of the operations for each image: which, and which way."""

    def __init__(self, step, drawn, index):
        self.strength = step.magnitude / STRONGEST
        self._choice = tf.floor((drawn[:, 2 * index] + 1) / 2 * len(NAMES))
        self._sign = tf.where(drawn[:, 2 * index + 1] < 0, -1.0, 1.0)

    def has(self, name):
        """bool [N]."""
        return self._choice == NAMES.index(name)

    def signed(self, name):
        """float32 [N]: strength and direction, 0 where the image got another operation."""
        return tf.where(self.has(name), self._sign * self.strength, 0.0)


def _rounds(step, drawn):
    return [_Round(step, drawn, index) for index in range(step.operations)]


def moves(step, drawn, height, width):
    """Matrices [N, 3, 3] as in geometry."""
    whole = geometry.turn(tf.zeros_like(drawn[:, 0]))
    for round_ in _rounds(step, drawn):
        slant_x, slant_y = (SLANT * round_.signed(name) for name in ("shear_x", "shear_y"))
        right, down = SHIFT * width * round_.signed("translate_x"), SHIFT * height * round_.signed("translate_y")
        whole = whole @ geometry.turn(math.radians(DEGREES) * round_.signed("rotate"))
        whole = whole @ geometry.matrix([[1, slant_x, right], [slant_y, 1, down], [0, 0, 1]])
    return whole


def colors(step, drawn, images, covariance):
    """As in color, clipped after each round."""
    for round_ in _rounds(step, drawn):
        images = tf.clip_by_value(_blended(round_, images), 0.0, 255.0)
        images = _coarsened(round_, images)
        for name, change in (("auto_contrast", _auto_contrast), ("equalize", _equalized)):
            images = tf.where(color.by_image(round_.has(name)), change(images), images)
    return images


def _blended(round_, images):
    """Away from or towards black, the mean, grey and a blur."""
    by = {name: BLEND * color.by_image(round_.signed(name)) for name in ("brightness", "contrast", "color", "sharpness")}
    images = color.contrasted(images + by["brightness"] * images, by["contrast"])
    images += by["color"] * (images - color.grey(images))
    return images + by["sharpness"] * (images - _blurred(images))


def _coarsened(round_, images):
    threshold, step = 256 * (1 - round_.strength), 2.0 ** round(BITS * round_.strength)
    images = tf.where(color.by_image(round_.has("solarize")) & (images >= threshold), 255 - images, images)
    return tf.where(color.by_image(round_.has("posterize") & (step > 1)), tf.floor(images / step) * step, images)


def _blurred(images):
    """Pillow's SMOOTH: a pixel counts five times, each of its neighbours once."""
    around = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    return (9 * tf.nn.avg_pool2d(around, 3, 1, "VALID") + 4 * images) / 13


def _auto_contrast(images):
    """Each channel stretched to 0..255; a constant one stays."""
    least, most = (of(images, axis=[1, 2], keepdims=True) for of in (tf.reduce_min, tf.reduce_max))
    return tf.where(most > least, tf.math.divide_no_nan(255 * (images - least), most - least), images)


def _equalized(images):
    """Each channel with as flat a histogram as its values allow; a constant one stays."""
    _, height, width, channels = images.shape
    values = tf.reshape(tf.transpose(tf.cast(tf.round(images), tf.int32), [0, 3, 1, 2]), [-1, height * width])
    below = tf.cast(tf.cumsum(tf.math.bincount(values, minlength=256, maxlength=256, axis=-1), axis=1), tf.float32)
    first = tf.reduce_min(tf.where(below > 0, below, float(height * width)), axis=1, keepdims=True)
    table = 255 * tf.math.divide_no_nan(below - first, height * width - first)
    flat = tf.gather(table, values, batch_dims=1)
    flat = tf.where(first < height * width, flat, tf.cast(values, tf.float32))
    return tf.transpose(tf.reshape(flat, [-1, channels, height, width]), [0, 2, 3, 1])

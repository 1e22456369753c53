"""Normal numbers of an image's own: functions of its pixels, so that the error of an estimate averages out over images and yet a
figure depends on nothing but the image, in any batch and on any server, and no exported graph draws.

They are made by a counter: an integer hash of image, draw and place in the code, by C. Wellons' prospected 32-bit mixing function.
Nothing is stored, so that there are as many as one asks for.
"""

import tensorflow as tf

MASK = 0xFFFFFFFF
MIXED = ((16, 0x21F0AAAD), (15, 0x735A2D97))  # shift and factor, below 2^31: no product leaves int64; last a shift by 15
PLACES = 0x9E3779B9  # where the counter of a word's pixels begins, times its number
BITS = 23  # of a uniform number: with half a step added, float32 holds it and its distance from 1 exactly


def key(pixels: tf.Tensor, seed: int | tf.Tensor = 0) -> tf.Tensor:
    """int64 [N, 2] of pixels [N, ...] in 0..255, rounded to whole numbers: equal for equal images alone, but for a chance of 2^-32.

    Args:
        seed: other numbers of the same images.
    """
    return _key(tf.cast(tf.round(tf.reshape(pixels, [tf.shape(pixels)[0], -1])), tf.int64), seed)


def key_of_values(images: tf.Tensor, seed: int | tf.Tensor = 0) -> tf.Tensor:
    """As `key`, of images [N, ...] of any float32, such as normalised ones: equal for the same bits alone."""
    values = tf.reshape(tf.cast(images, tf.float32), [tf.shape(images)[0], -1]) + 0.0  # -0 is 0
    return _key(tf.cast(tf.bitcast(values, tf.int32), tf.int64), seed)


def _key(values: tf.Tensor, seed: int | tf.Tensor) -> tf.Tensor:
    """int64 [N, 2] of int64 [N, k]."""
    place = tf.range(tf.shape(values, tf.int64)[1])
    sums = [tf.reduce_sum(values * _mixed(place + PLACES * (word + 1)), axis=1) for word in range(2)]
    return tf.stack([_mixed(value ^ _mixed(_shifted(value, 32) + seed)) for value in sums], axis=1)


def normal(keys: tf.Tensor, draw: tf.Tensor | int, size: int) -> tf.Tensor:
    """float32 [N, size] of N(0, 1), cut at 5.3 deviations: the numbers of one draw of each image.

    Args:
        keys: as `key` makes them.
        draw: which one, from 0.
    """
    counter = _mixed(tf.cast(draw, tf.int64) * size + tf.range(size, dtype=tf.int64))
    bits = _mixed(_mixed(counter ^ keys[:, :1]) ^ keys[:, 1:])
    uniform = tf.cast(_shifted(bits, 32 - BITS), tf.float32) + 0.5
    return 2**0.5 * tf.math.erfinv(uniform * 2.0 ** (1 - BITS) - 1)


def _mixed(x: tf.Tensor) -> tf.Tensor:
    """Of the lower 32 bits of x: a bijection in which each bit of the input turns over half of the output's."""
    x = tf.bitwise.bitwise_and(x, MASK)
    for shift, factor in MIXED:
        x = tf.bitwise.bitwise_and((x ^ _shifted(x, shift)) * factor, MASK)
    return x ^ _shifted(x, 15)


def _shifted(x: tf.Tensor, bits: int) -> tf.Tensor:
    return tf.bitwise.right_shift(x, tf.constant(bits, tf.int64))

"""Operations that give an image something of another one: the one before it in the batch, the last before the first.

All take (parameters, drawn float32 [N, k] in [-1, 1), rows) and give what an image keeps of itself, as float32 that multiplies
[N, height, width, 1] or [N, 1, 1, 1], and what that is of the whole, [N].
"""

import tensorflow as tf

from components.transform.augment import color, noise

HALVINGS = 40


def mixup(step, drawn, height, width):
    """A weighted mean of both (Zhang 2018, section 2), with a weight of its own for each image."""
    weight = beta(step.alpha, drawn[:, 0])
    return color.by_image(weight), weight


def cutmix(step, drawn, height, width):
    """A rectangle of the other, of 1 - Beta's share of the area, cut off at the border (Yun 2019, section 3.1 and equation 2)."""
    side = tf.sqrt(1 - beta(step.alpha, drawn[:, 0]))
    other = noise.box(drawn[:, 1:], height, width, tf.round(side * height), tf.round(side * width))
    kept = tf.cast(~other, tf.float32)
    return kept, tf.reduce_mean(kept, axis=[1, 2, 3])


def mix(values: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """`kept` of each row and the rest of its partner."""
    return kept * values + (1 - kept) * partner(values)


def partner(values: tf.Tensor) -> tf.Tensor:
    """For each row of a batch the one that it is mixed with."""
    return tf.roll(values, 1, axis=0)


def beta(alpha: float, drawn: tf.Tensor) -> tf.Tensor:
    """Numbers of Beta(alpha, alpha) from uniform ones in [-1, 1): the inverse of the distribution, found by halving."""
    wanted = (tf.cast(drawn, tf.float64) + 1) / 2
    both = tf.fill(tf.shape(wanted), tf.constant(alpha, tf.float64))
    low, high = tf.zeros_like(wanted), tf.ones_like(wanted)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = tf.math.betainc(both, both, middle) < wanted
        low, high = tf.where(below, middle, low), tf.where(below, high, middle)
    return tf.cast((low + high) / 2, tf.float32)

"""How well the boundaries of answers follow those of masks: the boundary F1 of Csurka, Larlus & Perronnin 2013, "What is a good
evaluation measure for semantic segmentation?", BMVC, section 3.

A pixel is on the boundary of its class where one of its four neighbours is of another class; the edge of an image is none, nor is
what borders on pixels of no class. Precision is the share of an answer's boundary that lies within a tolerance of the mask's,
recall the share of the mask's that lies within it of the answer's.
"""

import math

import numpy as np
import tensorflow as tf

from components.map_values import VOID

TOLERANCE = 0.0075  # of the diagonal, as theirs
LEAST = 1.0  # px: the paper's images have 500 px and more a side; of a small one the tolerance would be none


def tolerance(height: int, width: int) -> float:
    """Distance of pixels' middles, px."""
    return max(LEAST, TOLERANCE * math.hypot(height, width))


def f1(made: tf.Tensor, truth: tf.Tensor, classes: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Of each image the mean over the classes of which its mask or its answer has a boundary, of one that only either has 0.

    Args:
        made, truth: int64 [N, height, width], places of classes; truth also VOID.

    Returns:
        float32 [N] each: that mean in 0..1, 0 where there is no boundary at all; 1 where there is one, else 0.
    """
    known = truth != VOID
    ours, theirs = (tf.one_hot(places, classes) * tf.cast(_edges(places, known), tf.float32)[..., None] for places in (made, truth))
    radius = tolerance(*made.shape[1:3])
    reach = np.arange(-int(radius), int(radius) + 1)
    disc = (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.float32)
    kernel = np.repeat(disc[..., None, None], classes, 2)
    precision, recall = (_share(*pair, kernel) for pair in ((ours, theirs), (theirs, ours)))
    figures = tf.math.divide_no_nan(2 * precision * recall, precision + recall)
    there = tf.cast(tf.reduce_any((ours > 0) | (theirs > 0), [1, 2]), tf.float32)
    many = tf.reduce_sum(there, -1)
    return tf.math.divide_no_nan(tf.reduce_sum(figures * there, -1), many), tf.minimum(many, 1.0)


def _edges(places: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """bool [N, height, width]."""
    down = (places[:, 1:] != places[:, :-1]) & known[:, 1:] & known[:, :-1]
    right = (places[:, :, 1:] != places[:, :, :-1]) & known[:, :, 1:] & known[:, :, :-1]
    sides = [tf.pad(down, [[0, 0], side, [0, 0]]) for side in ([0, 1], [1, 0])]
    sides += [tf.pad(right, [[0, 0], [0, 0], side]) for side in ([0, 1], [1, 0])]
    return sides[0] | sides[1] | sides[2] | sides[3]


def _share(of: tf.Tensor, beside: tf.Tensor, kernel: np.ndarray) -> tf.Tensor:
    """Of each class the share of the pixels of one boundary that are near another: [N, height, width, K] of 0 and 1 -> [N, K]."""
    near = tf.nn.depthwise_conv2d(beside, kernel, [1, 1, 1, 1], "SAME") > 0.5
    return tf.math.divide_no_nan(tf.reduce_sum(of * tf.cast(near, tf.float32), [1, 2]), tf.reduce_sum(of, [1, 2]))

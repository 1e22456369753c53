"""From a map of errors to the score of an image, in the graph that is served. docs/anomalies.md has the formulas."""

import tensorflow as tf

from configs.schema.anomaly import AnomalyConfig


def pooled(errors: tf.Tensor, inside: tf.Tensor, asked: AnomalyConfig) -> tf.Tensor:
    """Of the errors inside the image alone, by `asked.pooling`.

    Args:
        errors: float32 [N, height, width, 1], at least 0.
        inside: float32 [N, height, width, 1], 1 where there is image and 0 where there is none; some is there of each.

    Returns:
        float32 [N].
    """
    kept = errors * inside
    if asked.pooling == "max":
        return tf.reduce_max(kept, [1, 2, 3])
    if asked.pooling == "top_share":
        return _top(kept, inside, asked.share)
    if asked.pooling == "smoothed_max":
        return _smoothed(kept, inside, asked.window)
    return mean(errors, inside)


def mean(errors: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
    """Of the errors inside the image. As `pooled`."""
    return tf.reduce_sum(errors * inside, [1, 2, 3]) / tf.reduce_sum(inside, [1, 2, 3])


def _top(kept: tf.Tensor, inside: tf.Tensor, share: float) -> tf.Tensor:
    """Mean of the largest: Pang et al. 2021, arXiv:2108.00462 (top-K)."""
    flat = tf.reshape(kept, [tf.shape(kept)[0], kept.shape[1] * kept.shape[2]])
    count = tf.cast(tf.reduce_sum(inside, [1, 2, 3]), tf.float64)
    taken = tf.maximum(tf.cast(tf.round(share * count), tf.int32), 1)[:, None]  # no more than there are, so bars come last
    is_taken = tf.cast(tf.range(flat.shape[1])[None] < taken, tf.float32)
    return tf.reduce_sum(tf.sort(flat, 1, "DESCENDING") * is_taken, 1) / tf.cast(taken[:, 0], tf.float32)


def _smoothed(kept: tf.Tensor, inside: tf.Tensor, window: int) -> tf.Tensor:
    """Maximum of the means over squares that lie inside the image, or hold as much of it as of any: Zavrtanik et al. 2021, Pattern
    Recognition 112."""
    before = window // 2
    around = [[0, 0], [before, before], [before, before], [0, 0]]
    sums, counts = (tf.nn.avg_pool2d(tf.pad(values, around), window, 1, "VALID") * window**2 for values in (kept, inside))
    is_full = counts > tf.reduce_max(counts, [1, 2, 3], keepdims=True) - 0.5
    return tf.reduce_max(tf.where(is_full, tf.math.divide_no_nan(sums, counts), 0.0), [1, 2, 3])

"""Augmentation of training batches. Drawing is apart from applying, and each draw is a function of (seed, epoch, image id) alone,
so that a resumed run and an undisturbed one see the same images.

Geometric operations are matrices: a whole list of them is one product and one bilinear resampling, not a blur for each.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from configs.schema import AugmentStep


def _translate(step, drawn, height, width):
    return _matrix([[1, 0, drawn[:, 0] * step.width * width], [0, 1, drawn[:, 1] * step.height * height], [0, 0, 1]])


def _rotate(step, drawn, height, width):
    angle = drawn[:, 0] * math.radians(step.degrees)
    cos, sin = tf.cos(angle), tf.sin(angle)
    return _matrix([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _zoom(step, drawn, height, width):
    scale = 1 / (1 + drawn[:, 0] * step.factor)
    return _matrix([[scale, 0, 0], [0, scale, 0], [0, 0, 1]])


def _shear(step, drawn, height, width):
    return _matrix([[1, tf.tan(drawn[:, 0] * math.radians(step.degrees)), 0], [0, 1, 0], [0, 0, 1]])


def _flip(step, drawn, height, width):
    across, down = tf.unstack(tf.where(drawn < 0, -1.0, 1.0), axis=1)  # tf.sign has a third value, 0
    one = tf.ones_like(across)
    return _matrix([[across if step.horizontal else one, 0, 0], [0, down if step.vertical else one, 0], [0, 0, 1]])


# Operation -> (numbers drawn from [-1, 1) for each image, how they become a matrix from output to input coordinates,
# both centred on the image).
GEOMETRY = {"translate": (2, _translate), "rotate": (1, _rotate), "zoom": (1, _zoom), "shear": (1, _shear), "flip": (2, _flip)}


def draws(steps: Sequence[AugmentStep]) -> int:
    """How many numbers one image needs."""
    return sum(GEOMETRY[step.operation[0]][0] for step in steps)


def draw(steps: Sequence[AugmentStep], seed: int, epoch: tf.Tensor, image_id: tf.Tensor) -> tf.Tensor:
    """Uniform float32 [draws(steps)] in [-1, 1) for one image.

    Args:
        epoch: int64 scalar, from 0.
        image_id: string scalar.
    """
    stream = tf.stack([tf.constant(seed, tf.int64) + epoch * 2**32, tf.strings.to_hash_bucket_fast(image_id, 2**62)])
    return tf.random.stateless_uniform([draws(steps)], stream, minval=-1.0, maxval=1.0)


def apply(steps: Sequence[AugmentStep], images: tf.Tensor, drawn: tf.Tensor, interpolation: str = "BILINEAR") -> tf.Tensor:
    """Apply what was drawn. What moves in from outside the image is its mirror image.

    Args:
        images: float32 [N, height, width, channels], 0..255.
        drawn: float32 [N, draws(steps)], as `draw` gives.
        interpolation: "BILINEAR", or "NEAREST" for maps, whose values must not mix.

    Returns:
        float32, same shape and range.
    """
    if not steps:
        return images
    height, width = (tf.cast(side, tf.float32) for side in tf.unstack(tf.shape(images)[1:3]))
    rows = tf.shape(images)[0]
    move = _shift((width - 1) / 2, (height - 1) / 2, rows)
    whole, used = move, 0
    for step in steps:
        name, parameters = step.operation
        needs, matrix = GEOMETRY[name]
        whole = whole @ matrix(parameters, drawn[:, used : used + needs], height, width)
        used += needs
    whole = whole @ _shift(-(width - 1) / 2, -(height - 1) / 2, rows)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.reshape(whole, [-1, 9])[:, :8],
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="REFLECT",
    )


def _shift(right, down, rows):
    return _matrix([[1, 0, tf.fill([rows], right)], [0, 1, tf.fill([rows], down)], [0, 0, 1]])


def _matrix(rows) -> tf.Tensor:
    """float32 [N, 3, 3] from entries that are numbers or [N] tensors."""
    count = next(tf.shape(entry)[0] for row in rows for entry in row if isinstance(entry, tf.Tensor))
    full = [[tf.broadcast_to(tf.cast(entry, tf.float32), [count]) for entry in row] for row in rows]
    return tf.transpose(tf.stack([tf.stack(row) for row in full]), [2, 0, 1])

"""Where an image lies within the model's input: `resize: fit` leaves black bars beside it, which are none of the image.

They are known from the image's own size. Nothing here looks at pixels: an image may be black itself.
"""

from collections.abc import Mapping

import tensorflow as tf

from components import keys
from configs.errors import HubelError
from configs.schema.transform import TransformConfig

SIZE = (keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH)  # features of the raw schema that say it


def fitted(size: tf.Tensor, config: TransformConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """How `fit` places images.

    Args:
        size: int32 [..., 2], height and width in px.

    Returns:
        int32 [..., 2] each: the bar before the image along each axis, and the image's size between the bars.
    """
    target = tf.constant([config.height, config.width])
    ratios = tf.cast(target, tf.float64) / tf.cast(size, tf.float64)
    scaled = whole(tf.cast(size, tf.float64) * tf.reduce_min(ratios, -1, keepdims=True))
    return tf.maximum(target - scaled, 0) // 2, scaled


def of_size(size: tf.Tensor, config: TransformConfig) -> tf.Tensor:
    """int32 [..., 2], height and width in px -> int32 [..., 4]: top, left, height and width in the model's input, px."""
    if config.resize == "fit":
        return tf.concat(fitted(size, config), -1)
    everything = tf.constant([0, 0, config.height, config.width])
    return tf.broadcast_to(everything, tf.concat([tf.shape(size)[:-1], [4]], 0))


def of_targets(targets: Mapping[str, tf.Tensor], many: int, config: TransformConfig) -> tf.Tensor:
    """The same of a batch's `many` images, whose int64 [N] targets SIZE say their sizes.

    Raises:
        HubelError: where they do not, and it depends on them.
    """
    if config.resize != "fit":
        return of_size(tf.zeros([many, 2], tf.int32), config)
    if set(SIZE) - set(targets) or any(tf.reduce_any(targets[name] < 1) for name in SIZE):
        raise HubelError(
            f"The data does not say how large its images are ({', '.join(SIZE)}), so where transform.resize: fit pads is unknown.",
            "If data.pinned_schema lacks these features, add them; or take transform.resize: stretch.",
        )
    return of_size(tf.cast(tf.stack([targets[name] for name in SIZE], 1), tf.int32), config)


def inside(placement: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """int32 [N, 4] -> float32 [N, height, width, 1]: 1 where there is image, 0 in bars."""
    top, left, high, wide = tf.unstack(placement[:, None, :], axis=2)  # [N, 1] each
    rows, columns = tf.range(height)[None], tf.range(width)[None]
    vertical = (rows >= top) & (rows < top + high)
    horizontal = (columns >= left) & (columns < left + wide)
    return tf.cast(vertical[:, :, None, None] & horizontal[:, None, :, None], tf.float32)


def whole(sides: tf.Tensor) -> tf.Tensor:
    """Rounded, at least 1 px."""
    return tf.maximum(tf.cast(tf.round(sides), tf.int32), 1)

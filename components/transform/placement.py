"""Where an image lies within the model's input: `resize: fit` leaves black bars beside it, which are none of the image.

They are known from the image's own size. Nothing here looks at pixels: an image may be black itself.
"""

from collections.abc import Mapping

import tensorflow as tf

from components import keys
from configs.errors import HubelError, UsageError
from configs.schema.transform import TransformConfig

NO_SQUARES = "Leave export.crops.squares out."
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


def cropped(size: tf.Tensor, config: TransformConfig, place: float) -> tuple[tf.Tensor, tf.Tensor]:
    """How `crop` cuts images.

    Args:
        size: int32 [..., 2], height and width in px.
        place: where along the side that is too long: 0 at its begin, 0.5 in the middle, 1 at its end.

    Returns:
        int32 [..., 2] each, px of the image: what lies before the patch along each axis, and the patch's size.
    """
    target = tf.constant([config.height, config.width])
    ratios = tf.cast(target, tf.float64) / tf.cast(size, tf.float64)
    kept = tf.minimum(whole(tf.cast(target, tf.float64) / tf.reduce_max(ratios, -1, keepdims=True)), size)
    return tf.cast(tf.cast(size - kept, tf.float64) * place, tf.int32), kept


def frame(size: tf.Tensor, config: TransformConfig) -> tf.Tensor:
    """How places in the model's input follow from those in the image: factor * place + shift, along each axis.

    Args:
        size: int32 [..., 2], height and width in px.

    Returns:
        float32 [..., 6]: these two, the factors of rows and columns, and their shifts in px of the model's input. Places are
        of edges: an image reaches from 0 to its height.

    Raises:
        UsageError: for `resize: squares`, which lays three patches of an image side by side.
    """
    if config.resize == "squares":
        raise UsageError("Answers in an image's own frame need one place for each pixel, and squares have several.", NO_SQUARES)
    target = tf.cast([config.height, config.width], tf.float64)
    own, shift = tf.cast(size, tf.float64), tf.zeros_like(size, tf.float64)
    factor = target / own
    if config.resize == "fit":
        before, scaled = fitted(size, config)
        factor, shift = tf.cast(scaled, tf.float64) / own, tf.cast(before, tf.float64)
    elif config.resize == "crop":
        before, kept = cropped(size, config, 0.5)
        factor = target / tf.cast(kept, tf.float64)
        shift = -factor * tf.cast(before, tf.float64)
    return tf.cast(tf.concat([own, factor, shift], -1), tf.float32)


def scale_and_shift(size: tf.Tensor, config: TransformConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """float32 [..., 2] each: what a place in an image, (down, right) in px from its upper left corner, is multiplied by, and what
    is then added, to be the same place in the model's input. Arguments and what is raised as of `frame`."""
    _, factor, shift = tf.split(frame(size, config), 3, -1)
    return factor, shift


def own_boxes(boxes: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """Boxes of the model's input as boxes of the images, cut at their edges: top, left, bottom, right in px.

    Args:
        boxes: float32 [N, M, 4]. frames: float32 [N, 6], as `frame` gives them.
    """
    size, factor, shift = (tf.tile(part, [1, 2])[:, None] for part in tf.split(frames, 3, 1))
    return tf.clip_by_value((boxes - shift) / factor, 0.0, size)


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

"""Crops of an image that one answer is averaged over, in the graph that is served."""

from typing import Literal

import tensorflow as tf

from configs.schema.export import Crops
from configs.schema.transform import TransformConfig

SQUARES = 3  # left, middle and right of a broad image; upper, middle and lower of a high one


class Squares(TransformConfig):
    """Three patches of the model's aspect side by side, each as large as the image allows; `width` is that of all three."""

    resize: Literal["squares"] = "squares"


def enlarged(config: TransformConfig, crops: Crops | None) -> TransformConfig:
    """What images are resized to, so that `config`'s size can be cut from them."""
    if crops is None:
        return config
    height, width = _sides(config, max(crops.scales))
    if crops.squares:
        return Squares(**{**dict(config), "height": height, "width": SQUARES * width, "resize": "squares"})
    return config.model_copy(update={"height": height, "width": width})


def cut(images: tf.Tensor, crops: Crops | None, config: TransformConfig) -> tf.Tensor:
    """Corners and centre of each scale, with `crops.squares` of each square and the whole square too; then with `crops.reflect`
    their mirror images.

    Args:
        images: [N, h, w, channels], of `enlarged`'s size.

    Returns:
        [crops, N, height, width, channels]; without `crops`, [1, ...]: the images as they are.
    """
    if crops is None:
        return images[None]
    cut = []
    for square in tf.split(images, SQUARES, 2) if crops.squares else [images]:
        for scale in crops.scales:
            at_scale = square if scale == max(crops.scales) else _resized(square, *_sides(config, scale))
            cut += _corners_and_centre(at_scale, config)
        if crops.squares:
            cut += [_resized(square, config.height, config.width)] * len(crops.scales)
    cut = tf.stack(cut)
    return tf.concat([cut, cut[:, :, :, ::-1]], 0) if crops.reflect else cut


def _corners_and_centre(images: tf.Tensor, config: TransformConfig) -> list[tf.Tensor]:
    down, right = images.shape[1] - config.height, images.shape[2] - config.width
    corners = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    return [images[:, top : top + config.height, left : left + config.width] for top, left in corners]


def _resized(images: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Rounded, as all pixels that a model sees."""
    return tf.clip_by_value(tf.round(tf.image.resize(images, (height, width), antialias=True)), 0.0, 255.0)


def _sides(config: TransformConfig, scale: float) -> tuple[int, int]:
    return round(config.height * scale), round(config.width * scale)

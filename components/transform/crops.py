"""Crops of an image that one answer is averaged over, in the graph that is served."""

import tensorflow as tf

from configs.schema import Crops, TransformConfig


def enlarged(config: TransformConfig, crops: Crops | None) -> TransformConfig:
    """What images are resized to, so that `config`'s size can be cut from them."""
    if crops is None:
        return config
    return config.model_copy(update={side: round(getattr(config, side) * crops.scale) for side in ("height", "width")})


def cut(images: tf.Tensor, crops: Crops | None, config: TransformConfig) -> tf.Tensor:
    """Corners and centre, then with `crops.reflect` their mirror images.

    Args:
        images: [N, h, w, channels], of `enlarged`'s size.

    Returns:
        [5, N, height, width, channels] or [10, ...], or [1, ...]: the images as they are, without `crops`.
    """
    if crops is None:
        return images[None]
    down, right = images.shape[1] - config.height, images.shape[2] - config.width
    corners = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    found = tf.stack([images[:, top : top + config.height, left : left + config.width] for top, left in corners])
    return tf.concat([found, found[:, :, :, ::-1]], 0) if crops.reflect else found

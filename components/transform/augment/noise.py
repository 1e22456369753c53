"""Operations that take something from the input that a denoising autoencoder has to find again; the target stays clean.

All take (parameters, drawn float32 [N, k] in [-1, 1), images float32 [N, height, width, channels] in 0..255) and return images
that may leave the range, which the caller clips unless a task learns to take the noise away. Salt, pepper and masks are drawn once
for all channels of a pixel: what one loses could else be read off the others.
"""

import tensorflow as tf

from components.transform.augment import color


def cutout(step, drawn, images):
    """A square around a random pixel becomes the image's mean; it may stick out (DeVries & Taylor 2017, section 3.2)."""
    _, height, width, _ = images.shape
    side = round(step.size * min(height, width))
    inside = box(drawn, height, width, tf.cast(side, tf.float32), tf.cast(side, tf.float32))
    return tf.where(inside, tf.reduce_mean(images, axis=[1, 2], keepdims=True), images)


def gaussian_noise(step, drawn, images):
    return images + 255 * step.stddev * color.normal(tf.reshape(drawn, [-1, *images.shape[1:]]))


def salt_and_pepper(step, drawn, images):
    """Half of the share black, half white (Vincent 2010, section 3.5)."""
    drawn = _by_pixel(drawn, images)
    return tf.where(tf.abs(drawn) < step.share, tf.where(drawn < 0, 0.0, 255.0), images)


def mask(step, drawn, images):
    """Some pixels become 0 (Vincent 2008, section 2.3)."""
    return tf.where(tf.abs(_by_pixel(drawn, images)) < step.share, 0.0, images)


def box(drawn: tf.Tensor, height: int, width: int, tall: tf.Tensor, wide: tf.Tensor) -> tf.Tensor:
    """bool [N, height, width, 1]: inside of rectangles around drawn [N, 2] pixels, cut off at the image's border.

    Args:
        tall, wide: float32 [N] or scalar, whole px.
    """
    first = [
        tf.floor((drawn[:, axis] + 1) / 2 * length) - tf.floor(size / 2)
        for axis, (length, size) in enumerate([(height, tall), (width, wide)])
    ]
    down, across = (
        (place >= start[:, None]) & (place < (start + size)[:, None])
        for place, start, size in (
            (tf.range(height, dtype=tf.float32), first[0], tall),
            (tf.range(width, dtype=tf.float32), first[1], wide),
        )
    )
    return (down[:, :, None] & across[:, None, :])[..., None]


def _by_pixel(drawn, images):
    return tf.reshape(drawn, [-1, *images.shape[1:3], 1])

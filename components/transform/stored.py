"""How a transformed record holds an image: one string, which takes its uint8 values and little more."""

import tensorflow as tf

from configs.schema.transform import TransformConfig


def stored(images: tf.Tensor) -> tf.Tensor:
    """uint8 [N, height, width, channels] -> string [N]."""
    return tf.map_fn(tf.io.serialize_tensor, images, fn_output_signature=tf.string)


def parsed(text: tf.Tensor, config: TransformConfig, channels: int) -> tf.Tensor:
    """String scalar -> uint8 [height, width, channels]."""
    return tf.ensure_shape(tf.io.parse_tensor(text, tf.uint8), (config.height, config.width, channels))

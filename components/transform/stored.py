"""How a transformed record holds an image: one string, which takes its uint8 values and little more."""

from typing import Protocol

import tensorflow as tf


class Size(Protocol):
    """That of a model's input in px, such as a TransformConfig; whoever reads what is stored need not know of its other keys."""

    height: int
    width: int


def stored(images: tf.Tensor) -> tf.Tensor:
    """uint8 [N, height, width, channels] -> string [N]."""
    return tf.map_fn(tf.io.serialize_tensor, images, fn_output_signature=tf.string)


def parsed(text: tf.Tensor, size: Size, channels: int) -> tf.Tensor:
    """String scalar -> uint8 [height, width, channels]."""
    return tf.ensure_shape(tf.io.parse_tensor(text, tf.uint8), (size.height, size.width, channels))

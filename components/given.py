"""Features of the raw schema that a signature gets besides what it takes: from tf.Examples to tensors, alike for all who ask."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from components import keys
from components.transform import pixels
from configs.schema.transform import TransformConfig


def spec(names: Sequence[str]) -> dict[str, tf.io.FixedLenFeature]:
    """How they are parsed: a map must be there, a whole number that is missing is -1."""
    numbers = tf.io.FixedLenFeature([], tf.int64, default_value=-1)
    return {name: tf.io.FixedLenFeature([], tf.string) if name in keys.MAPS else numbers for name in names}


def of(examples, names: Sequence[str], config: TransformConfig) -> list[tf.Tensor]:
    """Of serialized tf.Examples, string [N]: as `ready` gives them."""
    return ready(tf.io.parse_example(examples, spec(names)), names, config) if names else []


def ready(parsed: Mapping[str, tf.Tensor], names: Sequence[str], config: TransformConfig) -> list[tf.Tensor]:
    """As functions get them: int64 [N], or of a map int64 [N, height, width, 1], resized as its image is."""
    return [tf.cast(_resized(name, parsed[name], config), tf.int64) for name in names]


def _resized(name: str, values: tf.Tensor, config: TransformConfig) -> tf.Tensor:
    return pixels.masks_from_bytes(values, config) if name in keys.MAPS else values

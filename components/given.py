"""What an image is labelled with, as a signature gets it besides what it takes, and as judges do: from tf.Examples to tensors."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from components import targets
from components.transform.follow import Resize
from configs.schema.transform import TransformConfig


def spec(names: Sequence[str]) -> dict[str, Any]:
    """How the features of targets are parsed."""
    return {feature: how for name in names for feature, how in targets.of(name).spec().items()}


def resized(parsed: targets.Values, names: Sequence[str], config: TransformConfig, rows: tf.Tensor) -> dict[str, tf.Tensor]:
    """Target -> its values of a batch of so many rows, as they are in the model's input."""
    resize = Resize(config, parsed, rows)
    return {name: targets.of(name).resized(parsed, resize) for name in names}


def ready(values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The same as functions and judges get them; see components.targets."""
    return {name: targets.of(name).given(value) for name, value in values.items()}


def of(examples: tf.Tensor | Sequence[bytes], names: Sequence[str], config: TransformConfig) -> list[tf.Tensor]:
    """Of serialized tf.Examples, string [N], in the order of `names`, as functions get them."""
    if not names:
        return []
    parsed = tf.io.parse_example(examples, spec(names))
    return list(ready(resized(parsed, names, config, tf.shape(examples)[0])).values())

"""What the data decides about a model, and what tasks make of targets by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from configs.schema.augment import AugmentStep


@dataclass(frozen=True)
class DataInfo:
    """What the data decides about a model.

    input_shape is of what a model gets of one example: of images (height px, width px, channels); class_names is empty for
    unlabelled data. builder are further keyword arguments for it. learned, JSON values, is what the kind of input learned from the
    training split and its graph has to know: it stands on the card.

    of_input is what else the kind of input learned, and asks itself: its own class, such as components.inputs.image.Moments. noise
    is what the config's augmentation takes from the input of training and not from the target: its steps of
    components/transform/augment/noise.py.
    """

    input_shape: tuple[int, ...]
    class_names: list[str]
    train_images: int
    of_input: Any = field(default=None, repr=False)
    noise: tuple[AugmentStep, ...] = ()
    builder: Mapping[str, Any] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def for_builder(self) -> dict:
        """Keyword arguments that a model's builder may take."""
        classes = {"num_classes": len(self.class_names)} if self.class_names else {}
        return {"input_shape": self.input_shape, **self.builder, **classes}


# (targets of a batch, those of each row's partner, float32 [N] that each row keeps of itself, info) -> targets
Mix = Callable[[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor, DataInfo], dict[str, tf.Tensor]]

"""What the data decides about a model, and what tasks make of targets by it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from configs.schema.augment import AugmentStep


@dataclass(frozen=True)
class Facts:
    """What the data decides about a model.

    input_shape is (height px, width px, channels); class_names is empty for unlabelled data. Of the training split, over 0..255:
    mean, variance and covariance [channels, channels] of the channels, None where nothing in the config needs them; whitening, the
    mean and matrix of keras_models.normalize.zca, where it normalises by that. noise is what the config's augmentation takes from
    the input of training and not from the target: its steps of components/transform/augment/noise.py.
    """

    input_shape: tuple[int, int, int]
    class_names: list[str]
    mean: list[float] | None
    variance: list[float] | None
    train_images: int
    covariance: list[list[float]] | None = None
    whitening: tuple[np.ndarray, np.ndarray] | None = field(default=None, compare=False, repr=False)
    noise: tuple[AugmentStep, ...] = ()

    def for_builder(self) -> dict:
        """Keyword arguments that a model's builder may take."""
        return {"input_shape": self.input_shape, **({"num_classes": len(self.class_names)} if self.class_names else {})}


# (targets of a batch, those of each row's partner, float32 [N] that each row keeps of itself, facts) -> targets
Mix = Callable[[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor, Facts], dict[str, tf.Tensor]]

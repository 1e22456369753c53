"""Images for TensorBoard: of training, after augmentation, and what an autoencoder makes of some of validation."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from components.tasks.base import Signature, Task
from components.trainer import endpoints
from components.trainer.card import Card
from components.trainer.data import Data

SHOWN = 8  # images of each kind
SIDE = 128  # px: the longer side of a larger one
IMAGE = "image"  # kind of output, of serving.answers


class Gallery(NamedTuple):
    """Images [height, width, 1 or 3] in 0..255, of one size, their name, and what they are, in Markdown."""

    name: str
    pixels: Sequence[np.ndarray]
    about: str


def augmented(data: Data) -> Gallery | None:
    """The first training images as the first epoch has them; None where there are none."""
    batch = data.sample(SHOWN) if data.sample is not None else None
    if batch is None:
        return None
    return Gallery("training", _small(batch[0]), f"The first {len(batch[0])} training images, as the first epoch has them.")


def remade(task: Task, model: keras.Model, data: Data, card: Card) -> Gallery | None:
    """Validation images, and beside each what the first signature that makes images of images makes of it; None without one."""
    asked = [(name, signature) for name, signature in task.signatures(model, card).items() if _makes_images(signature)]
    batch = next(iter(data.validation), None) if asked else None
    if batch is None:
        return None
    name, signature = asked[0]
    pixels = batch[0][:SHOWN]
    sizes = tf.repeat(tf.constant([pixels.shape[1:3]], tf.int32), len(pixels), 0)
    answers = signature.function(*endpoints.arguments(signature, [pixels, sizes], card))
    output = next(output for output, kind in signature.gives.items() if kind == IMAGE)
    pairs = tf.concat([pixels, tf.cast(answers[output], tf.float32)], 2)
    return Gallery(name, _small(pairs, 2 * SIDE), f"{len(pairs)} validation images, and beside each what `{name}` makes of it.")


def _makes_images(signature: Signature) -> bool:
    return signature.takes == "image" and not signature.extra and not signature.given and IMAGE in signature.gives.values()


def _small(pixels: tf.Tensor, side: int = SIDE) -> list[np.ndarray]:
    height, width = pixels.shape[1:3]
    share = side / max(height, width)
    if share < 1:
        pixels = tf.image.resize(pixels, [max(1, round(height * share)), max(1, round(width * share))], antialias=True)
    return list(pixels.numpy())

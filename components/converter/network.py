"""What is converted: the function behind `pixels` at the model's own size, normalisation included, as a SavedModel.

Its outputs are those of numbers that its first signature gives, and codes where another one gives them. Texts are left out, such as
names of classes, which stand on the card, and with them what says nothing without them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from components import keys
from components.tasks.base import Signature
from components.tasks.by_name import task_of
from components.trainer import endpoints
from components.trainer.card import Card
from configs.errors import HubelError
from serving import answers

EACH, BATCH = "each", "batch"  # signatures of one image, and of any number of them


@dataclass(frozen=True)
class Network:
    """`answer`: float32 pixels [N, height, width, channels] in 0..255 -> outputs by name, first axis N. gives: the kind of each."""

    shape: tuple[int, ...]
    answer: Callable[[tf.Tensor], dict[str, tf.Tensor]]
    gives: Mapping[str, str]


def of(model: keras.Model, card: Card) -> Network:
    """The network of a model.

    Raises:
        HubelError: for one that gives no numbers, or is asked with more than an image.
    """
    signatures = task_of(card.task).signatures(model, card)
    first, *others = signatures.values()
    parts = [first, *(signature for signature in others if _gives_codes(signature))]
    if first.takes != "image" or first.given or first.extra:
        raise HubelError(
            f"{next(iter(signatures))} of {card.name} takes more than an image, and a converted model takes nothing else.",
            "Take export.variants out.",
        )
    height, width, _ = card.input_shape

    def everything(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        sizes = tf.tile(tf.constant([[height, width]]), [tf.shape(pixels)[0], 1])  # no bars: it is as large as the input
        answered: dict[str, tf.Tensor] = {}
        for signature in parts:
            answered = {**signature.function(*endpoints.arguments(signature, [pixels, sizes], card)), **answered}
        return answered

    declared = {output: kind for signature in parts[::-1] for output, kind in signature.gives.items()}
    probe = tf.function(everything, autograph=False).get_concrete_function(tf.TensorSpec([1, *card.input_shape], tf.float32))
    gives = {}
    for output, tensor in probe.structured_outputs.items():
        kind = declared.get(output) or answers.by_values(tensor.dtype == tf.string)
        if tensor.dtype != tf.string and answers.kind(kind).alone:
            gives[output] = kind
    if not gives:
        raise HubelError(f"{card.name} answers nothing in numbers, so there is nothing to convert.", "Take export.variants out.")

    def answer(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        answered = everything(pixels)
        return {output: answered[output] for output in gives}

    return Network(tuple(card.input_shape), answer, gives)


def _gives_codes(signature: Signature) -> bool:
    plain = signature.takes == "image" and not signature.given and not signature.extra
    return plain and "code" in signature.gives.values()


def write(network: Network, model: keras.Model, folder: Path) -> None:
    """A SavedModel with the signatures EACH, float32 `pixels` [1, height, width, channels], and BATCH, [N, ...]."""
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, many in ((EACH, 1), (BATCH, None)):
        spec = tf.TensorSpec([many, *network.shape], tf.float32, name=keys.PIXELS)
        archive.add_endpoint(name, tf.function(network.answer, autograph=False), [spec])
    archive.write_out(str(folder), verbose=False)

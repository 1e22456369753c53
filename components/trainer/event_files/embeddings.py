"""What a network has of each validation example before it answers, for TensorBoard's projector: the code of an autoencoder, else
what the last layer with weights is given."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector

from components import inputs
from components.trainer.data import Data
from components.trainer.event_files.writer import png
from keras_models import transfer

MOST = 500  # validation examples
WIDEST = 256  # numbers of each: of more, the coordinates along their first principal axes
AT_ONCE = 64  # examples
TILE = 32  # px of the longer side of an image in the sprite
FOLDER, TENSOR, METADATA, SPRITE = "embeddings", "codes.tsv", "labels.tsv", "sprite.png"


@dataclass(frozen=True)
class Embedding:
    """vectors: float32 [N, D]. labels: N texts, or none. pixels: float32 [N, height, width, channels] in 0..255, or None."""

    vectors: np.ndarray
    labels: Sequence[str] = ()
    pixels: np.ndarray | None = field(default=None, repr=False)


def of(model: keras.Model, data: Data, names: Mapping[str, Sequence[str]], reads: str) -> Embedding | None:
    """Of the first validation examples; None where there are none. The model's layers are frozen.

    Args:
        names: target -> those of its classes.

    Raises:
        ValueError: of a network that cannot be taken apart; see keras_models.transfer.extractor.
    """
    batch = next(iter(data.labelled(MOST)), None) if data.labelled is not None else None
    if batch is None:
        return None
    given, targets = batch
    cut = transfer.extractor(model)
    parts = [cut(given[at : at + AT_ONCE], training=False) for at in range(0, len(given), AT_ONCE)]
    vectors = keras.ops.convert_to_numpy(tf.concat(parts, 0)).astype(np.float32)
    if vectors.ndim > 2:
        vectors = vectors.mean(tuple(range(1, vectors.ndim - 1)))  # of maps, over all places
    if vectors.shape[1] > WIDEST:
        from sklearn.decomposition import PCA  # a tenth of a second that narrow ones do without

        vectors = PCA(min(WIDEST, *vectors.shape), random_state=0).fit_transform(vectors)
    labels = [texts for name, values in targets.items() if (texts := _labels(values.numpy(), names.get(name, ())))]
    pixels = given.numpy() if reads == inputs.DEFAULT else None
    return Embedding(vectors, labels[0] if labels else (), pixels)


def _labels(values: np.ndarray, names: Sequence[str]) -> list[str]:
    """What examples are labelled with: int [N], or [N, K] of those that may have several classes; -1: with nothing."""

    def named(number):
        return (names[number] if number < len(names) else str(number)) if number >= 0 else "no label"

    if values.ndim == 1:
        texts = [named(int(value)) for value in values]
    else:
        several = [", ".join(named(int(place)) for place in np.flatnonzero(row > 0)) or "nothing" for row in values]
        texts = [text if (row >= 0).all() else "no label" for text, row in zip(several, values, strict=True)]
    return [" ".join(text.split()) for text in texts]  # a tab or a line's end would begin another


def write(folder: Path, embedding: Embedding) -> None:
    """Into a folder of TensorBoard's: projector_config.pbtxt, and what it names in a folder of its own."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    config = projector.ProjectorConfig()
    told = config.embeddings.add(tensor_name="validation", tensor_path=f"{FOLDER}/{TENSOR}")
    np.savetxt(place / TENSOR, embedding.vectors, fmt="%.6g", delimiter="\t")
    if embedding.labels:
        (place / METADATA).write_text("".join(f"{label}\n" for label in embedding.labels), encoding="utf-8")
        told.metadata_path = f"{FOLDER}/{METADATA}"
    if embedding.pixels is not None:
        sprite, (width, height) = _sprite(embedding.pixels)
        (place / SPRITE).write_bytes(sprite)
        told.sprite.image_path = f"{FOLDER}/{SPRITE}"
        told.sprite.single_image_dim.extend([width, height])
    projector.visualize_embeddings(str(folder), config)


def _sprite(pixels: np.ndarray) -> tuple[bytes, tuple[int, int]]:
    """All images, row by row, in a square as TensorBoard cuts it; and width and height of one."""
    height, width = pixels.shape[1:3]
    share = min(1.0, TILE / max(height, width))
    height, width = max(1, round(height * share)), max(1, round(width * share))
    small = tf.image.resize(pixels, [height, width], antialias=True).numpy() if share < 1 else pixels
    columns = math.ceil(math.sqrt(len(small)))
    whole = np.zeros((columns * height, columns * width, small.shape[-1]), np.float32)
    for place, image in enumerate(small):
        row, column = divmod(place, columns)
        whole[row * height : (row + 1) * height, column * width : (column + 1) * width] = image
    return png(whole), (width, height)

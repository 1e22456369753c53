"""How long the training split's texts are: one pass of a TFT analyzer, left as a file among the assets of Transform's graph."""

import json
import posixpath
from dataclasses import asdict, dataclass

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.beam.experimental import PTransformAnalyzer

FILE = "text_lengths.json"


@dataclass(frozen=True)
class Lengths:
    """Of `texts` texts, in tokens: their sum, the longest, and how many are longer than what a model sees."""

    texts: int = 0
    tokens: int = 0
    longest: int = 0
    cut: int = 0


def save(lengths: tf.Tensor, limit: int) -> None:
    """Have the analyzers' pass over the training split write `Lengths`, for `read` to find.

    Args:
        lengths: int64 [N], tokens of each text, in preprocessing_fn.
        limit: tokens that a model sees.
    """
    tft.experimental.ptransform_analyzer([lengths], _Write(limit), [tf.string], [[]], output_asset_default_values=[b""])


def read(transform: tft.TFTransformOutput) -> Lengths:
    """What `save` had written."""
    path = posixpath.join(transform.transform_savedmodel_dir, tf.saved_model.ASSETS_DIRECTORY, FILE)
    with tf.io.gfile.GFile(path) as file:
        return Lengths(**json.load(file))


class _Write(PTransformAnalyzer):
    """Batches, each a tuple of one int64 [n], to the path of the file."""

    def __init__(self, limit: int):
        super().__init__()
        self._limit = limit

    def expand(self, batches):
        return (
            batches
            | "Counted" >> beam.MapTuple(lambda lengths, limit=self._limit: _of(lengths, limit))
            | "Sum" >> beam.CombineGlobally(_total)
            | "Write" >> beam.Map(_write, self.base_temp_dir)
        )


def _of(lengths: np.ndarray, limit: int) -> Lengths:
    return Lengths(len(lengths), int(lengths.sum()), int(lengths.max(initial=0)), int((lengths > limit).sum()))


def _total(parts) -> Lengths:
    total = Lengths()
    for part in parts:
        longest = max(total.longest, part.longest)
        total = Lengths(total.texts + part.texts, total.tokens + part.tokens, longest, total.cut + part.cut)
    return total


def _write(lengths: Lengths, folder: str) -> np.ndarray:
    tf.io.gfile.makedirs(folder)
    path = posixpath.join(folder, FILE)
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(json.dumps(asdict(lengths)))
    return np.array(path.encode(), dtype=object)

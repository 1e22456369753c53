"""Statistics of the training split: one pass of a TFT analyzer, left as files among the assets of Transform's graph.

They are no features: in every record they would only be repeated, and a large covariance has no place in a graph that each image
passes.
"""

import io
import posixpath
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.beam.experimental import PTransformAnalyzer

BLOCK = 2**22  # values that become float64 at once: 32 MiB


@dataclass(frozen=True)
class Moments:
    """Mean float64 [k] and biased covariance float64 [k, k] of rows of k values, over 0..255."""

    mean: np.ndarray
    covariance: np.ndarray


def save(images: tf.Tensor, width: int, name: str) -> None:
    """Have the analyzers' pass over the training split write the moments of `images`, for `read` to find.

    Args:
        images: uint8 [N, height, width, channels], in preprocessing_fn.
        width: values a row: the channels (then each pixel is a row), or all values of an image.
        name: the file's.
    """
    rows = tf.reshape(images, [-1, int(np.prod(images.shape[1:]))])
    tft.experimental.ptransform_analyzer([rows], _Write(width, name), [tf.string], [[]], output_asset_default_values=[b""])


def read(transform: tft.TFTransformOutput, name: str) -> Moments | None:
    """What `save` had written, or None where it was not called."""
    path = posixpath.join(transform.transform_savedmodel_dir, tf.saved_model.ASSETS_DIRECTORY, name)
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path, "rb") as file, np.load(io.BytesIO(file.read())) as stored:
        return Moments(stored["mean"], stored["covariance"])


class _Write(PTransformAnalyzer):
    """Batches, each a tuple of one uint8 [n, m * width], to the path of the file with their moments."""

    def __init__(self, width: int, name: str):
        super().__init__()
        self._width, self._name = width, name

    def expand(self, batches):
        return (
            batches
            | "Rows" >> beam.MapTuple(lambda batch, width=self._width: batch.reshape(-1, width))
            | "Sum" >> beam.CombineGlobally(_Sums(self._width))
            | "Write" >> beam.Map(_write, self.base_temp_dir, self._name)
        )


class _Sums(beam.CombineFn):
    """Count, sum and sum of products. Of bytes these are whole numbers below 2^53, so float64 holds them exactly, and neither the
    order of the images nor the batch size can show."""

    def __init__(self, width: int):
        self._width = width

    def create_accumulator(self):
        return 0, np.zeros(self._width), np.zeros((self._width, self._width))

    def add_input(self, accumulator, rows):
        count, total, products = accumulator
        for block in np.array_split(rows, -(-rows.size // BLOCK) or 1):
            values = block.astype(np.float64)
            total += values.sum(0)
            products += values.T @ values
        return count + len(rows), total, products

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for accumulator in accumulators:
            merged = tuple(a + b for a, b in zip(merged, accumulator, strict=True))
        return merged

    def extract_output(self, accumulator):
        count, total, products = accumulator
        mean = total / max(count, 1)
        return Moments(mean, products / max(count, 1) - np.outer(mean, mean))


def _write(moments: Moments, folder: str, name: str) -> np.ndarray:
    tf.io.gfile.makedirs(folder)
    path = posixpath.join(folder, name)
    packed = io.BytesIO()
    np.savez(packed, mean=moments.mean, covariance=moments.covariance)
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(packed.getvalue())
    return np.array(path.encode(), dtype=object)

"""From the records of one split, transformed or raw, to its rows: what is read of an example, its targets and its id."""

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components import targets as kinds
from components.examples import records_of
from components.inputs.base import Input
from configs.schema.transform import TransformConfig


def records(files: Sequence[str]) -> tf.data.Dataset:
    """Serialized tf.Examples of GZIP TFRecords, by patterns of their paths, in the order of these."""
    return records_of(sorted(tf.io.gfile.glob(list(files))))


@dataclass(frozen=True)
class Reader:
    """How records become rows.

    transform: Transform's graph. kind: of what is read. targets: features that the task learns from. is_transformed: whether
    records are of Transform's examples; otherwise they are raw ones, and the graph is applied here, to `config.batch_size` of them
    at once.
    """

    transform: tft.TFTransformOutput
    kind: Input
    targets: Sequence[str]
    config: TransformConfig
    is_transformed: bool

    def rows(self, serialized: tf.data.Dataset) -> tf.data.Dataset:
        """Serialized tf.Examples -> {the kind's feature as its `parsed` gives it, the id, each target}, one a record."""
        return (self._of_transformed if self.is_transformed else self._of_raw)(serialized)

    def _of_transformed(self, serialized):
        spec = {
            name: feature
            for name, feature in self.transform.transformed_feature_spec().items()
            if name in (self.kind.transformed, keys.EXAMPLE_ID, *self.targets)
        }
        return serialized.map(
            lambda record: self._decoded(tf.io.parse_single_example(record, spec)), num_parallel_calls=tf.data.AUTOTUNE
        )

    def _of_raw(self, serialized):
        layer = self.transform.transform_features_layer()
        spec = self.transform.raw_feature_spec()
        batches = serialized.batch(self.config.batch_size).map(
            lambda batch: layer(tf.io.parse_example(batch, spec)), num_parallel_calls=tf.data.AUTOTUNE
        )
        return batches.unbatch().map(self._decoded, num_parallel_calls=tf.data.AUTOTUNE)

    def _decoded(self, row):
        targets = {name: kinds.of(name).row(value, self.config) for name, value in row.items() if name in kinds.KINDS}
        return {**row, **targets, self.kind.transformed: self.kind.parsed(row[self.kind.transformed], self.config)}

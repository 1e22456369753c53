"""StatisticsGen: TFX's, told what the raw schema's features are, so that it does not count the values of bytes and ids."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.statistics_gen.component import StatisticsGen as TfxStatisticsGen

from components import inputs, keys, targets
from components.compat import tfdv as compat

QUANTILES = 100  # a few examples that are far from all others then stand in the last hundredth
ERROR = 0.001  # of a quantile's rank

compat.quicken()


class StatisticsGen(TfxStatisticsGen):
    """Output: `statistics` of every split; top values and uniques of none but small features."""

    def __init__(self, examples: types.BaseChannel, reads: str = inputs.DEFAULT):
        """
        Args:
            reads: kind of input that the examples are of; see components.inputs.
        """
        schema = _described(inputs.storage_of(reads).feature)
        options = tfdv.StatsOptions(schema=schema, num_quantiles_histogram_buckets=QUANTILES, epsilon=ERROR)
        super().__init__(examples=examples, stats_options=options)


def _described(encoded: str) -> schema_pb2.Schema:
    """What TFDV is told before it looks. An image domain is its way of saying that values are not to be counted, for ids too."""
    schema = schema_pb2.Schema()
    for name in (encoded, keys.EXAMPLE_ID, *(name for kind in targets.KINDS.values() for name in kind.uncounted)):
        schema.feature.add(name=name, type=schema_pb2.BYTES).image_domain.SetInParent()
    return schema

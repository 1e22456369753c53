"""Measures as TFDV has statistics: tensorflow_metadata's DatasetFeatureStatisticsList."""

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from serving.statistics.cells import Names, Numbers
from serving.statistics.measures import Measured

CELLS, QUANTILES = 10, 100  # of TFDV's histogram of equal widths, and of that of equal counts, as StatisticsGen is told
MAX_TOP = 20  # most frequent names that are listed; the rank histogram has all


def dataset_of(measured: Measured, name: str) -> statistics_pb2.DatasetFeatureStatistics:
    """The statistics of what was measured, as a data set of that name."""
    dataset = statistics_pb2.DatasetFeatureStatistics(name=name, num_examples=measured.examples)
    for feature, of in sorted(measured.features.items()):
        if of.count:
            written = dataset.features.add()
            written.path.step.append(feature)
            (_write_names if isinstance(of, Names) else _write_numbers)(written, of, measured.examples)
    return dataset


def _common(stats, count: int, examples: int) -> None:
    common = stats.common_stats
    common.num_non_missing, common.num_missing = count, max(examples - count, 0)
    common.min_num_values = common.max_num_values = 1
    common.avg_num_values, common.tot_num_values = 1.0, count


def _write_numbers(written: statistics_pb2.FeatureNameStatistics, numbers: Numbers, examples: int) -> None:
    kinds = statistics_pb2.FeatureNameStatistics
    written.type = kinds.INT if numbers.is_whole else kinds.FLOAT
    stats, cells = written.num_stats, numbers.ordered()
    _common(stats, numbers.count, examples)
    low, high = float(cells[0, 1]), float(cells[:, 2].max())
    stats.mean, stats.std_dev, stats.min, stats.max = numbers.mean, numbers.deviation, low, high
    stats.num_zeros = int(numbers.cells.get(0, [0])[0] + numbers.values.get(0.0, 0))
    values = numbers.quantiles(np.linspace(0, 1, QUANTILES + 1))
    stats.median = float(values[QUANTILES // 2])
    edges = np.linspace(low, high, CELLS + 1) if high > low else np.array([low, high])
    for kind, bounds, counts in (
        (statistics_pb2.Histogram.STANDARD, edges, numbers.histogram(edges)),
        (statistics_pb2.Histogram.QUANTILES, values, np.full(QUANTILES, numbers.count / QUANTILES)),
    ):
        histogram = stats.histograms.add(type=kind, num_nan=numbers.strange)
        for place, count in enumerate(counts):
            histogram.buckets.add(low_value=bounds[place], high_value=bounds[place + 1], sample_count=count)


def _write_names(written: statistics_pb2.FeatureNameStatistics, names: Names, examples: int) -> None:
    written.type = statistics_pb2.FeatureNameStatistics.STRING
    stats = written.string_stats
    _common(stats, names.count, examples)
    ranked = sorted(names.counts.items(), key=lambda item: (-item[1], item[0]))
    stats.unique = len(ranked)
    stats.avg_length = sum(len(name) * often for name, often in ranked) / max(sum(names.counts.values()), 1e-12)
    for name, often in ranked[:MAX_TOP]:
        stats.top_values.add(value=name, frequency=often)
    for place, (name, often) in enumerate(ranked):
        stats.rank_histogram.buckets.add(low_rank=place, high_rank=place, label=name, sample_count=often)

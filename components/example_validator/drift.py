"""How far two sets of examples lie apart: labels, sizes, brightness, lengths of texts.

TFDV compares histograms of cells that are equally wide, which suits what has few values, or bounds. Of counts, such as that of a
text's words, a few that are a thousand times the others leave all these in one cell. That hides how they differ, and makes alike
ones differ, because they are taken to lie all over it. So counts are compared by their quantiles.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow_data_validation as tfdv
from scipy.special import rel_entr
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components import keys, targets

EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)  # between cells, as shares of both sets together
TARGETS = tuple(filter(None, (kind.counted for kind in targets.KINDS.values())))


def _is_measure(feature: schema_pb2.Feature) -> bool:
    """Whether it is a number that is measured of what is read, such as image/height: see components.inputs.storing."""
    return "/" in feature.name and feature.type in (schema_pb2.INT, schema_pb2.FLOAT) and not _of_targets(feature.name)


def _is_count(feature: schema_pb2.Feature) -> bool:
    """Whether it is a whole number without a bound."""
    return _is_measure(feature) and feature.type == schema_pb2.INT


def _of_targets(name: str) -> bool:
    return any(name in kind.features for kind in targets.KINDS.values())


def has_outliers(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> bool:
    """Whether some image is none of data.inliers."""
    features = _features(statistics)
    return keys.ANOMALY in features and features[keys.ANOMALY].num_stats.max > 0


def _features(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    [dataset] = statistics.datasets
    return {"/".join(feature.path.step) or feature.name: feature for feature in dataset.features}


def measured(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
    earlier: statistics_pb2.DatasetFeatureStatisticsList | None = None,
    served: statistics_pb2.DatasetFeatureStatisticsList | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """Drift from `earlier` and skew towards `served`: feature -> Jensen-Shannon divergence, 0 (alike) to 1; {} without either."""
    wanted = schema_pb2.Schema()
    wanted.CopyFrom(schema)
    for feature in wanted.feature:
        if feature.name in TARGETS or (_is_measure(feature) and not _is_count(feature)):
            # a threshold that nothing exceeds: TFDV measures only where there is one
            feature.drift_comparator.jensen_shannon_divergence.threshold = 1.0
            feature.skew_comparator.jensen_shannon_divergence.threshold = 1.0
    anomalies = tfdv.validate_statistics(statistics, wanted, previous_statistics=earlier, serving_statistics=served)
    told = {"/".join(info.path.step): info for info in anomalies.drift_skew_info}
    drift = {name: info.drift_measurements[0].value for name, info in told.items() if info.drift_measurements}
    skew = {name: info.skew_measurements[0].value for name, info in told.items() if info.skew_measurements}
    counts = [feature.name for feature in schema.feature if _is_count(feature)]
    drift, skew = (of | _of_counts(counts, statistics, other) for of, other in ((drift, earlier), (skew, served)))
    return tuple({name: round(value, 4) for name, value in of.items()} for of in (drift, skew))


def from_training(
    served: statistics_pb2.DatasetFeatureStatisticsList, training: statistics_pb2.DatasetFeatureStatisticsList
) -> dict[str, float]:
    """How far what is served has moved from training: feature -> distance, of those that both have.

    Of numbers the Jensen-Shannon divergence, as `measured` takes it; of names the L-infinity distance, the largest difference of a
    share. Both 0 (alike) to 1.
    """
    schema, theirs = schema_pb2.Schema(), _features(training)
    counts, kinds = [], statistics_pb2.FeatureNameStatistics
    for name, feature in _features(served).items():
        if name not in theirs:
            continue
        if feature.type == kinds.STRING:
            described = schema.feature.add(name=name, type=schema_pb2.BYTES)
            described.drift_comparator.infinity_norm.threshold = 1.0
        elif feature.type == kinds.INT:
            counts.append(name)
        else:
            described = schema.feature.add(name=name, type=schema_pb2.FLOAT)
            described.drift_comparator.jensen_shannon_divergence.threshold = 1.0
    anomalies = tfdv.validate_statistics(served, schema, previous_statistics=training)
    told = {
        "/".join(info.path.step): info.drift_measurements[0].value for info in anomalies.drift_skew_info if info.drift_measurements
    }
    return {name: round(value, 4) for name, value in sorted((told | _of_counts(counts, served, training)).items())}


def _of_counts(names: Iterable[str], ours, theirs) -> dict[str, float]:
    """Jensen-Shannon divergence of each feature that both statistics have."""
    if theirs is None:
        return {}
    both = [_features(statistics) for statistics in (ours, theirs)]
    quantiles = {name: [_quantiles(features[name]) for features in both] for name in names if all(name in of for of in both)}
    return {name: _divergence(*pair) for name, pair in quantiles.items() if all(len(shares) for _, shares in pair)}


def _quantiles(feature: statistics_pb2.FeatureNameStatistics) -> tuple[np.ndarray, np.ndarray]:
    """Values in order, and the share of all that is at most each; empty where it has no value."""
    buckets = [
        bucket
        for histogram in feature.num_stats.histograms
        if histogram.type == statistics_pb2.Histogram.QUANTILES
        for bucket in histogram.buckets
    ]
    shares = np.cumsum([0.0, *(bucket.sample_count for bucket in buckets)])
    if not shares[-1]:
        return np.empty(0), np.empty(0)
    return np.array([buckets[0].low_value, *(bucket.high_value for bucket in buckets)]), shares / shares[-1]


def _at_most(count: np.ndarray, quantiles: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The share of values that are at most so large; between two quantiles each whole number has the same."""
    values, shares = quantiles
    place = np.searchsorted(values, count, "right") - 1
    inside = np.clip(place, 0, len(values) - 2)
    low, high = values[inside], values[inside + 1]
    part = (count - low) / np.maximum(high - low, 1)
    between = shares[inside] + (shares[inside + 1] - shares[inside]) * part
    return np.where(place < 0, 0.0, np.where(place >= len(values) - 1, 1.0, between))


def _divergence(ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]) -> float:
    """By cells that hold these shares of both together, as far as equal values can be parted."""
    values = np.unique(np.concatenate([ours[0], theirs[0]]))
    of_both = [_at_most(values, quantiles) for quantiles in (ours, theirs)]
    edges = np.unique(np.searchsorted(np.mean(of_both, axis=0), EDGES))
    cells = [np.diff(shares[edges], prepend=0.0, append=1.0) for shares in of_both]
    middle = np.mean(cells, axis=0)
    return float(sum(rel_entr(of, middle).sum() for of in cells) / (2 * np.log(2)))

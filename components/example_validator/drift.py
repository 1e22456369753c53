"""How far two sets of images lie apart, measured by TFDV: labels, sizes, brightness."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components import keys, targets

TARGETS = tuple(filter(None, (kind.counted for kind in targets.KINDS.values())))


def _is_measure(feature: schema_pb2.Feature) -> bool:
    """Whether it is a number that is measured of what is read, such as image/height: see components.inputs.storing."""
    return "/" in feature.name and feature.type in (schema_pb2.INT, schema_pb2.FLOAT) and not _of_targets(feature.name)


def _of_targets(name: str) -> bool:
    return any(name in kind.features for kind in targets.KINDS.values())


def has_outliers(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> bool:
    """Whether some image is none of data.inliers."""
    [dataset] = statistics.datasets
    features = {"/".join(feature.path.step) or feature.name: feature for feature in dataset.features}
    return keys.ANOMALY in features and features[keys.ANOMALY].num_stats.max > 0


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
        if feature.name in TARGETS or _is_measure(
            feature
        ):  # a threshold that nothing exceeds: TFDV measures only where there is one
            feature.drift_comparator.jensen_shannon_divergence.threshold = 1.0
            feature.skew_comparator.jensen_shannon_divergence.threshold = 1.0
    anomalies = tfdv.validate_statistics(statistics, wanted, previous_statistics=earlier, serving_statistics=served)
    infos = {"/".join(info.path.step): info for info in anomalies.drift_skew_info}
    drift = {name: round(info.drift_measurements[0].value, 4) for name, info in infos.items() if info.drift_measurements}
    skew = {name: round(info.skew_measurements[0].value, 4) for name, info in infos.items() if info.skew_measurements}
    return drift, skew

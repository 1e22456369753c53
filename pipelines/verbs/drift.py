"""What a pushed model is asked and answers in service, held against its training by TFDV's comparators. Worker side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.example_validator import drift as distances
from configs.errors import HubelError, UsageError
from serving.statistics import proto, written
from serving.statistics.cells import Names, Numbers
from serving.statistics.measures import Measured

DIVERGENCE, DISTANCE = "jensen_shannon", "l_infinity"
THRESHOLD = 0.1  # of either
DRIFTED, ALIKE, UNKNOWN = "drifted", "alike", "unknown"


def drift(model: str, statistics: str, since: float | None, thresholds: Mapping[str, float], least: int) -> dict[str, Any]:
    """How far what a version is asked and answers lies from its training.

    Args:
        model: folder of the SavedModel. statistics: folder of what `hubel serve` kept of it.
        since: s since 1970 after which requests count; None: all.
        thresholds: feature -> distance above which it has drifted, in the place of THRESHOLD.
        least: examples below which there is no verdict.

    Returns:
        {verdict: "drifted", "alike" or "unknown", reason, requests, examples, unreadable, seen, passed_over: of all time; since,
        features: [{feature, measure, distance: None where training has no such feature, threshold, drifted, examples, training,
        served: the mean of numbers; of names, the one whose share differs most, and both shares}]}.

    Raises:
        UsageError: for a threshold of a feature that there is not. HubelError: for files that cannot be read.
    """
    kept = written.Statistics.read(Path(statistics))
    is_of_model = kept is not None and kept.model == written.model_of(Path(model))
    measured = kept.windows.since(since) if kept is not None and is_of_model else Measured()
    training = _training(Path(model))
    if unknown := sorted(set(thresholds) - set(measured.features) - set(training)):
        known = ", ".join(sorted(set(measured.features) | set(training))) or "none"
        raise UsageError(f"--threshold names {unknown[0]}, which is not measured.", f"There are: {known}.")
    rows = _rows(measured, training, thresholds)
    reason = ""
    if kept is None:
        reason = "nothing was measured in service yet"
    elif not is_of_model:
        reason = "what was measured is of another model, which had this version's number before"
    elif measured.examples < least:
        reason = f"{measured.examples} examples were measured, and a verdict takes {least}"
    elif not training:
        reason = f"the model carries no statistics of its training ({written.OF_TRAINING}): train and push it again"
    elif all(row["distance"] is None for row in rows):
        reason = "nothing that is measured in service was measured in training"
    moved = [row["feature"] for row in rows if row["drifted"]]
    return {
        "verdict": UNKNOWN if reason else DRIFTED if moved else ALIKE,
        "reason": reason or ", ".join(moved),
        "requests": measured.requests,
        "examples": measured.examples,
        "unreadable": measured.unreadable,
        "seen": kept.seen if kept is not None else 0,
        "passed_over": kept.passed_over if kept is not None else 0,
        "since": since if since is not None or kept is None else kept.since,
        "features": rows,
    }


def _training(model: Path) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    """What a model carries of its training, by feature: inputs of the training split, answers of the test split."""
    path = model / written.OF_TRAINING
    if not path.is_file():
        return {}
    try:
        carried = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    except Exception as error:  # protobuf's DecodeError, which no public module names for all implementations
        raise HubelError(
            f"The statistics of training {path} cannot be read ({error}).", "Train and push the model again."
        ) from None
    return {"/".join(feature.path.step): feature for dataset in carried.datasets for feature in dataset.features}


def _rows(measured: Measured, training, thresholds: Mapping[str, float]) -> list[dict[str, Any]]:
    served = statistics_pb2.DatasetFeatureStatisticsList(datasets=[proto.dataset_of(measured, "served")])
    before = statistics_pb2.DatasetFeatureStatisticsList()
    before.datasets.add(name="training", num_examples=max((_count(of) for of in training.values()), default=0)).features.extend(
        training[name] for name in sorted(training)
    )
    far = distances.from_training(served, before) if training and measured.examples else {}
    rows = []
    for name, of in sorted(measured.features.items()):
        distance, threshold = far.get(name), thresholds.get(name, THRESHOLD)
        rows.append(
            {
                "feature": name,
                "measure": DISTANCE if isinstance(of, Names) else DIVERGENCE,
                "distance": distance,
                "threshold": threshold,
                "drifted": distance is not None and distance > threshold,
                "examples": of.count,
                **_beside(of, training.get(name)),
            }
        )
    return rows


def _count(feature: statistics_pb2.FeatureNameStatistics) -> int:
    stats = feature.num_stats if feature.HasField("num_stats") else feature.string_stats
    return stats.common_stats.num_non_missing


def _beside(of: Numbers | Names, training: statistics_pb2.FeatureNameStatistics | None) -> dict[str, Any]:
    """What a person compares."""
    if isinstance(of, Numbers):
        return {"training": training.num_stats.mean if training is not None else None, "served": of.mean}
    ours = _shares(of.counts)
    theirs = _shares(
        {bucket.label: bucket.sample_count for bucket in training.string_stats.rank_histogram.buckets} if training else {}
    )
    names = sorted(set(ours) | set(theirs))
    most = max(names, key=lambda name: abs(ours.get(name, 0) - theirs.get(name, 0)), default=None)
    if most is None:
        return {"name": None, "training": None, "served": None}
    return {"name": most, "training": theirs.get(most, 0.0) if training is not None else None, "served": ours.get(most, 0.0)}


def _shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: often / total for name, often in counts.items()} if total else {}

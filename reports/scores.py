"""Scores of images, in order and summed up. Rows are those of pipelines.verbs.image_verbs.anomalies; plain data, nothing heavy."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def ranked(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of scored images, the highest score first; scores that are no number and unreadable files last."""
    scores = [row.get("anomaly_score", math.nan) for row in rows]
    order = sorted(range(len(rows)), key=lambda at: (math.isnan(scores[at]), 0 if math.isnan(scores[at]) else -scores[at]))
    return [rows[at] for at in order]


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of rows of scored images: {images: how many have a score, unreadable, anomalies: how many of them are, None without a
    threshold, median: of the scores, None without any, folders: [{folder, and these of its images}], by name; empty where all
    lie in one}."""
    by_folder: dict[str, list] = {}
    for row in rows:
        by_folder.setdefault(str(Path(row["file"]).parent), []).append(row)
    folders = [{"folder": folder, **_counted(of)} for folder, of in sorted(by_folder.items())]
    return {**_counted(rows), "folders": folders if len(folders) > 1 else []}


def _counted(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    good = [row for row in rows if "error" not in row]
    decided = [row["is_anomaly"] for row in good if row["is_anomaly"] is not None]
    return {
        "images": len(good),
        "unreadable": len(rows) - len(good),
        "anomalies": sum(decided) if decided else None,
        "median": statistics.median(row["anomaly_score"] for row in good) if good else None,
    }

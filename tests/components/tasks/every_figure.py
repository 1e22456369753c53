"""Whether each figure that Evaluator would show of a task has an interval."""

import importlib
from collections.abc import Mapping, Sequence

import numpy as np

from components import keys
from components.evaluator import noise, per_image
from components.evaluator.statistic import ID
from components.tasks.judges.base import Judge


def without_interval(judge: Judge, outputs: Mapping[str, np.ndarray], labels: Sequence[int]) -> list[str]:
    """Names of metrics, of those that this model has.

    Args:
        outputs: of the judge's signature, by name, of some images.
        labels: of these images.
    """
    outputs = {name: np.asarray(values) for name, values in outputs.items()}
    each = [judge.each({name: of[place] for name, of in outputs.items()}, label) for place, label in enumerate(labels)]
    rows = {name: np.array([row[name] for row in each]) for name in each[0]}
    rows |= {ID: np.arange(len(each), dtype=np.uint64), keys.LABEL: np.asarray(labels)}
    lacking = []
    for name, metric in judge.metrics.items():
        of = noise.statistic_of(name, judge, rows)
        is_there = metric.config["output"] in outputs if "output" in metric.config else True
        is_number = of is None or np.isfinite(of.value(rows))  # such as the precision of nothing that was found
        if is_there and is_number and name not in noise.intervals({name: 0.5}, rows, judge) and not _hands_over(name, metric):
            lacking.append(name)
    return lacking


def _hands_over(name, metric) -> bool:
    """Whether the metric itself brings the interval along."""
    made = getattr(importlib.import_module(metric.module), metric.class_name)(name=name, **metric.config)
    names = [key.name for computation in made.computations() for key in computation.keys]
    return f"{name}{per_image.OWN}" in names

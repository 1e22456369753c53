"""Bounds on figures that are not TFMA's: those of `Judge.measure`."""

from collections.abc import Mapping, Sequence
from typing import Literal

from components.evaluator.miss import Miss
from components.tasks.judges.base import Comparison
from configs.schema.evaluate import Threshold


def misses(
    figures: Mapping[str, float],
    better: Mapping[str, Literal["more", "less"]],
    thresholds: Mapping[str, Threshold],
    comparisons: Sequence[Comparison],
) -> list[Miss]:
    """What is not good enough; a figure that could not be had is not.

    Args:
        figures: by name.
        better: names of the figures that are judged here, and which way is up.
    """
    missed = []
    for name, bound in thresholds.items():
        if name not in better:
            continue
        value = figures.get(name)
        if value is None:
            missed.append(Miss(f"{name} is asked for, and this data gives none", name, "threshold"))
        elif bound.min is not None and value < bound.min:
            text = f"{name} {value:.4f} is below the minimum {bound.min:g}"
            missed.append(Miss(text, name, "threshold", value, bound.min))
        elif bound.max is not None and value > bound.max:
            text = f"{name} {value:.4f} is above the maximum {bound.max:g}"
            missed.append(Miss(text, name, "threshold", value, bound.max))
    for comparison in comparisons:
        if comparison.metric not in better:
            continue
        value = figures.get(comparison.metric, float("nan"))
        if not (value > comparison.value if better[comparison.metric] == "more" else value < comparison.value):
            text = f"{comparison.metric} {value:.5f} is no better than the {comparison.value:.5f} of {comparison.words}"
            known = value if value == value else None
            missed.append(Miss(text, comparison.metric, "comparison", known, comparison.value))
    return missed

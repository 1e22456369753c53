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
    found = []
    for name, bound in thresholds.items():
        if name not in better:
            continue
        value = figures.get(name)
        if value is None:
            found.append(Miss(f"{name} is asked for, and this data gives none", name, "threshold"))
        elif bound.min is not None and value < bound.min:
            text = f"{name} {value:.4f} is below the minimum {bound.min:g}"
            found.append(Miss(text, name, "threshold", value, bound.min))
        elif bound.max is not None and value > bound.max:
            text = f"{name} {value:.4f} is above the maximum {bound.max:g}"
            found.append(Miss(text, name, "threshold", value, bound.max))
    for one in comparisons:
        if one.metric not in better:
            continue
        value = figures.get(one.metric, float("nan"))
        if not (value > one.value if better[one.metric] == "more" else value < one.value):
            text = f"{one.metric} {value:.5f} is no better than the {one.value:.5f} of {one.words}"
            known = value if value == value else None
            found.append(Miss(text, one.metric, "comparison", known, one.value))
    return found

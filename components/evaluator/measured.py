"""Bounds on figures that are not TFMA's: those of `Task.measure`."""

from collections.abc import Mapping, Sequence
from typing import Literal

from components.tasks.base import Comparison
from configs.schema import Threshold


def refusals(
    figures: Mapping[str, float],
    better: Mapping[str, Literal["more", "less"]],
    thresholds: Mapping[str, Threshold],
    comparisons: Sequence[Comparison],
) -> list[str]:
    """What is not good enough, a sentence part each; a figure that could not be had is not.

    Args:
        figures: by name.
        better: names of the figures that are judged here, and which way is up.
    """
    parts = []
    for name, bound in thresholds.items():
        if name not in better:
            continue
        if name not in figures:
            parts.append(f"{name} is asked for, and this data gives none")
        elif bound.min is not None and figures[name] < bound.min:
            parts.append(f"{name} {figures[name]:.4f} is below the minimum {bound.min:g}")
        elif bound.max is not None and figures[name] > bound.max:
            parts.append(f"{name} {figures[name]:.4f} is above the maximum {bound.max:g}")
    for one in comparisons:
        if one.metric not in better:
            continue
        value = figures.get(one.metric, float("nan"))
        if not (value > one.value if better[one.metric] == "more" else value < one.value):
            parts.append(f"{one.metric} {value:.5f} is no better than the {one.value:.5f} of {one.words}")
    return parts

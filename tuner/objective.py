"""What a search is for: a validation figure of an epoch, or a sum of several. Pure: whoever shows a search reads it too.

Of several, what is minimised is the sum of sign * weight * figure: the sign is 1 of a figure that is better when it is less, -1 of
one that is better when it is more. All figures are of one epoch: that whose weights Trainer would keep (tuner/trial.py).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from configs.errors import UsageError
from configs.schema.tune import ObjectiveConfig

Direction = Literal["min", "max"]
MIN, MAX = "min", "max"
SUM = "objective"  # the name of a sum of several


@dataclass(frozen=True)
class Objective:
    """A figure of an epoch. weight: what it counts in a sum."""

    name: str
    direction: Direction = MIN
    weight: float = 1.0

    @property
    def sign(self) -> int:
        return 1 if self.direction == MIN else -1


def of(asked: Sequence[ObjectiveConfig] | None, logged: Mapping[str, Direction | None], judged_by: str) -> list[Objective]:
    """What a config asks for.

    Args:
        asked: `tune.objective`; None: what the training is judged by, the least of it.
        logged: the figures of an epoch -> which way one is better, where the task says it.
        judged_by: the figure by which the best epoch is known.

    Raises:
        UsageError: for a figure that no epoch has, a direction that the task contradicts, and one that nobody says.
    """
    if not asked:
        return [Objective(judged_by)]
    return [Objective(each.name, _direction(each, logged), each.weight) for each in asked]


def _direction(asked: ObjectiveConfig, logged: Mapping[str, Direction | None]) -> Direction:
    if asked.name not in logged:
        there = ", ".join(sorted(logged)) or "none"
        raise UsageError(f"tune.objective asks for {asked.name}, and no epoch has it.", f"Figures that there are: {there}.")
    known = logged[asked.name]
    if known is None and asked.direction is None:
        raise UsageError(
            f"tune.objective asks for {asked.name}, and nothing says which way it is better.",
            f"Say it: tune.objective: {{name: {asked.name}, direction: min}}, or max.",
        )
    if None not in (known, asked.direction) and known != asked.direction:
        better = {MIN: "less", MAX: "more"}[known]
        raise UsageError(
            f"tune.objective has direction {asked.direction} for {asked.name}, of which {better} is better.",
            f"Write {known}, or take direction out.",
        )
    return asked.direction or known


def name(objectives: Sequence[Objective]) -> str:
    """What its values are called."""
    return objectives[0].name if len(objectives) == 1 else SUM


def direction(objectives: Sequence[Objective]) -> Direction:
    """Which way a value is better: a sum is minimised."""
    return objectives[0].direction if len(objectives) == 1 else MIN


def value(objectives: Sequence[Objective], figures: Mapping[str, float]) -> float | None:
    """The objective of an epoch; None where one of its figures is not there, or no finite number."""
    reached = [figures.get(each.name, math.nan) for each in objectives]
    if not all(map(math.isfinite, reached)):
        return None
    if len(objectives) == 1:
        return reached[0]
    return sum(each.sign * each.weight * figure for each, figure in zip(objectives, reached, strict=True))


def cost(objectives: Sequence[Objective], reached: float) -> float:
    """A value as what is less is better."""
    return reached if direction(objectives) == MIN else -reached

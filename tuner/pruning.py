"""When a trial is clearly behind: the median rule of Golovin et al. 2017, "Google Vizier: a service for black-box optimization",
KDD, section 3.2.2.

After an epoch a trial ends whose best value so far is strictly worse than the median, over the earlier trials that have this epoch,
of the mean of their values up to it. So at least half of those trials were better than it ever was. Its value is that of the epoch
that would be kept so far, and it is behind every trial that was trained to its end (records.ranking).
"""

import math
import statistics
from collections.abc import Mapping, Sequence

from tuner import objective
from tuner.objective import Objective

LEAST_EPOCHS = 3  # before which no trial ends: the first ones say little
LEAST_TRIALS = 5  # earlier ones that have the epoch, fewer of which say nothing of what is usual
MEDIAN, AUTO = "median", "auto"

Curve = Sequence[Mapping[str, float]]  # figures by epoch


def is_asked(pruning: str, algorithm: str) -> bool:
    """Whether `tune.pruning` ends trials of an algorithm: hyperband ends its own."""
    return pruning == MEDIAN or (pruning == AUTO and algorithm != "hyperband")


def median(objectives: Sequence[Objective], curves: Sequence[Curve], epochs: int) -> float | None:
    """Of the means over the first so many epochs of the earlier trials, as costs; None where there are too few of either.

    Args:
        curves: of the earlier trials, those that were pruned among them.
    """
    if epochs < LEAST_EPOCHS:
        return None
    means = [statistics.fmean(_costs(objectives, curve[:epochs])) for curve in curves if len(curve) >= epochs]
    return statistics.median(means) if len(means) >= LEAST_TRIALS else None


def is_behind(objectives: Sequence[Objective], curve: Curve, curves: Sequence[Curve]) -> bool:
    """Whether a trial with such a curve so far ends now."""
    usual = median(objectives, curves, len(curve))
    return usual is not None and min(_costs(objectives, curve)) > usual


def words(objectives: Sequence[Objective], curve: Curve, curves: Sequence[Curve]) -> str:
    """The sentence on a trial that is behind."""
    usual, epochs = median(objectives, curves, len(curve)), len(curve)
    reached, sign = min(_costs(objectives, curve)), 1 if objective.direction(objectives) == objective.MIN else -1
    many = sum(len(other) >= epochs for other in curves)
    return (
        f"Pruned after epoch {epochs}: its best {objective.name(objectives)} of {sign * reached:.4g} is worse than "
        f"{sign * usual:.4g}, the median of the means that {many} earlier trials had by then."
    )


def _costs(objectives: Sequence[Objective], curve: Curve) -> list[float]:
    """By epoch; infinite where it has no value."""
    values = (objective.value(objectives, figures) for figures in curve)
    return [math.inf if reached is None else objective.cost(objectives, reached) for reached in values]

"""Parts of a split, by what images are like, in which a model does worse than in the rest: brightness, contrast, size, aspect.

Looking at many parts finds a weak one by chance. So each is held against the rest of the images by a test, and what it says is
corrected for how many were looked at: p by Holm 1979, Scandinavian Journal of Statistics 6(2); intervals by Bonferroni.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components.evaluator import intervals
from components.evaluator.intervals import Interval

BINS = 5  # of each property, of about as many images
LEAST = 20  # images of a part, and of the rest of them
SIGNIFICANT = 1 - intervals.LEVEL


@dataclass(frozen=True)
class Part:
    """Images whose property is in [low, high], both of them values of images.

    value: of these, the share of hits or the mean error; rest: of all others that have the property. interval: of `value`, so wide
    that all parts that were looked at have theirs at once with 95 %. p: chance of doing as much worse than the rest, corrected.
    """

    name: str
    low: float
    high: float
    images: int
    value: float
    rest: float
    interval: Interval | None
    p: float

    @property
    def is_weak(self) -> bool:
        """Whether it is worse than the rest by more than chance."""
        return self.p < SIGNIFICANT


@dataclass(frozen=True)
class Search:
    """parts: all that were looked at, those of the lowest p first, then the weakest. passed_over: property -> why nothing of it was
    looked at. small: how many parts had too few images."""

    parts: Sequence[Part]
    passed_over: Mapping[str, str] = field(default_factory=dict)
    small: int = 0

    @property
    def weak(self) -> list[Part]:
        """Those that are."""
        return [part for part in self.parts if part.is_weak]


def of_hits(properties: Mapping[str, np.ndarray], is_hit: np.ndarray, bins: int = BINS, least: int = LEAST) -> Search:
    """Parts with fewer hits than the rest: Fisher's exact test, one-sided; Wilson's intervals.

    Args:
        properties: name -> float [N]; NaN where an image has none.
        is_hit: bool [N].
    """
    from scipy import stats

    def p(inside: np.ndarray, outside: np.ndarray) -> float:
        table = [[int(of.sum()), int((~of).sum())] for of in (inside, outside)]
        return float(stats.fisher_exact(table, alternative="less").pvalue)

    def interval(inside: np.ndarray, level: float) -> Interval:
        ends = stats.binomtest(int(inside.sum()), len(inside)).proportion_ci(level, method="wilson")
        return float(ends.low), float(ends.high)

    return _searched(properties, np.asarray(is_hit, bool), bins, least, p, interval, sign=1)


def of_errors(properties: Mapping[str, np.ndarray], error: np.ndarray, bins: int = BINS, least: int = LEAST) -> Search:
    """Parts of larger errors than the rest: Mann & Whitney's test, one-sided; Student's intervals of the mean. error: float [N]."""
    from scipy import stats

    def p(inside: np.ndarray, outside: np.ndarray) -> float:
        return float(stats.mannwhitneyu(inside, outside, alternative="greater").pvalue)

    def interval(inside: np.ndarray, level: float) -> Interval | None:
        if not inside.std():
            return None
        low, high = stats.ttest_1samp(inside, 0).confidence_interval(level)
        return float(low), float(high)

    return _searched(properties, np.asarray(error, np.float64), bins, least, p, interval, sign=-1)


def binned(values: np.ndarray, bins: int) -> list[np.ndarray]:
    """Masks of parts of about as many images, ascending; equal values stay together, so there may be fewer. Values that are no
    number are in none."""
    known = np.isfinite(values)
    if not known.any():
        return []
    edges = np.unique(np.quantile(values[known], np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(edges, values, side="left")
    masks = [known & (place == number) for number in range(len(edges) + 1)]
    return [mask for mask in masks if mask.any()]


def _searched(
    properties: Mapping[str, np.ndarray],
    values: np.ndarray,
    bins: int,
    least: int,
    p: Callable[[np.ndarray, np.ndarray], float],
    interval: Callable[[np.ndarray, float], Interval | None],
    sign: int,
) -> Search:
    looked, passed_over, small = [], {}, 0
    for name, of in properties.items():
        of = np.asarray(of, np.float64)
        known, masks = np.isfinite(of), binned(of, bins)
        if len(masks) < 2:
            passed_over[name] = f"all images have {of[known][0]:g}" if known.any() else "no image has it"
            continue
        for mask in masks:
            rest = known & ~mask
            if min(mask.sum(), rest.sum()) < least:
                small += 1
                continue
            looked.append((name, of[mask], values[mask], values[rest]))
    corrected = _holm([p(inside, outside) for *_, inside, outside in looked])
    level = 1 - SIGNIFICANT / max(1, len(looked))
    parts = [
        Part(name, float(own.min()), float(own.max()), len(own), float(inside.mean()), float(outside.mean()),
             interval(inside, level), chance)
        for (name, own, inside, outside), chance in zip(looked, corrected, strict=True)
    ]  # fmt: skip
    return Search(sorted(parts, key=lambda part: (part.p, sign * (part.value - part.rest))), passed_over, small)


def _holm(chances: Sequence[float]) -> list[float]:
    """Step-down: the k-th smallest times (m - k + 1), never less than one before it, at most 1."""
    order, many = np.argsort(chances, kind="stable"), len(chances)
    scaled = np.minimum(1.0, np.maximum.accumulate(np.asarray(chances, float)[order] * (many - np.arange(many))))
    corrected = np.empty(many)
    corrected[order] = scaled
    return corrected.tolist()

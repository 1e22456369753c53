"""What figures of a test split are worth: 95 % intervals over which images might have been in it, and resamples of these images.

Shares: Wilson 1927, JASA 22(158). Means: Student's t. AUROC: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44(3), on the logit
scale. Whatever else: the percentiles of the bootstrap, Efron & Tibshirani 1993, chapter 13, from a fixed seed. None of them knows
what another training would have given.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

LEVEL = 0.95
SEED = 0
MOST, LEAST = 1_000, 200  # resamples; so many that DRAWS holds
DRAWS = 20_000_000  # images drawn in all resamples, about
AT_ONCE = 2_000_000  # of them, at a time

Interval = tuple[float, float]


class Figure(float):
    """A figure that brings its interval along, or None where there is none; otherwise a float."""

    interval: Interval | None

    def __new__(cls, value: float, interval: Interval | None = None):
        made = super().__new__(cls, value)
        made.interval = interval
        return made

    def __getnewargs__(self):
        return float(self), self.interval


def of_mean(values: np.ndarray) -> Figure:
    """The mean of numbers of single images, [N]."""
    return Figure(np.mean(values), mean(values))


def of_share(is_hit: np.ndarray) -> Figure:
    """The share of images that are hits, bool [N]."""
    return Figure(np.mean(is_hit), share(int(np.sum(is_hit)), len(is_hit)))


def share(hits: int, images: int) -> Interval | None:
    """Wilson's; None of no image."""
    from scipy import stats

    if not images:
        return None
    ends = stats.binomtest(hits, images).proportion_ci(LEVEL, method="wilson")
    return float(ends.low), float(ends.high)


def mean(values: np.ndarray) -> Interval | None:
    """mean +- t s / sqrt(N); None of fewer than two, or of what is not finite."""
    from scipy import special

    values = np.asarray(values, np.float64)
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    half = special.stdtrit(len(values) - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def auroc(labels: np.ndarray, scores: np.ndarray) -> Interval | None:
    """DeLong's, by midranks (Sun & Xu 2014, IEEE Signal Processing Letters 21(11)). None with less than two images of a kind,
    nor where the variance is 0 of another ranking than these:

    Where no image is ranked wrongly, or every one, DeLong's variance is 0; then Wilson's of as many images as the rarer kind has.
    """
    from scipy import special, stats

    positive, negative = scores[labels == 1], scores[labels == 0]
    m, n = len(positive), len(negative)
    if min(m, n) < 2 or not np.isfinite(scores).all():
        return None
    ranks = stats.rankdata(np.concatenate([positive, negative]))
    above, below = (ranks[:m] - stats.rankdata(positive)) / n, 1 - (ranks[m:] - stats.rankdata(negative)) / m
    area = float(above.mean())
    if area in (0.0, 1.0):
        return share(round(area * min(m, n)), min(m, n))
    deviation = math.sqrt(above.var(ddof=1) / m + below.var(ddof=1) / n)
    if not deviation:  # such as of a score that is the same for all
        return None
    center, half = special.logit(area), special.ndtri((1 + LEVEL) / 2) * deviation / (area * (1 - area))
    return float(special.expit(center - half)), float(special.expit(center + half))


def percentiles(values: np.ndarray, is_count: bool = False) -> Interval | None:
    """Of what resamples gave; those that are no number are left out. None where there is none, or where both ends are the same,
    unless the figure is a whole number: there are too few images to tell, and the figure is not certain.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (float(low), float(high)) if low < high or is_count else None


def resampled(figure: Callable[[np.ndarray], np.ndarray], images: int, seed: int = SEED) -> np.ndarray:
    """The figure of each resample of the images, float [resamples].

    Args:
        figure: float64 [k, images], how often each resample has each image -> float [k].
    """
    return np.concatenate([figure(weights) for weights in _weights(images, seed)])


def resamples(images: int) -> int:
    """How many there are of so many images."""
    return int(np.clip(DRAWS // max(images, 1), LEAST, MOST))


def _weights(images: int, seed: int) -> Iterator[np.ndarray]:
    generator, left = np.random.default_rng(seed), resamples(images)
    while left:
        many = min(left, max(1, AT_ONCE // images))
        drawn = generator.integers(0, images, (many, images)) + images * np.arange(many)[:, None]
        yield np.bincount(drawn.ravel(), minlength=many * images).reshape(many, images).astype(np.float64)
        left -= many


def by_place(weights: np.ndarray, places: np.ndarray, many: int) -> np.ndarray:
    """Sums of the weights of images, [k, images], by a place of each image in 0..many - 1: [k, many]."""
    from scipy import sparse

    members = sparse.csr_array((np.ones(len(places)), (places, np.arange(len(places)))), (many, len(places)))
    return (members @ weights.T).T

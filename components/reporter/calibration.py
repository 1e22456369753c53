"""Whether a classifier is right as often as it says: reliability and its error (Guo et al. 2017, "On calibration of modern neural
networks", ICML, section 2)."""

from dataclasses import dataclass

import numpy as np

from components.evaluator import intervals
from components.evaluator.intervals import Interval
from components.temperature import LEAST_PROBABILITY

BINS = 15  # as in the paper's tables
RESAMPLES, LEAST = 1_000, 50  # so many that intervals.DRAWS holds
SEED = 0


@dataclass(frozen=True)
class Bin:
    """Images whose confidence is in (low, high]. confidence: its mean. accuracy: the share that is right, with its interval."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float
    interval: Interval


def reliability(confidence: np.ndarray, is_right: np.ndarray, many: int = BINS) -> list[Bin]:
    """Bins of equal width that have an image, from the least confident on.

    Args:
        confidence: float [N] in 0..1, of the class that was answered. is_right: bool [N].
    """
    place = _places(confidence, many)
    bins = []
    for number in np.unique(place):
        inside = place == number
        hits, images = int(is_right[inside].sum()), int(inside.sum())
        ends = number / many, (number + 1) / many
        bins.append(Bin(*ends, images, float(confidence[inside].mean()), hits / images, intervals.share(hits, images)))
    return bins


def error(confidence: np.ndarray, is_right: np.ndarray, many: int = BINS) -> float:
    """ECE, equation 3: the mean over images of |accuracy - confidence| of their bin, in 0..1. Arguments as of `reliability`."""
    return float(_errors(np.asarray(confidence, np.float64), np.asarray(is_right, np.float64)[None], many)[0])


def error_of_chance(confidence: np.ndarray, many: int = BINS) -> float:
    """What the error of a perfectly calibrated model would stay below in 95 of 100 splits of these confidences: of few images it is
    never 0. Consistency resampling: Bröcker & Smith 2007, Weather and Forecasting 22(3)."""
    confidence = np.asarray(confidence, np.float64)
    generator, errors = np.random.default_rng(SEED), []
    many_times = int(np.clip(intervals.DRAWS // max(1, len(confidence)), LEAST, RESAMPLES))
    step = max(1, intervals.AT_ONCE // max(1, len(confidence)))
    for begun in range(0, many_times, step):
        drawn = generator.random((min(step, many_times - begun), len(confidence))) < confidence
        errors.append(_errors(confidence, drawn.astype(np.float64), many))
    return float(np.quantile(np.concatenate(errors), intervals.LEVEL))


def _errors(confidence: np.ndarray, right: np.ndarray, many: int) -> np.ndarray:
    """Of several outcomes, float64 [k, N] of 0 and 1: [k]."""
    apart = intervals.by_place(right - confidence, _places(confidence, many), many)  # sums, so images count each
    return np.abs(apart).sum(1) / len(confidence)


def _places(confidence: np.ndarray, many: int) -> np.ndarray:
    """Of bins (low, high]; 0 is in the first one."""
    return np.clip(np.ceil(np.asarray(confidence, np.float64) * many).astype(int) - 1, 0, many - 1)


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over images of the squared distance to the label, in 0..2: Brier 1950, Monthly Weather Review 78(1)."""
    wanted = np.zeros(probabilities.shape)
    wanted[np.arange(len(labels)), labels] = 1
    return float(np.square(probabilities - wanted).sum(1).mean())


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean over images of -log p(label)."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], LEAST_PROBABILITY)).mean())

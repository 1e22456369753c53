"""Figures of single pixels, from how many of them have a score in each bin: how maps of anomalies rank the pixels of masks.

A bin holds scores that are next to each other, and counts as one score. So a figure is that of the scores themselves within what
the bins leave open, which `bound` computes. Columns of an image are those of components.pixel_scores.counted.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.compat import tfma
from components.evaluator.statistic import Rows, Statistic, count
from components.pixel_scores import COUNTS, REGIONS

COLUMNS = (*COUNTS, REGIONS)
LIMIT = 0.3  # false positive rate up to which the overlap of regions is integrated: Bergmann et al. 2019, section 5.2
_AT_ONCE = 256  # resamples


@dataclass(frozen=True)
class Curves:
    """Sums over images, from the highest bin down, float64 [..., bins]: pixels that are above a threshold, of those that are to be
    found and of the others, and overlap, the sum over regions of the share of each that is above."""

    hits: np.ndarray
    alarms: np.ndarray
    overlap: np.ndarray
    regions: np.ndarray  # [...]

    @classmethod
    def of(cls, normal: np.ndarray, defect: np.ndarray, overlap: np.ndarray, regions: np.ndarray) -> "Curves":
        """Of sums of the columns, float64 [..., bins] and [...]."""
        down = (np.cumsum(column[..., ::-1], -1) for column in (defect, normal, overlap))
        return cls(*down, np.asarray(regions, np.float64))


def _shares(counts: np.ndarray) -> np.ndarray:
    """Of all of them; no number where there are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return counts / counts[..., -1:]


def _from_nothing(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values[..., :1]), values], -1)


def pixel_auroc(curves: Curves) -> np.ndarray:
    """The chance that a pixel of a defect has a larger score than another one; of equal scores half. [...]"""
    x, y = (_from_nothing(_shares(counts)) for counts in (curves.alarms, curves.hits))
    return np.sum(np.diff(x) * (y[..., 1:] + y[..., :-1]) / 2, -1)


def pixel_average_precision(curves: Curves) -> np.ndarray:
    """Mean over the pixels of defects of the precision at their score. [...]"""
    steps = np.diff(_from_nothing(_shares(curves.hits)))
    above = curves.hits + curves.alarms
    precision = np.divide(curves.hits, above, out=np.zeros_like(curves.hits), where=above > 0)
    figure = np.sum(steps * precision, -1)
    return np.where(curves.alarms[..., -1] > 0, figure, np.nan)  # of one kind there is no ranking


def aupro(curves: Curves, limit: float = LIMIT) -> np.ndarray:
    """Area under the mean overlap of regions by the false positive rate, up to `limit` of it, divided by that. [...]"""
    x = _from_nothing(_shares(curves.alarms))
    with np.errstate(divide="ignore", invalid="ignore"):
        y = _from_nothing(curves.overlap / curves.regions[..., None])
    before, after = np.minimum(x[..., :-1], limit), np.minimum(x[..., 1:], limit)
    width = np.diff(x)
    slope = np.divide(np.diff(y), width, out=np.zeros_like(width), where=width > 0)
    heights = y[..., :-1] + slope * (before + after - 2 * x[..., :-1]) / 2  # in the middle of the part that counts
    return np.sum((after - before) * heights, -1) / limit


def bound(curves: Curves) -> np.ndarray:
    """By how much the three may differ from those of the scores that are in the bins, at most. [...]

    Both shares only rise, so between two thresholds a curve stays in the rectangle of the two, and its area within half of that.
    The average precision lies between those of bins whose normal pixels come first and of bins whose defects do.
    """
    x, y = (_from_nothing(_shares(counts)) for counts in (curves.alarms, curves.hits))
    of_area = np.sum(np.diff(x) * np.diff(y), -1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        part = _from_nothing(curves.overlap / curves.regions[..., None])
    inside = np.diff(np.minimum(x, LIMIT)) > 0
    of_overlap = np.sum(np.where(inside, np.diff(x) * np.diff(part), 0), -1) / 2 / LIMIT
    binned = pixel_average_precision(curves)
    ends = (_precision(curves, first) for first in (True, False))
    of_precision = np.max([np.abs(np.nan_to_num(end) - np.nan_to_num(binned)) for end in ends], axis=0)
    return np.maximum(np.maximum(of_area, of_overlap), of_precision)


def _precision(curves: Curves, normal_first: bool) -> np.ndarray:
    """Average precision at most, where the defects of each bin have larger scores than its normal pixels, or at least. [...]

    The sum of t / (t + a) over the defects of a bin lies between its integrals from t = hits and from t = hits + 1 on, a the normal
    pixels above.
    """
    hits, alarms = _from_nothing(curves.hits), _from_nothing(curves.alarms)
    begin, end = (part + (0.0 if normal_first else 1.0) for part in (hits[..., :-1], hits[..., 1:]))
    above = alarms[..., 1:] if normal_first else alarms[..., :-1]
    grown = np.divide(end + above, begin + above, out=np.ones_like(end), where=begin + above > 0)
    many = np.where(end > begin, end - begin - above * np.log(grown), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(many.sum(-1) / curves.hits[..., -1], 0.0, 1.0)


FIGURES: Mapping[str, Callable[[Curves], np.ndarray]] = {
    "pixel_auroc": pixel_auroc,
    "pixel_average_precision": pixel_average_precision,
    "aupro": aupro,
    "pixel_bound": bound,
}


class PixelRanking(metric_types.Metric):
    """One of FIGURES, of the outputs COLUMNS."""

    def __init__(self, figure: str, name: str = "pixel_ranking"):
        super().__init__(metric_util.merge_per_key_computations(_pixel_ranking), name=name, figure=figure)


def _pixel_ranking(name, figure, model_name="", output_name="", **_):
    key = metric_types.MetricKey(name=name, model_name=model_name, output_name=output_name)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=_Sums(key, figure))]


class _Sums(beam.CombineFn):
    """Sums over images of COLUMNS: as much memory for any number of them."""

    def __init__(self, key: metric_types.MetricKey, figure: str):
        self._key, self._figure = key, figure

    def create_accumulator(self):
        return [np.zeros(())] * len(COLUMNS)

    def add_input(self, accumulator, element):
        outputs = tfma.answers_of(element, self._key.model_name)
        return [total + np.squeeze(outputs[name]).astype(np.float64) for total, name in zip(accumulator, COLUMNS, strict=True)]

    def merge_accumulators(self, accumulators):
        return functools.reduce(lambda ours, theirs: [a + b for a, b in zip(ours, theirs, strict=True)], accumulators)

    def extract_output(self, accumulator):
        if not accumulator[0].ndim or not accumulator[-1]:
            return {self._key: float("nan")}  # no image, or none with a region
        return {self._key: float(FIGURES[self._figure](Curves.of(*accumulator)))}


@dataclass(frozen=True)
class OfPixels(Statistic):
    """One of FIGURES. Images are resampled whole, since the pixels of one are not independent."""

    figure: str

    @property
    def columns(self):
        return COLUMNS

    def weighted(self, rows, weights):
        parts = [self._some(rows, weights[at : at + _AT_ONCE]) for at in range(0, len(weights), _AT_ONCE)]
        return np.concatenate(parts)

    def interval(self, rows):
        """None of the bound, which says nothing of other images, and with less than two images of a defect."""
        if self.figure == "pixel_bound" or np.sum(np.ravel(rows[REGIONS]) > 0) < 2:
            return None
        return super().interval(rows)

    def _some(self, rows: Rows, weights: np.ndarray) -> np.ndarray:
        sums = [weights @ np.asarray(rows[name], np.float64).reshape(count(rows), -1) for name in COLUMNS[:-1]]
        regions = weights @ np.ravel(rows[REGIONS]).astype(np.float64)
        return np.where(regions > 0, FIGURES[self.figure](Curves.of(*sums, regions)), np.nan)

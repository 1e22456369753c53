"""Figures of images that may have several classes: of each class by itself, over all of them, and of the set as a whole.

Rows have three columns, [N, K] each: `labels` and `decisions` of 0 or 1, and `probabilities`. Micro takes all pairs of image and
class as one ranking, or one table of hits; macro is the mean over classes, of those for which there is a figure.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components import keys
from components.compat import tfma
from components.evaluator import intervals
from components.evaluator.statistic import Auroc, Rows, Statistic, count

LABELS, PROBABILITIES, DECISIONS = "labels", "probabilities", "decisions"
AT_ONCE = 4_000_000  # weights of pairs that are held at a time
_SCORE = "score"


def counts(rows: Rows, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each class the hits, and what F1 divides twice these by: float64 [k, K] each."""
    label, decision = (rows[name] > 0 for name in (LABELS, DECISIONS))
    return weights @ (label & decision).astype(np.float64), weights @ (label.astype(np.float64) + decision)


def _share(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.divide(2 * hits, sizes, out=np.full(np.shape(sizes), np.nan), where=sizes > 0)


class _OfClasses(Statistic):
    """A figure of several classes, of which 1 is all that can be."""

    def interval(self, rows):
        """Where every image is right no resample differs: Wilson's of as many images."""
        if self.value(rows) == 1.0 and count(rows) > 1:
            return intervals.share(count(rows), count(rows))
        return super().interval(rows)


@dataclass(frozen=True)
class F1(_OfClasses):
    """2 TP / (2 TP + FP + FN). No number where a class is neither there nor found."""

    average: str

    @property
    def columns(self):
        return (LABELS, DECISIONS)

    def weighted(self, rows, weights):
        hits, sizes = counts(rows, weights)
        if self.average == "micro":
            return _share(hits.sum(1), sizes.sum(1))
        return _mean_over_classes(_share(hits, sizes))


@dataclass(frozen=True)
class Area(_OfClasses):
    """Under the ROC curve. Of a class that all images have, or none, there is none."""

    average: str

    @property
    def columns(self):
        return (LABELS, PROBABILITIES)

    def weighted(self, rows, weights):
        if self.average == "macro":
            return _mean_over_classes(np.stack([Auroc(_SCORE).weighted(of_class, weights) for of_class in by_class(rows)], 1))
        classes = rows[LABELS].shape[1]
        pairs = {keys.LABEL: rows[LABELS].astype(np.int64).ravel(), _SCORE: rows[PROBABILITIES].ravel()}
        step = max(1, AT_ONCE // max(1, len(pairs[_SCORE])))
        parts = [weights[at : at + step] for at in range(0, len(weights), step)]
        return np.concatenate([Auroc(_SCORE).weighted(pairs, np.repeat(part, classes, axis=1)) for part in parts])


def by_class(rows: Rows) -> Iterator[Rows]:
    """Of each class {label: 0 or 1, score: its probability}."""
    for label, score in zip(rows[LABELS].T, rows[PROBABILITIES].T, strict=True):
        yield {keys.LABEL: label.astype(np.int64), _SCORE: score}


def of_classes(rows: Rows) -> list[dict[str, intervals.Figure]]:
    """Of each class its AUROC and F1, those that there are, with their intervals."""
    classes = []
    for place, rows_of_class in enumerate(by_class(rows)):
        alone = {name: rows[name][:, [place]] for name in (LABELS, DECISIONS)}
        statistics = {"auroc": (Auroc(_SCORE), rows_of_class), "f1": (F1("micro"), alone)}
        figures = {name: intervals.Figure(of.value(of_class), of.interval(of_class)) for name, (of, of_class) in statistics.items()}
        classes.append({name: figure for name, figure in figures.items() if np.isfinite(figure)})
    return classes


def _mean_over_classes(figures: np.ndarray) -> np.ndarray:
    """[k, K] -> [k], over those that are numbers; no number of none."""
    known = np.isfinite(figures)
    return np.divide(np.where(known, figures, 0).sum(1), known.sum(1), out=np.full(len(figures), np.nan), where=known.any(1))


STATISTICS: dict[str, Statistic] = {
    "macro_auroc": Area("macro"),
    "micro_auroc": Area("micro"),
    "macro_f1": F1("macro"),
    "micro_f1": F1("micro"),
}


class OfSets(metric_types.Metric):
    """One of STATISTICS, of the outputs `probabilities` and `decisions`, [K] each."""

    def __init__(self, figure: str, name: str = "of_sets"):
        super().__init__(metric_util.merge_per_key_computations(_of_sets), name=name, figure=figure)


class MeanOfSets(metric_types.Metric):
    """Mean over images of one of PER_IMAGE."""

    def __init__(self, figure: str, name: str = "mean_of_sets"):
        super().__init__(metric_util.merge_per_key_computations(_of_sets), name=name, figure=figure)


EPSILON = 1e-7  # Keras's: no probability is nearer to 0 or 1


def subset_accuracy(labels: np.ndarray, probabilities: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """[N]: 1 where an image has just the classes that were found."""
    return (labels == decisions).all(-1).astype(np.float64)


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray, decisions: np.ndarray) -> np.ndarray:
    """[N]: the mean over classes, clipped as Keras clips it."""
    clipped = np.clip(probabilities.astype(np.float64), EPSILON, 1 - EPSILON)
    return -np.mean(np.where(labels > 0, np.log(clipped), np.log1p(-clipped)), -1)


PER_IMAGE: dict[str, Callable] = {"subset_accuracy": subset_accuracy, "cross_entropy": cross_entropy}


def _of_sets(name, figure, model_name="", output_name="", **_):
    key = metric_types.MetricKey(name=name, model_name=model_name, output_name=output_name)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=_Sets(key, figure))]


class _Sets(beam.CombineFn):
    """Labels, probabilities and decisions, nine bytes a class and image."""

    def __init__(self, key: metric_types.MetricKey, figure: str):
        self._key, self._figure = key, figure

    def create_accumulator(self):
        return array("b"), array("f"), array("b"), [0]

    def add_input(self, accumulator, element):
        outputs = tfma.answers_of(element, self._key.model_name)
        label = np.ravel(element.get_by_key("labels", self._key.model_name))
        values = (label, outputs[PROBABILITIES], outputs[DECISIONS])
        for column, value in zip(accumulator, values, strict=False):
            column.extend(np.ravel(value).astype(column.typecode).tolist())
        accumulator[3][0] += 1
        return accumulator

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for columns in accumulators:
            for column, more in zip(merged[:3], columns[:3], strict=True):
                column.extend(more)
            merged[3][0] += columns[3][0]
        return merged

    def extract_output(self, accumulator):
        images = accumulator[3][0]
        if not images:
            return {self._key: float("nan")}
        labels, probabilities, decisions = (np.array(column).reshape(images, -1) for column in accumulator[:3])
        if self._figure in PER_IMAGE:
            return {self._key: float(PER_IMAGE[self._figure](labels, probabilities, decisions).mean())}
        rows = {LABELS: labels, PROBABILITIES: probabilities, DECISIONS: decisions}
        return {self._key: STATISTICS[self._figure].value(rows)}

"""TFMA metrics of a detector, against labels that say 1 for what is to be found: how its scores rank images, and what it decides.

TFMA's own AUC takes scores in [0, 1] alone and sorts them into 10,000 bins. Here scores are kept as they are, five bytes an image.
An image without a label counts for nothing; a figure that cannot be had, such as a ranking of one kind, is no number.
"""

from array import array
from collections.abc import Callable, Mapping

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.compat import tfma


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: the chance that an image of label 1 has a larger score than one of label 0. NaN with one kind."""
    from sklearn.metrics import roc_auc_score

    return _ranked(roc_auc_score, labels, scores)


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean of the precision over all places in the ranking where an image of label 1 stands. NaN with one kind."""
    from sklearn.metrics import average_precision_score

    return _ranked(average_precision_score, labels, scores)


def _ranked(figure: Callable[[np.ndarray, np.ndarray], float], labels: np.ndarray, scores: np.ndarray) -> float:
    return float(figure(labels, scores)) if len(set(labels)) == 2 and np.isfinite(scores).all() else float("nan")


RANKINGS = {"auroc": auroc, "average_precision": average_precision}
# of how many images there are by [label, decision]
COUNTS: Mapping[str, Callable[[np.ndarray], float]] = {
    "true_positives": lambda counts: counts[1, 1],
    "false_positives": lambda counts: counts[0, 1],
    "true_negatives": lambda counts: counts[0, 0],
    "false_negatives": lambda counts: counts[1, 0],
}
DECISIONS: Mapping[str, Callable[[np.ndarray], float]] = {
    "precision": lambda counts: counts[1, 1] / counts[:, 1].sum(),
    "recall": lambda counts: counts[1, 1] / counts[1].sum(),
    **COUNTS,
}


class Ranking(metric_types.Metric):
    """One of RANKINGS, of an output that is a score: the larger, the more an image is what is to be found."""

    def __init__(self, figure: str, output: str, name: str = "ranking"):
        super().__init__(metric_util.merge_per_key_computations(_ranking), name=name, figure=figure, output=output)


class Decision(metric_types.Metric):
    """One of DECISIONS, of an output that is 1 for what was found and 0 otherwise."""

    def __init__(self, figure: str, output: str, name: str = "decision"):
        super().__init__(metric_util.merge_per_key_computations(_decision), name=name, figure=figure, output=output)


def _ranking(name, figure, output, model_name="", output_name="", **_):
    return _computation(_Scores, name, figure, output, model_name, output_name)


def _decision(name, figure, output, model_name="", output_name="", **_):
    return _computation(_Counts, name, figure, output, model_name, output_name)


def _computation(combiner, name, figure, output, model_name, output_name):
    key = metric_types.MetricKey(name=name, model_name=model_name, output_name=output_name)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner(key, figure, output))]


class _Labelled(beam.CombineFn):
    """What both know of an image."""

    def __init__(self, key: metric_types.MetricKey, figure: str, output: str):
        self._key, self._figure, self._output = key, figure, output

    def _of(self, element) -> tuple[int, float] | None:
        """Label and output; None where TFMA found no label."""
        label = element.get_by_key("labels", self._key.model_name)
        if label is None or not np.size(label):
            return None
        value = tfma.answers_of(element, self._key.model_name)[self._output]
        return int(np.ravel(label)[0]), float(np.ravel(value)[0])


class _Scores(_Labelled):
    """All labels and scores."""

    def create_accumulator(self):
        return array("b"), array("f")

    def add_input(self, accumulator, element):
        for column, value in zip(accumulator, self._of(element) or (), strict=False):
            column.append(value)
        return accumulator

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for columns in accumulators:
            for column, more in zip(merged, columns, strict=True):
                column.extend(more)
        return merged

    def extract_output(self, accumulator):
        return {self._key: RANKINGS[self._figure](*map(np.array, accumulator))}


class _Counts(_Labelled):
    """How many images by [label, decision]."""

    def create_accumulator(self):
        return np.zeros((2, 2), np.int64)

    def add_input(self, accumulator, element):
        counted = self._of(element)
        if counted:
            accumulator[tuple(map(int, counted))] += 1
        return accumulator

    def merge_accumulators(self, accumulators):
        return sum(accumulators, self.create_accumulator())

    def extract_output(self, accumulator):
        with np.errstate(invalid="ignore"):  # 0 / 0: nothing was found, or nothing was to be found
            return {self._key: float(DECISIONS[self._figure](accumulator)) if accumulator.any() else float("nan")}

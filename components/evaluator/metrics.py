"""TFMA metrics that TFMA lacks, or computes at too high a price. Named by string in an EvalConfig, as Keras 3 exports need.

TFMA's own one-vs-rest precision, recall and AUC build 10,000-bin histograms for each class and slice: for ten classes they
took more than half of Evaluator's time (docs/evaluation.md). A confusion matrix of the top class costs next to nothing.
"""

import functools
import json
from collections.abc import Callable

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from components.codes.limits import LEAST
from components.compat import tfma
from components.evaluator.intervals import percentiles, resampled
from components.evaluator.psnr import decibels


class MacroF1(metric_types.Metric):
    """Unweighted mean over the classes that occur of F1 = 2 TP / (2 TP + FP + FN), by the most probable class; 0 to 1."""

    def __init__(self, name: str = "macro_f1"):
        super().__init__(metric_util.merge_per_key_computations(_macro_f1), name=name)


class MeanOfOutput(metric_types.Metric):
    """Mean over images of one scalar output of the signature. Needs no label (MeanPrediction without one is silently 0.0)."""

    def __init__(self, output: str, name: str = "mean"):
        super().__init__(metric_util.merge_per_key_computations(_mean_of_output), name=name, output=output)


class StandardErrorOfOutput(metric_types.Metric):
    """Standard error of that mean: the deviation over images / sqrt(images). Of an estimate with draws of each image's own it holds
    what these leave open too. No number of fewer than two images."""

    def __init__(self, output: str, name: str = "standard_error"):
        super().__init__(metric_util.merge_per_key_computations(_standard_error_of_output), name=name, output=output)


class MeanPsnr(metric_types.Metric):
    """Mean over images of 10 log10(1 / error) in dB, from a scalar output that is a mean squared error of values in [0, 1]."""

    def __init__(self, output: str, name: str = "psnr"):
        super().__init__(metric_util.merge_per_key_computations(_mean_psnr), name=name, output=output)


class MeanRatio(metric_types.Metric):
    """Mean over classes of the sum over images of one output by that of another, of the classes whose other is not 0: the mean
    intersection over union, where the outputs are the intersection and the union of each class, [K]."""

    def __init__(self, part: str, whole: str, name: str = "mean_ratio"):
        super().__init__(metric_util.merge_per_key_computations(_mean_ratio), name=name, part=part, whole=whole)


class ActiveUnits(metric_types.Metric):
    """How many numbers of a code vary over images: with a variance above 0.01 of the mean of q(z|x), Burda, Grosse & Salakhutdinov
    2016, ICLR, section 5.2. From an output that is that mean."""

    def __init__(self, output: str, name: str = "active_units"):
        super().__init__(metric_util.merge_per_key_computations(_active_units), name=name, output=output)


def _mean_of_output(name, output, model_name="", output_name="", **_):
    return _computation(name, model_name, output_name, _Mean, output, lambda error: error)


def _standard_error_of_output(name, output, model_name="", output_name="", **_):
    return _computation(name, model_name, output_name, _StandardError, output)


def _mean_psnr(name, output, model_name="", output_name="", **_):
    return _computation(name, model_name, output_name, _Mean, output, decibels)


def _mean_ratio(name, part, whole, model_name="", output_name="", **_):
    return _computation(name, model_name, output_name, _Ratio, part, whole)


def _active_units(name, output, model_name="", output_name="", **_):
    key, interval = (
        metric_types.MetricKey(name=called, model_name=model_name, output_name=output_name) for called in (name, f"{name}_interval")
    )
    combiner = _Active(key, interval, output)
    return [metric_types.MetricComputation(keys=[key, interval], preprocessors=None, combiner=combiner)]


def _macro_f1(name, eval_config=None, model_name="", output_name="", **_):
    return _computation(name, model_name, output_name, _Confusion, eval_config)


def _computation(name, model_name, output_name, combiner, *arguments):
    key = metric_types.MetricKey(name=name, model_name=model_name, output_name=output_name)
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner(key, *arguments))]


class _Mean(beam.CombineFn):
    """Sum and count of a scalar output."""

    def __init__(self, key: metric_types.MetricKey, output: str, change: Callable[[float], float]):
        self._key, self._output, self._change = key, output, change

    def create_accumulator(self):
        return 0.0, 0

    def add_input(self, accumulator, element):
        outputs = tfma.answers_of(element, self._key.model_name)
        if self._output not in outputs:
            return accumulator  # a figure that this model does not have
        values = outputs[self._output]
        total, count = accumulator
        return total + float(sum(self._change(float(v)) for v in np.ravel(values))), count + int(np.size(values))

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for total, count in accumulators:
            merged = merged[0] + total, merged[1] + count
        return merged

    def extract_output(self, accumulator):
        total, count = accumulator
        return {self._key: total / count if count else float("nan")}


class _Ratio(beam.CombineFn):
    """Sums over images of two outputs, float64 [2, K]."""

    def __init__(self, key: metric_types.MetricKey, part: str, whole: str):
        self._key, self._outputs = key, (part, whole)

    def create_accumulator(self):
        return np.zeros((2, 1))

    def add_input(self, accumulator, element):
        outputs = tfma.answers_of(element, self._key.model_name)
        if not set(self._outputs) <= outputs.keys():
            return accumulator  # a figure that this model does not have
        return accumulator + np.stack([np.ravel(outputs[name]).astype(np.float64) for name in self._outputs])

    def merge_accumulators(self, accumulators):
        return sum(accumulators, self.create_accumulator())

    def extract_output(self, accumulator):
        part, whole = accumulator
        there = whole > 0
        return {self._key: float(np.mean(part[there] / whole[there])) if there.any() else float("nan")}


class _Active(beam.CombineFn):
    """Count, mean and summed squares around it of each number of a code: Chan, Golub & LeVeque 1983, equations 1.5.

    Of GROUPS groups of images apart, dealt as they come: what resamples of the groups give is the interval, and memory does not
    grow with the number of images.
    """

    GROUPS = 64

    def __init__(self, key: metric_types.MetricKey, interval: metric_types.MetricKey, output: str):
        self._key, self._interval, self._output = key, interval, output

    def create_accumulator(self):
        return [(0, np.zeros(()), np.zeros(()))] * self.GROUPS

    def add_input(self, accumulator, element):
        code = np.ravel(tfma.answers_of(element, self._key.model_name)[self._output]).astype(np.float64)
        next_ = min(range(self.GROUPS), key=lambda group: accumulator[group][0])
        accumulator[next_] = _pooled(accumulator[next_], (1, code, np.zeros_like(code)))
        return accumulator

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for groups in accumulators:
            merged = list(map(_pooled, sorted(merged, key=lambda group: -group[0]), sorted(groups, key=lambda group: group[0])))
        return merged

    def extract_output(self, accumulator):
        count, mean, squares = functools.reduce(_pooled, accumulator)
        if not count:
            return {self._key: float("nan"), self._interval: b"[null, null]"}
        there = [(n, means - mean, around) for n, means, around in accumulator if n]
        counts, means, around = (np.array(column, np.float64) for column in zip(*there, strict=True))

        def active(weights: np.ndarray) -> np.ndarray:
            many = (weights @ counts)[:, None]
            center = weights @ (means * counts[:, None]) / many
            spread = weights @ (around + np.square(means) * counts[:, None]) / many - np.square(center)
            return np.sum(spread > LEAST, axis=1)

        interval = percentiles(resampled(active, len(counts)), is_count=True)
        return {self._key: float(np.sum(squares / count > LEAST)), self._interval: json.dumps(interval).encode()}


class _StandardError(beam.CombineFn):
    """Of the mean of a scalar output: count, mean and summed squares around it, pooled as those of _Active."""

    def __init__(self, key: metric_types.MetricKey, output: str):
        self._key, self._output = key, output

    def create_accumulator(self):
        return 0, np.zeros(()), np.zeros(())

    def add_input(self, accumulator, element):
        values = np.ravel(tfma.answers_of(element, self._key.model_name)[self._output]).astype(np.float64)
        return _pooled(accumulator, (1, values, np.zeros_like(values)))

    def merge_accumulators(self, accumulators):
        return functools.reduce(_pooled, accumulators, self.create_accumulator())

    def extract_output(self, accumulator):
        count, _, squares = accumulator
        return {self._key: float(np.sqrt(np.sum(squares) / (count - 1) / count)) if count > 1 else float("nan")}


def _pooled(ours, theirs):
    (n, mean, squares), (m, other_mean, others) = ours, theirs
    if not n + m:
        return ours
    apart = other_mean - mean
    return n + m, mean + apart * m / (n + m), squares + others + np.square(apart) * n * m / (n + m)


class _Confusion(beam.CombineFn):
    """Counts by (label, most probable class)."""

    def __init__(self, key: metric_types.MetricKey, eval_config):
        self._key, self._eval_config = key, eval_config

    def create_accumulator(self):
        return np.zeros((0, 0), np.int64)

    def add_input(self, accumulator, element):
        judged = metric_util.to_label_prediction_example_weight(
            element, eval_config=self._eval_config, model_name=self._key.model_name, flatten=False
        )
        for label, prediction, _ in judged:
            accumulator = _grown(accumulator, len(prediction))
            accumulator[int(np.ravel(label)[0]), int(np.argmax(prediction))] += 1
        return accumulator

    def merge_accumulators(self, accumulators):
        merged = self.create_accumulator()
        for counts in accumulators:
            merged = _grown(merged, len(counts))
            merged[: len(counts), : len(counts)] += counts
        return merged

    def extract_output(self, accumulator):
        hits = np.diag(accumulator)
        sizes = accumulator.sum(0) + accumulator.sum(1)
        return {self._key: float(np.mean(2 * hits[sizes > 0] / sizes[sizes > 0])) if sizes.any() else float("nan")}


def _grown(counts: np.ndarray, classes: int) -> np.ndarray:
    """A writable square of at least `classes` sides."""
    side = max(len(counts), classes)
    grown = np.zeros((side, side), np.int64)
    grown[: len(counts), : len(counts)] = counts
    return grown

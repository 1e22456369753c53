"""Which images are none of those that an autoencoder was trained on: around any task of reconstruction, as `anomaly:TASK`.

What is learned, and how, is TASK's. Here its models get a score for an image, a threshold for the score, and figures of both where
the data says which test images are anomalies (data.inliers). docs/anomalies.md has the formulas.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import keys, pooling, progress
from components.evaluator import detection, intervals
from components.evaluator.intervals import Figure
from components.evaluator.statistic import Auroc, AveragePrecision, Decision
from components.tasks import base
from components.tasks.base import Comparison, Extra, Metric, Signature
from components.tasks.reconstruction import task as reconstruction
from components.trainer.card import Card
from components.trainer.data import Data
from components.transform import placement
from configs.errors import HubelError, UsageError
from configs.schema.anomaly import AnomalyConfig

ELBO = "elbo"  # the figure of variational models
ANOMALIES, ANOMALIES_AT = "anomalies", "anomalies_at"
SCORE, DECISION = reconstruction.ANOMALY_SCORE, "is_anomaly"  # outputs
FIGURES = reconstruction.FIGURES
CALIBRATED = "anomaly"  # what the card has from here: {threshold, and for the latent distance mean and covariance}
LESS = ("false_positives", "false_negatives")
OF_BOTH = (*detection.RANKINGS, "precision")  # of what is found and what is not; a label's images are all of one kind

# float32 pixels [N, height, width, channels] in 0..255, int32 [N, 4] as of components.transform.placement -> float32 [N]
Score = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Codes = Callable[[tf.Tensor], tf.Tensor]  # such pixels -> float32 [N, k]


def check(task: base.Task, asked: AnomalyConfig) -> None:
    """Raise UsageError for a task whose models have no such score."""
    if not isinstance(task, reconstruction.Task):
        raise UsageError(
            "anomaly asks how an autoencoder sees an image, and this model is none.", "Take an autoencoder, or take anomaly out."
        )
    if asked.score == ELBO and ELBO not in task.metrics:
        raise UsageError(
            "anomaly.score elbo is a bound on log p(x), and this model is no density of images.",
            "Take a variational autoencoder, or another score.",
        )


_RANKINGS = {"auroc": Auroc, "average_precision": AveragePrecision}
_STATISTICS = {"Ranking": lambda figure, output: _RANKINGS[figure](output), "Decision": Decision}


def _metric(kind: str, figure: str, output: str) -> Metric:
    better, of_label = "less" if figure in LESS else "more", figure not in OF_BOTH
    config, is_count = {"figure": figure, "output": output}, figure in detection.COUNTS
    statistic = _STATISTICS[kind](figure, output)
    return Metric(kind, better, module=detection.__name__, config=config, of_label=of_label, is_count=is_count, statistic=statistic)


class Task(reconstruction.Task):
    """`super()` is the task that this one is around; see components.tasks."""

    label_key = keys.ANOMALY

    @property
    def targets(self):
        return (*super().targets, *placement.SIZE)

    @property
    def metrics(self):
        found = {name: _metric("Ranking", name, SCORE) for name in detection.RANKINGS}
        found |= {name: _metric("Decision", name, DECISION) for name in detection.DECISIONS}
        return {**found, **super().metrics}

    @property
    def compared(self):
        return ("auroc", *super().compared)

    def doubts(self, model):
        return []  # those of the task around which it is are of another bound

    def score(self, model: keras.Model, card: Card) -> Score:
        """What is larger the less an image is like those of training. docs/anomalies.md"""
        if card.anomaly.score == "latent_distance":
            distance = _distance(functools.partial(self.codes, model), card)
            return lambda pixels, placed: distance(pixels)
        if card.anomaly.score == ELBO:
            figures = super().figures(model, card)
            return lambda pixels, placed: -figures(pixels)[ELBO]
        return lambda pixels, placed: pooling.pooled(*reconstruction.error_map(model, pixels, placed), card.anomaly)

    def calibrate(self, model, data, card):
        found = super().calibrate(model, data, card)
        statistics = _statistics(functools.partial(self.codes, model), data) if card.anomaly.score == "latent_distance" else {}
        with_statistics = card.model_copy(update={"calibrated": {**found, CALIBRATED: statistics}})
        score = tf.function(self.score(model, with_statistics), reduce_retracing=True)
        scores, barred = [], 0
        for pixels, targets in data.validation:
            placed = placement.of_targets(targets, len(pixels), card.transform)
            scores.append(score(pixels, placed).numpy())
            barred += _barred(placed, card)
        scores = np.concatenate(scores)
        if barred and card.anomaly.score != "reconstruction_error":
            progress.emit(
                "warning",
                text=f"transform.resize: fit puts black bars around {barred} of {len(scores)} validation images, and "
                f"anomaly.score {card.anomaly.score} is of the bars too; reconstruction_error leaves them out",
            )
        threshold = float(np.quantile(scores, card.anomaly.quantile, method="higher"))  # one of them: none between two
        return {**found, CALIBRATED: {**statistics, "threshold": threshold}}

    def signatures(self, model, card):
        score, threshold = self.score(model, card), _threshold(card)

        def anomaly_score(pixels, placed):
            scores = score(pixels, placed)
            return {SCORE: scores, DECISION: scores > threshold}

        def anomalies(pixels, placed):
            return judged(pixels, placed, tf.fill(tf.shape(pixels)[:1], threshold))

        def anomalies_at(pixels, placed, threshold):
            # Everything would be normal by one that is no number.
            return judged(pixels, placed, tf.debugging.check_numerics(threshold, "a threshold must be a finite number"))

        def judged(pixels, placed, threshold):
            scores = score(pixels, placed)
            threshold = tf.broadcast_to(threshold, tf.shape(scores))
            errors, inside = reconstruction.error_map(model, pixels, placed)
            return {SCORE: scores, DECISION: scores > threshold, "threshold": threshold, "anomaly_map": errors * inside}

        at = Extra(tf.TensorSpec([None], tf.float32), lambda many: tf.fill([many], threshold))
        around = super().signatures(model, card)
        return {
            ANOMALIES: Signature(anomalies, placement=True),
            ANOMALIES_AT: Signature(anomalies_at, placement=True, extra={"threshold": at}),
            **around,
            FIGURES: replace(around[FIGURES], placement=True),  # of `figures` below
            SCORE: Signature(anomaly_score, placement=True),
        }

    def figures(self, model, card):
        plain, score, threshold = super().figures(model, card), self.score(model, card), _threshold(card)

        def figures(pixels, placed):
            scores = score(pixels, placed)
            return {**plain(pixels), SCORE: scores, DECISION: tf.cast(scores > threshold, tf.float32)}

        return figures

    def compare(self, model, card, images):
        kinds = _of_test(images, keys.ANOMALY)
        known = kinds >= 0
        if len(set(kinds[known])) < 2:  # nothing to part from something else
            return super().compare(model, card, images)
        code_size = reconstruction.size_of_code(model)
        name = reconstruction.principal(images, code_size).name
        errors = _of_principal(model, card, images)
        words = f"the error of {name} with the same code size of {code_size}, fitted on the training split"
        area = detection.auroc(kinds[known], errors[known])
        return [Comparison("auroc", area, words, "pca_auroc", yields=True, each={SCORE: errors})]

    def measure_labels(self, model, card, images):
        """And of each label that is no inlier, how its images alone rank among the inliers."""
        found = super().measure_labels(model, card, images)
        kinds, labels = _of_test(images, keys.ANOMALY), _of_test(images, keys.LABEL)
        strange = np.unique(labels[(kinds == 1) & (labels >= 0)])
        if not strange.size or not (kinds == 0).any():
            return found
        ranked = {"auroc": _served_scores(model, card, images), "pca_auroc": _of_principal(model, card, images)}
        for label in strange:
            chosen = (kinds == 0) | (labels == label)
            figures = {name: _area(kinds[chosen], scores[chosen]) for name, scores in ranked.items()}
            finite = {name: figure for name, figure in figures.items() if np.isfinite(figure)}
            found[int(label)] = {**finite, **found.get(int(label), {})}
        return found


def _area(kinds: np.ndarray, scores: np.ndarray) -> Figure:
    return Figure(detection.auroc(kinds, scores), intervals.auroc(kinds, scores))


def _of_test(images: Callable[[str], tf.data.Dataset], name: str) -> np.ndarray:
    """What the test images are labelled with, int64 [N]."""
    return np.concatenate([targets[name] for _, targets in images(keys.TEST).as_numpy_iterator()])


def _of_principal(model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> np.ndarray:
    """The scores of the test images by PCA with as many components as the model's code has numbers: float32 [N]. Its errors are
    pooled as the model's."""
    principal, scores = reconstruction.principal(images, reconstruction.size_of_code(model)), []
    for pixels, targets in images(keys.TEST).as_numpy_iterator():
        unit = pixels / 255.0
        made = principal.images(principal.codes(unit)).reshape(unit.shape)
        errors = np.square(unit - made).mean(3, keepdims=True, dtype=np.float64).astype(np.float32)
        inside = placement.inside(placement.of_targets(targets, len(pixels), card.transform), *unit.shape[1:3])
        scores.append(pooling.pooled(tf.constant(errors), inside, card.anomaly).numpy())
    return np.concatenate(scores)


def _served_scores(model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> np.ndarray:
    """What the SavedModel answers about the test images: float32 [N]."""
    answer = tf.saved_model.load(str(model)).signatures[f"{FIGURES}_{keys.PIXELS}"]
    scores = []
    for pixels, targets in images(keys.TEST).as_numpy_iterator():
        scores.append(np.empty(len(pixels), np.float32))
        for rows, bare in _without_bars(pixels, placement.of_targets(targets, len(pixels), card.transform).numpy()):
            scores[-1][rows] = answer(pixels=tf.constant(bare))[SCORE].numpy()
    return np.concatenate(scores)


def _without_bars(pixels: np.ndarray, placed: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Groups of a batch: which images, and these without what was put around them, which `fit` puts there again as it was."""
    places, groups = np.unique(placed, axis=0, return_inverse=True)
    for group, (top, left, height, width) in enumerate(places):
        rows = groups.reshape(-1) == group
        yield rows, pixels[rows, top : top + height, left : left + width]


def _barred(placed: tf.Tensor, card: Card) -> int:
    """How many of the images do not fill the model's input."""
    return int(np.sum(np.any(placed[:, 2:].numpy() < [card.transform.height, card.transform.width], 1)))


def _threshold(card: Card) -> float:
    return card.calibrated[CALIBRATED]["threshold"]


def _statistics(codes: Codes, data: Data) -> dict:
    """Mean [k] and covariance [k, k] of the training images' codes, shrunk towards a multiple of the identity by the share that is
    best for this many images: Ledoit & Wolf 2004, Journal of Multivariate Analysis 88(2), section 3.3."""
    from sklearn.covariance import ledoit_wolf

    codes = tf.function(codes, reduce_retracing=True)
    rows = np.concatenate([codes(pixels).numpy().astype(np.float64) for pixels, _ in data.plain])
    covariance, _ = ledoit_wolf(rows)
    if not covariance.any():
        raise HubelError(
            "The code is the same for each training image, so no distance between codes means anything.",
            "Train longer, or take another score.",
        )
    return {"mean": rows.mean(0).tolist(), "covariance": covariance.tolist()}


def _distance(codes: Codes, card: Card) -> Score:
    """sqrt((z - mean)^T covariance^-1 (z - mean)): |L^-1 (z - mean)| with covariance = L L^T."""
    found = card.calibrated[CALIBRATED]
    whitening = np.linalg.inv(np.linalg.cholesky(found["covariance"])).T.astype(np.float32)
    mean = np.asarray(found["mean"], np.float32)
    return lambda pixels: tf.norm((codes(pixels) - mean) @ whitening, axis=1)

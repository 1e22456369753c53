"""Which images are none of those that a model was trained on: around any task whose models say where an image is unlike them, those
of reconstruction and those of patches, as `anomaly:TASK`.

What is learned, and how, is TASK's. Here its models get a score for an image and a threshold for it; docs/anomalies.md has the
formulas.
"""

import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from components import pooling, progress
from components.tasks import base
from components.tasks.around import Around
from components.tasks.base import Extra, Signature
from components.tasks.reconstruction.names import ANOMALY_SCORE, FIGURES
from components.trainer.card import Card
from components.trainer.data import Data
from components.transform import placement
from configs.errors import HubelError, UsageError
from configs.schema.anomaly import AnomalyConfig

ELBO = "elbo"  # the figure of variational models
ANOMALIES, ANOMALIES_AT = "anomalies", "anomalies_at"
SCORE, DECISION, MAP = ANOMALY_SCORE, "is_anomaly", "anomaly_map"  # outputs
CALIBRATED = "anomaly"  # what the card has from here: {threshold, and for the latent distance mean and covariance}

# float32 pixels [N, height, width, channels] in 0..255, int32 [N, 4] as of components.transform.placement -> float32 [N]
Score = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
Codes = Callable[[tf.Tensor], tf.Tensor]  # such pixels -> float32 [N, k]


def check(task: base.Task, asked: AnomalyConfig) -> None:
    """Raise UsageError for a task whose models have no such score."""
    scores = getattr(task, "anomaly_scores", ())
    if not scores:
        raise UsageError(
            "anomaly asks how an autoencoder, or a detector by patches, sees an image, and this model is none.",
            "Take an autoencoder, or take anomaly out.",
        )
    if asked.score not in scores:
        raise UsageError(
            "anomaly.score elbo is a bound on log p(x), and this model is no density of images.",
            "Take a variational autoencoder, or another score.",
        )


class Task(Around):
    """Around a task with `anomaly_scores`, which `check` sees to."""

    @property
    def targets(self):
        return (*self.inner.targets, *placement.SIZE)

    def doubts(self, model):
        return []  # those of the task around which it is are of another bound

    def score(self, model: keras.Model, card: Card) -> Score:
        """What is larger the less an image is like those of training. docs/anomalies.md"""
        if card.anomaly.score == "feature_distance":
            return lambda pixels, placed: self.inner.distance(model, pixels, placed)
        if card.anomaly.score == "latent_distance":
            distance = _distance(functools.partial(self.inner.codes, model), card)
            return lambda pixels, placed: distance(pixels)
        if card.anomaly.score == ELBO:
            figures = self.inner.figures(model, card)
            return lambda pixels, placed: -figures(pixels)[ELBO]
        return lambda pixels, placed: pooling.pooled(*self.inner.strangeness(model, pixels, placed), card.anomaly)

    def calibrate(self, model, data, card):
        of_inner = self.inner.calibrate(model, data, card)
        has_distance = card.anomaly.score == "latent_distance"
        statistics = _statistics(functools.partial(self.inner.codes, model), data) if has_distance else {}
        with_statistics = card.model_copy(update={"calibrated": {**of_inner, CALIBRATED: statistics}})
        score = tf.function(self.score(model, with_statistics), reduce_retracing=True)
        scores, barred = [], 0
        for pixels, targets in data.validation:
            placed = placement.of_targets(targets, len(pixels), card.transform)
            scores.append(score(pixels, placed).numpy())
            barred += _barred(placed, card)
        scores = np.concatenate(scores)
        if barred and card.anomaly.score in ("latent_distance", ELBO):
            progress.emit(
                "warning",
                text=f"transform.resize: fit puts black bars around {barred} of {len(scores)} validation images, and "
                f"anomaly.score {card.anomaly.score} is of the bars too; reconstruction_error leaves them out",
            )
        threshold = float(np.quantile(scores, card.anomaly.quantile, method="higher"))  # one of them: none between two
        return {**of_inner, CALIBRATED: {**statistics, "threshold": threshold}}

    def signatures(self, model, card):
        score, threshold = self.score(model, card), _threshold(card)
        own = threshold  # what maps are drawn by, whatever a request brings

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
            errors, inside = self.inner.strangeness(model, pixels, placed)
            return {
                SCORE: scores,
                DECISION: scores > threshold,
                "threshold": threshold,
                MAP: self.inner.drawn(errors, own) * inside,
            }

        scored = {SCORE: "anomaly_score", DECISION: "is_anomaly"}
        mapped = {**scored, "threshold": "threshold", MAP: "heat"}
        at = Extra(tf.TensorSpec([None], tf.float32), lambda many: tf.fill([many], threshold))
        inner = self.inner.signatures(model, card)
        return {
            ANOMALIES: Signature(anomalies, gives=mapped, placement=True),
            ANOMALIES_AT: Signature(anomalies_at, gives=mapped, placement=True, extra={"threshold": at}),
            **inner,
            FIGURES: Signature(self.figures(model, card), placement=True),
            SCORE: Signature(anomaly_score, gives=scored, placement=True),
        }

    def figures(self, model: keras.Model, card: Card) -> Score:
        """What the metrics are made of: as the inner task's, and with score and decision, of pixels and where the image lies."""
        plain, score, threshold = self.inner.figures(model, card), self.score(model, card), _threshold(card)

        def figures(pixels, placed):
            scores = score(pixels, placed)
            return {**plain(pixels), SCORE: scores, DECISION: tf.cast(scores > threshold, tf.float32)}

        return figures


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
    statistics = card.calibrated[CALIBRATED]
    whitening = np.linalg.inv(np.linalg.cholesky(statistics["covariance"])).T.astype(np.float32)
    mean = np.asarray(statistics["mean"], np.float32)
    return lambda pixels: tf.norm((codes(pixels) - mean) @ whitening, axis=1)

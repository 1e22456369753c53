"""Which images are none of those that an autoencoder was trained on: around any task of reconstruction, as `anomaly:TASK`.

What is learned, and how, is TASK's. Here its models get a score for an image, a threshold for the score, and figures of both where
the data says which test images are anomalies (data.inliers). docs/anomalies.md has the formulas.
"""

import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator import detection
from components.tasks import base, reconstruction
from components.tasks.base import Comparison, Extra, Metric, Signature
from components.tasks.reconstruction import mean_squared_error
from components.trainer.card import Card
from components.trainer.data import Data
from configs.errors import HubelError, UsageError
from configs.schema import AnomalyConfig

ELBO = "elbo"  # the figure of variational models
ANOMALIES, ANOMALIES_AT = "anomalies", "anomalies_at"
SCORE, DECISION = reconstruction.ANOMALY_SCORE, "is_anomaly"  # outputs
CALIBRATED = "anomaly"  # what the card has from here: {threshold, and for the latent distance mean and covariance}
LESS = ("false_positives", "false_negatives")
OF_BOTH = (*detection.RANKINGS, "precision")  # of what is found and what is not; a label's images are all of one kind

Score = Callable[[tf.Tensor], tf.Tensor]  # float32 pixels [N, height, width, channels] in 0..255 -> float32 [N]
Codes = Callable[[tf.Tensor], tf.Tensor]  # the same -> float32 [N, k]


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


def _metric(kind: str, figure: str, output: str) -> Metric:
    better, of_label = "less" if figure in LESS else "more", figure not in OF_BOTH
    return Metric(kind, better, module=detection.__name__, config={"figure": figure, "output": output}, of_label=of_label)


class Task(reconstruction.Task):
    """`super()` is the task that this one is around; see components.tasks."""

    label_key = keys.ANOMALY

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
            return _distance(functools.partial(self.codes, model), card)
        if card.anomaly.score == ELBO:
            figures = super().figures(model, card)
            return lambda pixels: -figures(pixels)[ELBO]
        return lambda pixels: mean_squared_error(pixels / 255.0, model(pixels, training=False))

    def calibrate(self, model, data, card):
        found = super().calibrate(model, data, card)
        statistics = _statistics(functools.partial(self.codes, model), data) if card.anomaly.score == "latent_distance" else {}
        with_statistics = card.model_copy(update={"calibrated": {**found, CALIBRATED: statistics}})
        score = tf.function(self.score(model, with_statistics), reduce_retracing=True)
        scores = np.concatenate([score(pixels).numpy() for pixels, _ in data.validation])
        threshold = float(np.quantile(scores, card.anomaly.quantile, method="higher"))  # one of them: none between two
        return {**found, CALIBRATED: {**statistics, "threshold": threshold}}

    def signatures(self, model, card):
        score, threshold = self.score(model, card), _threshold(card)

        def anomaly_score(pixels):
            scores = score(pixels)
            return {SCORE: scores, DECISION: scores > threshold}

        def anomalies(pixels):
            return judged(pixels, tf.fill(tf.shape(pixels)[:1], threshold))

        def anomalies_at(pixels, threshold):
            # Everything would be normal by one that is no number.
            return judged(pixels, tf.debugging.check_numerics(threshold, "a threshold must be a finite number"))

        def judged(pixels, threshold):
            scores = score(pixels)
            threshold = tf.broadcast_to(threshold, tf.shape(scores))
            errors = tf.square(pixels / 255.0 - model(pixels, training=False))
            return {
                SCORE: scores,
                DECISION: scores > threshold,
                "threshold": threshold,
                "anomaly_map": tf.reduce_mean(errors, axis=3, keepdims=True),
            }

        at = Extra(tf.TensorSpec([None], tf.float32), lambda many: tf.fill([many], threshold))
        return {
            ANOMALIES: Signature(anomalies),
            ANOMALIES_AT: Signature(anomalies_at, extra={"threshold": at}),
            **super().signatures(model, card),
            SCORE: Signature(anomaly_score),
        }

    def figures(self, model, card):
        plain, score, threshold = super().figures(model, card), self.score(model, card), _threshold(card)

        def figures(pixels):
            scores = score(pixels)
            return {**plain(pixels), SCORE: scores, DECISION: tf.cast(scores > threshold, tf.float32)}

        return figures

    def compare(self, model, card, images):
        labels = np.concatenate([targets[keys.ANOMALY] for _, targets in images(keys.TEST).as_numpy_iterator()])
        known = labels >= 0
        if len(set(labels[known])) < 2:  # nothing to part from something else
            return super().compare(model, card, images)
        code_size = reconstruction.size_of_code(model)
        principal = reconstruction.principal(images, code_size)
        errors = np.concatenate([principal.errors(batch) for batch in reconstruction.unit(images(keys.TEST))])
        words = f"the error of {principal.name} with the same code size of {code_size}, fitted on the training split"
        return [Comparison("auroc", detection.auroc(labels[known], errors[known]), words, "pca_auroc", yields=True)]


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

"""One of K classes for an image."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from components import keys, progress, temperature
from components.tasks import base
from components.tasks.base import Signature
from components.temperature import LEAST_PROBABILITY as LEAST
from components.trainer.card import Card
from components.transform import crops
from components.transform.pixels import resize
from configs.errors import HubelError

TEMPERATURE = "temperature"  # what the card has from here


class Task(base.Task):
    """Models map an image to K logits; loss is the cross-entropy of their softmax."""

    targets = (keys.LABEL,)
    instead = {keys.LABELS: "multilabel"}
    classes = 2
    better = {**base.Task.better, "accuracy": "max"}
    crops = True
    temperature = True
    averages = True

    def check(self, info):
        if len(info.class_names) < self.classes:
            has = f"one class, {info.class_names[0]!r}" if info.class_names else "none"
            raise HubelError(
                f"Classification needs labels of at least {self.classes} classes, and this data has {has}.",
                "Use data with labels, or an autoencoder.",
            )

    def mix(self, targets, partners, kept, info):
        """Labels become probabilities, float32 [N, K]: `kept` of an image's own and the rest of its partner's."""
        own, other = (_probabilities(part[keys.LABEL], info) for part in (targets, partners))
        return {**targets, keys.LABEL: kept[:, None] * own + (1 - kept[:, None]) * other}

    def smooth(self, targets, share, info):
        """Labels become probabilities, float32 [N, K]: (1 - share) q + share / K. Szegedy et al. 2016, section 7."""
        return {**targets, keys.LABEL: (1 - share) * _probabilities(targets[keys.LABEL], info) + share / len(info.class_names)}

    def pair(self, pixels, targets):
        return pixels, targets[keys.LABEL]

    def compile(self, model, make):
        model.compile(make(), loss=cross_entropy, metrics=[keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")])

    def class_weight(self, data):
        """n / (k n_c), as scikit-learn's "balanced": k classes have images. A class without any gets 1, which nothing uses."""
        labels = np.concatenate([targets[keys.LABEL] for _, targets in data.plain.as_numpy_iterator()])
        counts = np.bincount(labels, minlength=len(data.info.class_names))
        balanced = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return {index: float(weight) if counts[index] else 1.0 for index, weight in enumerate(balanced)}

    def calibrate(self, model, data, card):
        """With export.temperature the temperature of what is served: `auto`, the one that suits the validation split best."""
        asked = card.export.temperature
        if asked != "auto":
            return {} if asked is None else {TEMPERATURE: asked}
        answer = tf.function(averaged(model, card), reduce_retracing=True)
        rows = [(targets[keys.LABEL].numpy(), answer(enlarged(pixels, card)).numpy()) for pixels, targets in data.validation]
        labels, probabilities = (np.concatenate(column) for column in zip(*rows, strict=True))
        known = labels >= 0
        value = temperature.fit(labels[known], probabilities[known]) if known.any() else None
        if why := "none of them has a label" if value is None else temperature.held_by_nothing(value):
            progress.emit("warning", text=f"export.temperature: the validation images tell none, {why}; answers are as they are.")
            return {}
        progress.emit("note", text=f"served at temperature {value:.4g}, fitted on {int(known.sum()):,} validation images")
        return {TEMPERATURE: value}

    def signatures(self, model, card):
        names = tf.constant(card.class_names)
        top = min(card.export.top_k, len(card.class_names))
        of_classes, at = averaged(model, card), card.calibrated.get(TEMPERATURE)

        def answered(pixels):
            probabilities = of_classes(pixels)
            return probabilities if at is None else tf.nn.softmax(tf.math.log(tf.maximum(probabilities, LEAST)) / at)

        def predict(pixels):
            probabilities = answered(pixels)
            best = tf.math.top_k(probabilities, top)
            return {"probabilities": probabilities, "classes": tf.gather(names, best.indices), "scores": best.values}

        def classify(pixels):
            """TF Serving's Classify: all classes, in label order."""
            scores = answered(pixels)
            return {"classes": tf.tile(names[None], [tf.shape(scores)[0], 1]), "scores": scores}

        named = {"classes": "names", "scores": "scores"}
        return {
            keys.SERVING_DEFAULT: Signature(predict, gives={"probabilities": "probabilities", **named}),
            keys.CLASSIFY: Signature(classify, gives=named),
        }


def averaged(model: keras.Model, card: Card) -> Callable[[tf.Tensor], tf.Tensor]:
    """Pixels of `card.seen` -> float32 [N, K], the mean over crops, before any temperature."""

    def of(pixels):
        [probabilities] = served(lambda views: [model(views, training=False)], pixels, card)
        return probabilities

    return of


def enlarged(pixels: tf.Tensor, card: Card) -> tf.Tensor:
    """Validation's pixels in the size that signatures get, larger with crops; these are then finer."""
    return pixels if card.export.crops is None else resize(pixels, card.seen)


def served(logits: Callable[[tf.Tensor], Sequence[tf.Tensor]], pixels: tf.Tensor, card: Card) -> list[tf.Tensor]:
    """What networks of the card's classes answer, the mean over `export.crops`: float32 [N, K] each.

    Args:
        logits: float32 pixels [N, height, width, channels] in 0..255 -> [N, K] of each network.
        pixels: the same of the size that is cropped, see components.transform.crops.enlarged.
    """
    views = crops.cut(pixels, card.export.crops, card.transform)
    each = logits(tf.reshape(views, [-1, *views.shape[2:]]))
    return [tf.reduce_mean(tf.reshape(tf.nn.softmax(of), [views.shape[0], -1, len(card.class_names)]), 0) for of in each]


@keras.saving.register_keras_serializable("hubel")
def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """[N], of logits [N, K] with classes [N] or, mixed or smoothed, probabilities [N, K]: validation never has these."""
    if _are_probabilities(labels, logits):
        return keras.losses.categorical_crossentropy(labels, logits, from_logits=True)
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@keras.saving.register_keras_serializable("hubel")
def accuracy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """[N]: 1 where the largest logit is the class, of mixed images the one of most weight. See cross_entropy."""
    if _are_probabilities(labels, logits):
        return keras.metrics.categorical_accuracy(labels, logits)
    return keras.metrics.sparse_categorical_accuracy(labels, logits)


def _probabilities(labels, info):
    return tf.one_hot(labels, len(info.class_names)) if labels.dtype.is_integer else labels  # floats: mixed before


def _are_probabilities(labels, logits):
    return len(labels.shape) == 2 and labels.shape[-1] == logits.shape[-1]

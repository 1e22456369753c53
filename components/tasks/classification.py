"""One of K classes for an image."""

import keras
import tensorflow as tf

from components import keys
from components.tasks import base
from components.tasks.base import Metric, Signature
from configs.errors import HubelError


class Task(base.Task):
    """Models map an image to K logits; loss is the cross-entropy of their softmax."""

    targets = (keys.LABEL,)
    label_key = keys.LABEL
    prediction_key = "probabilities"
    signature = keys.SERVING_DEFAULT
    metrics = {
        "accuracy": Metric("SparseCategoricalAccuracy", "more"),
        "cross_entropy": Metric("SparseCategoricalCrossentropy", "less"),
        "macro_f1": Metric("MacroF1", "more", module="components.evaluator.metrics"),
    }

    def check(self, facts):
        if not facts.class_names:
            raise HubelError("Classification needs labels, and this data has none.", "Use data with labels, or an autoencoder.")

    def pair(self, pixels, targets):
        return pixels, targets[keys.LABEL]

    def compile(self, model, chosen):
        model.compile(chosen, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])

    def signatures(self, model, card):
        names = tf.constant(card.class_names)
        top = min(card.export.top_k, len(card.class_names))

        def predict(pixels):
            probabilities = tf.nn.softmax(model(pixels, training=False))
            best = tf.math.top_k(probabilities, top)
            return {"probabilities": probabilities, "classes": tf.gather(names, best.indices), "scores": best.values}

        def classify(pixels):
            """TF Serving's Classify: all classes, in label order."""
            scores = tf.nn.softmax(model(pixels, training=False))
            return {"classes": tf.tile(names[None], [tf.shape(scores)[0], 1]), "scores": scores}

        return {keys.SERVING_DEFAULT: Signature(predict), keys.CLASSIFY: Signature(classify)}

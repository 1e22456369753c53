"""Which of K classes an image has: several, one or none, each decided by itself."""

import keras
import numpy as np
import tensorflow as tf

from components import keys, progress
from components.tasks import base
from components.tasks.base import Signature
from components.tasks.classification import enlarged
from components.transform import crops
from configs.errors import HubelError

THRESHOLDS = "thresholds"  # what the card has from here: one for each class
UNKNOWN = 0.5  # the threshold of a class that validation says nothing of
SHOWN = 5  # classes that a warning names
PROBABILITIES, DECISIONS = "probabilities", "decisions"  # outputs, in label order


class Task(base.Task):
    """Models map an image to K logits; loss is the mean over classes of the cross-entropy of their sigmoid."""

    targets = (keys.LABELS,)
    better = {**base.Task.better, "binary_accuracy": "max"}
    crops = True

    def check(self, info):
        if len(info.class_names) < 2:
            raise HubelError(
                "This model learns which of several classes an image has, and this data has no such labels.",
                "Name the columns of the classes: data.features: {labels: [COLUMN, COLUMN, ...]}",
            )

    def mix(self, targets, partners, kept, info):
        """Labels become probabilities, float32 [N, K]: `kept` of an image's own and the rest of its partner's."""
        own, other = (tf.cast(part[keys.LABELS], tf.float32) for part in (targets, partners))
        return {**targets, keys.LABELS: kept[:, None] * own + (1 - kept[:, None]) * other}

    def smooth(self, targets, share, info):
        """Each label by itself: (1 - share) q + share / 2, of its two classes. Szegedy et al. 2016, section 7."""
        return {**targets, keys.LABELS: (1 - share) * tf.cast(targets[keys.LABELS], tf.float32) + share / 2}

    def pair(self, pixels, targets):
        return pixels, tf.cast(targets[keys.LABELS], tf.float32)

    def compile(self, model, make):
        accuracy = keras.metrics.BinaryAccuracy("binary_accuracy", threshold=0.0)
        loss = cross_entropy if self.weights else keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(make(), loss=loss, metrics=[accuracy])

    def class_weight(self, data):
        """Place of a class -> what having it and not having it count for: n / (2 n_1) and n / (2 n_0), as scikit-learn's "balanced"
        of these two. Where all images have it, or none, both are 1."""
        labels = np.concatenate([targets[keys.LABELS] for _, targets in data.plain.as_numpy_iterator()])
        counts = labels.sum(0)
        return {
            place: (len(labels) / (2 * count), len(labels) / (2 * (len(labels) - count))) if 0 < count < len(labels) else (1.0, 1.0)
            for place, count in enumerate(counts.tolist())
        }

    def weigh(self, targets, weights):
        """float32 [N, K]. Of a smoothed label that which it was."""
        having, lacking = (tf.constant(of, tf.float32) for of in zip(*weights.values(), strict=True))
        return tf.where(targets > 0.5, having, lacking)

    def calibrate(self, model, data, card):
        """For each class the threshold of the largest F1 in the validation split, halfway between two of its probabilities."""
        answer = tf.function(self._probabilities(model, card), reduce_retracing=True)
        probabilities, labels = [], []
        for pixels, targets in data.validation:
            probabilities.append(answer(enlarged(pixels, card)).numpy())
            labels.append(targets[keys.LABELS].numpy())
        thresholds = [threshold(*pair) for pair in zip(np.concatenate(labels).T, np.concatenate(probabilities).T, strict=True)]
        unknown = [name for name, value in zip(card.class_names, thresholds, strict=True) if value is None]
        if unknown:
            more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
            progress.emit(
                "warning",
                text=f"no validation image has {', '.join(unknown[:SHOWN])}{more}, so nothing says from which probability on it is "
                f"there; {UNKNOWN} is taken",
            )
        return {THRESHOLDS: [UNKNOWN if value is None else value for value in thresholds]}

    def _probabilities(self, model, card):
        """Pixels of `card.seen` -> float32 [N, K], the mean over crops."""

        def probabilities(pixels):
            views = crops.cut(pixels, card.export.crops, card.transform)
            logits = model(tf.reshape(views, [-1, *views.shape[2:]]), training=False)
            return tf.reduce_mean(tf.reshape(tf.sigmoid(logits), [views.shape[0], -1, len(card.class_names)]), 0)

        return probabilities

    def signatures(self, model, card):
        names, thresholds = tf.constant(card.class_names), tf.constant(card.calibrated[THRESHOLDS], tf.float32)
        probabilities = self._probabilities(model, card)

        def predict(pixels):
            """All classes, the most probable first, and which of them the image has; decisions stand in label order."""
            of_classes = probabilities(pixels)
            order = tf.argsort(of_classes, direction="DESCENDING", stable=True)
            on = of_classes > thresholds
            return {
                PROBABILITIES: of_classes,
                "classes": tf.gather(names, order),
                "scores": tf.gather(of_classes, order, batch_dims=1),
                "on": tf.gather(on, order, batch_dims=1),
                DECISIONS: on,
            }

        def classify(pixels):
            """TF Serving's Classify: all classes, in label order."""
            scores = probabilities(pixels)
            return {"classes": tf.tile(names[None], [tf.shape(scores)[0], 1]), "scores": scores}

        named = {"classes": "names", "scores": "scores"}
        every = {PROBABILITIES: "probabilities", **named, "on": "flags", DECISIONS: "decisions"}
        return {  # what rounding may put in another order, or on the other side of a threshold, follows from the probabilities
            keys.SERVING_DEFAULT: Signature(predict, gives=every, compared=(PROBABILITIES,)),
            keys.CLASSIFY: Signature(classify, gives=named),
        }


@keras.saving.register_keras_serializable("hubel")
def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """[N, K]: of each class by itself, so that each may count for something else; their mean is Keras's loss."""
    return keras.ops.binary_crossentropy(labels, logits, from_logits=True)


def threshold(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Above it a class is there so that F1 is largest: Lipton, Elkan & Naryanaswamy 2014, ECML PKDD. None where no image has it.

    Args:
        labels: 0 or 1, [N]. probabilities: [N].
    """
    from sklearn.metrics import precision_recall_curve

    if not labels.any():
        return None
    precision, recall, levels = precision_recall_curve(labels, probabilities)
    hits = precision[:-1] + recall[:-1]
    f1 = np.divide(2 * precision[:-1] * recall[:-1], hits, out=np.zeros_like(hits), where=hits > 0)
    best = int(np.argmax(f1))
    below = levels[best - 1] if best else 0.0
    return float((levels[best] + below) / 2)

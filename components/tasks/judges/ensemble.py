"""Ensembles of classifiers, judged as classifiers, and beside the best of these."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from components import keys
from components.tasks.classification import served
from components.tasks.judges import classification
from components.tasks.judges.base import Comparison
from components.trainer import artifact
from components.trainer.card import Card
from keras_models import normalize

BEST = "best_member"  # the figures of the member that is right most often


class Judge(classification.Judge):
    """See classification.Judge."""

    def compare(self, model, card, images):
        """With the member that is right most often of the test images, which flatters it: no bound."""
        answers, batches = _members(artifact.load(str(model.parent)), card), [[] for _ in card.members]
        for pixels, targets in images(keys.TEST):
            labels = targets[keys.LABEL].numpy()
            for of_member, probabilities in zip(batches, answers(pixels), strict=True):
                of_member.append(self._columns(probabilities.numpy(), labels))
        columns = [{name: np.concatenate([of[name] for of in parts]) for name in parts[0]} for parts in batches]
        best = max(range(len(columns)), key=lambda place: _merit(columns[place]))
        words = f"{list(card.members)[best]}, the best of its {len(columns)} members"
        return [
            Comparison(name, metric.statistic.value(columns[best]), words, f"{BEST}_{name}", each=columns[best], is_bound=False)
            for name, metric in self.metrics.items()
        ]

    def _columns(self, probabilities: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        """What `each` says of images, [N] by name, and their labels."""
        answered = zip(probabilities, labels.tolist(), strict=True)
        rows = [self.each({self.prediction_key: row}, label) for row, label in answered]
        return {keys.LABEL: labels, **{name: np.array([row[name] for row in rows]) for name in rows[0]}}


def _merit(columns: Mapping[str, np.ndarray]) -> tuple[float, float]:
    return columns["correct"].mean(), -columns["cross_entropy"].mean()


def _members(model: keras.Model, card: Card) -> Callable[[tf.Tensor], Sequence[tf.Tensor]]:
    """Pixels, as of classification.served -> what each member answers: float32 [N, K] each."""
    net = normalize.inner(model)
    image = keras.Input(net.input_shape[1:])
    each = keras.Model(image, [net.get_layer(f"member{number}")(image) for number in range(1, len(card.members) + 1)])

    @tf.function(reduce_retracing=True)
    def answers(pixels):
        return served(lambda views: each(model.get_layer("normalize")(views), training=False), pixels, card)

    return answers

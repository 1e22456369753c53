"""Classifiers, judged by the probability of the label."""

import numpy as np

from components import keys
from components.evaluator.statistic import MacroF1, Mean, Share
from components.tasks.judges import base
from components.tasks.judges.base import Metric

CLIPPED = 1e-7  # Keras's epsilon: no probability is nearer to 0 or 1


class Judge(base.Judge):
    """Reads all classes' probabilities."""

    signature = keys.SERVING_DEFAULT
    prediction_key = "probabilities"
    label_key = keys.LABEL
    may_lose = {"accuracy": 0.01}
    metrics = {
        "accuracy": Metric("SparseCategoricalAccuracy", "more", statistic=Share("correct")),
        "cross_entropy": Metric("SparseCategoricalCrossentropy", "less", statistic=Mean("cross_entropy", least=0.0)),
        "macro_f1": Metric("MacroF1", "more", module="components.evaluator.metrics", of_label=False, statistic=MacroF1()),
    }

    def each(self, outputs, label):
        """Whether the most probable class is the label, that class, and -log p(label), clipped as Keras clips it."""
        probabilities = np.ravel(outputs[self.prediction_key]).astype(np.float64)
        clipped = np.clip(probabilities, CLIPPED, 1 - CLIPPED)
        predicted, is_known = int(np.argmax(probabilities)), 0 <= label < len(probabilities)
        loss = np.log(clipped.sum()) - np.log(clipped[label]) if is_known else np.nan
        return {"correct": float(predicted == label), "predicted": float(predicted), "cross_entropy": float(loss)}

"""Models that say of each class by itself whether an image has it."""

import numpy as np

from components import keys
from components.evaluator import multilabel
from components.evaluator.multilabel import DECISIONS, LABELS, PROBABILITIES
from components.evaluator.statistic import Mean, Share
from components.tasks.judges import base
from components.tasks.judges.base import Metric


def _of_sets(figure: str) -> Metric:
    statistic = multilabel.STATISTICS[figure]
    return Metric("OfSets", "more", multilabel.__name__, {"figure": figure}, of_label=False, statistic=statistic)


class Judge(base.Judge):
    """Reads all classes' probabilities, and which of them are above their thresholds."""

    signature = keys.SERVING_DEFAULT
    prediction_key = PROBABILITIES
    label_key = keys.LABELS
    may_lose = {"macro_f1": 0.01}
    metrics = {
        **{figure: _of_sets(figure) for figure in multilabel.STATISTICS},
        "subset_accuracy": Metric(
            "MeanOfSets", "more", multilabel.__name__, {"figure": "subset_accuracy"}, statistic=Share("subset_accuracy")
        ),
        "cross_entropy": Metric(
            "MeanOfSets", "less", multilabel.__name__, {"figure": "cross_entropy"}, statistic=Mean("cross_entropy", least=0.0)
        ),
    }

    per_class = {"auroc": "more", "f1": "more"}

    def each(self, outputs, label):
        """Labels, probabilities and decisions, [K] each, and what they come to for this image."""
        columns = {LABELS: label, PROBABILITIES: outputs[PROBABILITIES], DECISIONS: outputs[DECISIONS]}
        columns = {name: np.ravel(value).astype(np.float32) for name, value in columns.items()}
        return {**columns, **{name: float(of(*columns.values())) for name, of in multilabel.PER_IMAGE.items()}}

    def of_classes(self, rows):
        return multilabel.of_classes(rows)

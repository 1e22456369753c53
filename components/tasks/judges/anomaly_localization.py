"""Detectors of anomalies that are held against masks too: judged as those of `anomaly`, and by how their maps rank pixels."""

import numpy as np

from components.evaluator import localization
from components.evaluator.localization import COLUMNS, OfPixels
from components.tasks.anomaly_localization import LOCATED
from components.tasks.judges import anomaly
from components.tasks.judges.base import Metric

BOUND = "pixel_bound"


def _metric(figure: str) -> Metric:
    better, of_label = ("less", False) if figure == BOUND else ("more", True)
    return Metric("PixelRanking", better, localization.__name__, {"figure": figure}, of_label=of_label, statistic=OfPixels(figure))


class Judge(anomaly.Judge):
    """Around the judge of a task whose models have maps. In the row of a kind of defect, the figures of pixels are over the images
    of that kind."""

    signature = LOCATED

    @property
    def metrics(self):
        of_images = super().metrics
        first = {name: of_images[name] for name in ("auroc", "average_precision")}
        return {**first, **{name: _metric(name) for name in localization.FIGURES}, **of_images}

    def each(self, outputs, label):
        return {**super().each(outputs, label), **{name: np.ravel(outputs[name]) for name in COLUMNS[:-1]}}

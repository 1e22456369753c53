"""Models that say of each pixel of which class it is, judged by one confusion matrix over the pixels of all test images."""

import numpy as np

from components.evaluator.statistic import Mean, MeanRatio
from components.tasks.judges import base
from components.tasks.judges.base import Metric
from components.tasks.segmentation import FIGURES, INTERSECTION, KNOWN, RIGHT, UNION, VOID_MASKS, VOID_PIXELS

METRICS = "components.evaluator.metrics"


def _of_all_pixels(part: str, whole: str) -> Metric:
    return Metric("MeanRatio", "more", METRICS, {"part": part, "whole": whole}, statistic=MeanRatio(part, whole))


class Judge(base.Judge):
    """By the mean over classes of intersection over union, without those that neither masks nor answers have, and by the share of
    pixels that are right: of pixels that are of a class. The others' shares are told beside them."""

    signature = FIGURES
    metrics = {
        "mean_iou": _of_all_pixels(INTERSECTION, UNION),
        "pixel_accuracy": _of_all_pixels(RIGHT, KNOWN),
        VOID_MASKS: Metric("MeanOfOutput", "less", METRICS, {"output": VOID_MASKS}, statistic=Mean(VOID_MASKS)),
        VOID_PIXELS: Metric("MeanOfOutput", "less", METRICS, {"output": VOID_PIXELS}, statistic=Mean(VOID_PIXELS)),
    }

    def each(self, outputs, label):
        """Counts of pixels, [K] those of classes, and shares."""
        columns = {name: np.ravel(outputs[name]).astype(np.float32) for name in (INTERSECTION, UNION, RIGHT, KNOWN)}
        return columns | {name: float(np.ravel(outputs[name])[0]) for name in (VOID_MASKS, VOID_PIXELS)}

    def remarks(self, card, metrics):
        if not metrics.get(VOID_PIXELS):
            return []
        left_out = f"{metrics[VOID_PIXELS]:.1%} of the pixels of test masks are of no class"
        whole = f", and {metrics[VOID_MASKS]:.1%} of the masks altogether" if metrics[VOID_MASKS] else ""
        return [f"{left_out}{whole}; mean_iou and pixel_accuracy leave them out."]

"""Models that say of each pixel of which class it is, judged by one confusion matrix over the pixels of all test images."""

import numpy as np

from components import keys
from components.evaluator import overlap
from components.evaluator.overlap import DICE, IOU
from components.evaluator.statistic import Mean, MeanRatio
from components.tasks.judges import base
from components.tasks.judges.base import Comparison, Metric
from components.tasks.segmentation import (
    BOUNDARIES,
    BOUNDARY_F1,
    FIGURES,
    INTERSECTION,
    KNOWN,
    RIGHT,
    TRUTH,
    UNION,
    VOID_MASKS,
    VOID_PIXELS,
)

MOST_FREQUENT = "most_frequent_mean_iou"
METRICS = "components.evaluator.metrics"
NAMED = 12  # classes that a remark names


def _ratio(part: str, whole: str) -> Metric:
    return Metric("MeanRatio", "more", METRICS, {"part": part, "whole": whole}, statistic=MeanRatio(part, whole))


class Judge(base.Judge):
    """By the mean over classes of intersection over union, without those that neither masks nor answers have, and by the share of
    pixels that are right: of pixels that are of a class. The others' shares are told beside them. Boundary F1 is
    the mean over images that have a boundary. Of each class by itself IoU and Dice."""

    signature = FIGURES
    class_key = keys.MASK
    compared = ("mean_iou",)
    per_class = {IOU: "more", DICE: "more"}
    metrics = {
        "mean_iou": _ratio(INTERSECTION, UNION),
        "pixel_accuracy": _ratio(RIGHT, KNOWN),
        BOUNDARY_F1: _ratio(BOUNDARY_F1, BOUNDARIES),
        VOID_MASKS: Metric("MeanOfOutput", "less", METRICS, {"output": VOID_MASKS}, statistic=Mean(VOID_MASKS)),
        VOID_PIXELS: Metric("MeanOfOutput", "less", METRICS, {"output": VOID_PIXELS}, statistic=Mean(VOID_PIXELS)),
    }

    def each(self, outputs, label):
        """Counts of pixels, [K] those of classes, and shares."""
        counted = (INTERSECTION, UNION, TRUTH, RIGHT, KNOWN, BOUNDARY_F1, BOUNDARIES)
        columns = {name: np.ravel(outputs[name]).astype(np.float32) for name in counted if name in outputs}
        return columns | {name: float(np.ravel(outputs[name])[0]) for name in (VOID_MASKS, VOID_PIXELS)}

    def compare(self, model, card, images):
        """With an answer that looks at no image: of each pixel the class that most masks of the training split have there."""
        classes = len(card.class_names)

        def masks(split):
            return (known[keys.MASK][..., 0] for _, known in images(split).as_numpy_iterator())

        answer = overlap.most_frequent(masks(keys.TRAIN), classes)
        counted = [overlap.counted(answer, truth, classes) for truth in masks(keys.TEST)]
        each = {name: np.concatenate(parts) for name, parts in zip((INTERSECTION, UNION), zip(*counted, strict=True), strict=True)}
        value = self.metrics["mean_iou"].statistic.value(each)
        words = "each pixel's most frequent class of the training masks"
        return [Comparison("mean_iou", value, words, MOST_FREQUENT, yields=True, each=each)]

    def of_classes(self, rows):
        """Of those that masks or answers have."""
        return [figures or None for figures in overlap.of_classes(rows[INTERSECTION], rows[UNION])]

    def of_images(self, rows):
        """IoU, the mean over the classes that the image's mask or its answer has."""
        return "IoU of an image", overlap.of_images(rows[INTERSECTION], rows[UNION])

    def having(self, rows):
        """Of the masks; where an earlier model's rows do not say it, of masks or answers."""
        return rows.get(TRUTH, rows[UNION]) > 0

    def remarks(self, card, metrics, rows=base.NOTHING):
        said = []
        if metrics.get(VOID_PIXELS):
            left_out = f"{metrics[VOID_PIXELS]:.1%} of the pixels of test masks are of no class"
            whole = f", and {metrics[VOID_MASKS]:.1%} of the masks altogether" if metrics[VOID_MASKS] else ""
            bars = " Bars beside images (transform.resize: fit) are among them." if card and card.transform.resize == "fit" else ""
            said.append(f"{left_out}{whole}; mean_iou and pixel_accuracy leave them out.{bars}")
        nowhere = np.flatnonzero(rows[UNION].sum(0) == 0) if UNION in rows else ()
        if len(nowhere):
            named = ", ".join(card.class_names[place] for place in nowhere[:NAMED]) + (", ..." if len(nowhere) > NAMED else "")
            many = f"{len(nowhere):,} of {len(card.class_names):,} classes"
            said.append(f"{many} are in no test mask and in no answer, and mean_iou leaves them out: {named}.")
        return said

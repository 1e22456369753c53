"""How well masks and answers overlap, class by class, over the pixels of all test images: intersection over union (Jaccard 1912,
New Phytologist 11(2)) and Dice (1945, Ecology 26(3)), which is F1 of pixels and follows from it: 2 J / (1 + J)."""

from collections.abc import Iterable

import numpy as np

from components.evaluator import intervals
from components.evaluator.intervals import Figure
from components.map_values import VOID

IOU, DICE = "iou", "dice"


def of_classes(intersection: np.ndarray, union: np.ndarray) -> list[dict[str, Figure]]:
    """Of each class IOU and DICE; nothing of one that neither masks nor answers have.

    Images are resampled whole, since the pixels of one are not independent. There is no interval of a class for which all resamples
    are the same, as where no pixel of it is right.

    Args:
        intersection, union: of each image and class, px, [N, K].
    """
    sums = np.concatenate([intersection, union], 1).astype(np.float64)
    drawn = intervals.resampled(lambda weights: _ratios(weights @ sums), len(sums)) if len(sums) else None
    figures = []
    for place, value in enumerate(_ratios(sums.sum(0, keepdims=True))[0].tolist()):
        if np.isnan(value):
            figures.append({})
            continue
        ends = intervals.percentiles(drawn[:, place])
        figures.append({IOU: Figure(value, ends), DICE: Figure(_dice(value), ends and tuple(map(_dice, ends)))})
    return figures


def most_frequent(masks: Iterable[np.ndarray], classes: int) -> np.ndarray:
    """Of each pixel the class that most masks have there, of equally many the first one, int64 [height, width]; of a pixel that is
    of no class in all masks that of most pixels.

    Args:
        masks: batches of int [N, height, width], places of classes or VOID.

    Raises:
        ValueError: where there is none.
    """
    counts: np.ndarray | None = None
    for batch in masks:
        if counts is None:
            counts = np.zeros((classes, *batch.shape[1:]), np.int64)
        for number in range(classes):
            counts[number] += (batch == number).sum(0)
    if counts is None:
        raise ValueError("no mask to count")
    commonest = int(counts.sum((1, 2)).argmax())
    return np.where(counts.any(0), counts.argmax(0), commonest)


def counted(made: np.ndarray, truth: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Intersections and unions of each image and class, px, int64 [N, K]. made: int [height, width], the same answer to each image;
    truth: int [N, height, width], places of classes or VOID, which is in none."""
    ours = [(made == number) & (truth != VOID) for number in range(classes)]
    theirs = [truth == number for number in range(classes)]
    both = [(a & b).sum((1, 2)) for a, b in zip(ours, theirs, strict=True)]
    either = [(a | b).sum((1, 2)) for a, b in zip(ours, theirs, strict=True)]
    return np.stack(both, 1), np.stack(either, 1)


def of_images(intersection: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Of each image the mean over the classes that its mask or its answer has, float64 [N]; no number of one without a pixel of a
    class. Arguments as of `of_classes`."""
    there = union > 0
    ratios = np.divide(intersection, union, out=np.zeros(union.shape), where=there)
    return np.divide(ratios.sum(1), there.sum(1), out=np.full(len(union), np.nan), where=there.any(1))


def _ratios(sums: np.ndarray) -> np.ndarray:
    """[..., 2 K] -> [..., K]; no number where nothing is."""
    parts, wholes = np.split(sums, 2, axis=-1)
    return np.divide(parts, wholes, out=np.full(parts.shape, np.nan), where=wholes > 0)


def _dice(overlap: float) -> float:
    return 2 * overlap / (1 + overlap)

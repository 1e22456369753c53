"""What a classifier takes for what, class by class: plain functions of labels and probabilities."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.evaluator import intervals
from components.evaluator.intervals import Figure

POINTS = 120  # of a curve that is drawn


@dataclass(frozen=True)
class OfClass:
    """Counts of one class, and its figures, each when it is asked for, with intervals; None of no image.

    hits: images of the class that were taken for it. images: that have the label. predicted: that were taken for it.
    """

    hits: int
    images: int
    predicted: int

    @functools.cached_property
    def precision(self) -> Figure | None:
        """With Wilson's interval."""
        return _share(self.hits, self.predicted)

    @functools.cached_property
    def recall(self) -> Figure | None:
        """With Wilson's interval."""
        return _share(self.hits, self.images)

    @property
    def harmonic(self) -> float:
        """F1 alone; NaN of no image."""
        both = self.images + self.predicted
        return 2 * self.hits / both if both else float("nan")

    @functools.cached_property
    def f1(self) -> Figure | None:
        """With the interval of TP / (TP + FP + FN), Wilson's, of which it is a function: Hand, Christen & Kirielle 2021, Machine
        Learning 110, "F*"."""
        overlap = _share(self.hits, self.images + self.predicted - self.hits)
        return None if overlap is None else Figure(self.harmonic, overlap.interval and tuple(map(_f1, overlap.interval)))


def of_classes(labels: np.ndarray, predicted: np.ndarray, classes: int) -> list[OfClass]:
    """Of each class, in order. labels, predicted: int64 [N] in 0..classes - 1."""
    sizes, taken = (np.bincount(of, minlength=classes).tolist() for of in (labels, predicted))
    hits = np.bincount(labels[labels == predicted], minlength=classes).tolist()
    return [OfClass(*counts) for counts in zip(hits, sizes, taken, strict=True)]


def _share(hits: int, images: int) -> Figure | None:
    return Figure(hits / images, intervals.share(hits, images)) if images else None


def _f1(overlap: float) -> float:
    return 2 * overlap / (1 + overlap)


def cells(labels: np.ndarray, predicted: np.ndarray) -> Mapping[tuple[int, int], np.ndarray]:
    """(label, class it was taken for) -> places of those images, ascending, of the pairs that occur, in order. What a matrix holds,
    whatever the number of classes."""
    pairs, of = np.unique(np.stack([labels, predicted], 1), axis=0, return_inverse=True)
    order = np.argsort(of.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(of.ravel(), minlength=len(pairs)))[:-1]) if len(pairs) else []
    return {(int(label), int(taken)): places for (label, taken), places in zip(pairs, parts, strict=True)}


@dataclass(frozen=True)
class Curve:
    """Points of a curve, float64 [P] each, thinned to POINTS; area: under all of it."""

    x: np.ndarray
    y: np.ndarray
    area: Figure


def roc(is_class: np.ndarray, score: np.ndarray) -> Curve | None:
    """x: false positive rate, y: true positive rate, of one class against the rest; the area has DeLong's interval. None of images
    of one kind. is_class: bool [N]. score: float [N]."""
    from sklearn import metrics

    if is_class.all() or not is_class.any():
        return None
    x, y, _ = metrics.roc_curve(is_class, score)
    return Curve(*_thinned(x, y), Figure(metrics.auc(x, y), intervals.auroc(is_class.astype(int), score)))


def precision_recall(is_class: np.ndarray, score: np.ndarray) -> Curve | None:
    """x: recall, y: precision; the area is the average precision. None of no image of the class."""
    from sklearn import metrics

    if not is_class.any():
        return None
    precision, recall, _ = metrics.precision_recall_curve(is_class, score)
    return Curve(*_thinned(recall[::-1], precision[::-1]), Figure(metrics.average_precision_score(is_class, score)))


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those points that are nearest to equal steps along the curve; both ends stay."""
    if len(x) <= POINTS:
        return x, y
    along = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(y)))]
    kept = np.unique(np.clip(np.searchsorted(along, np.linspace(0, along[-1], POINTS)), 0, len(x) - 1))
    kept = np.unique(np.r_[0, kept, len(x) - 1])
    return x[kept], y[kept]


@dataclass(frozen=True)
class Abstention:
    """What is left where a model is not asked for its least confident answers.

    threshold: the lowest confidence that is still answered. coverage: share of images that are; answered: how many. accuracy: of
    those, and its interval (Wilson's). [P] each, from all images on to the most confident one; interval [P, 2]. area: under
    1 - accuracy over coverage, AURC: Geifman, Uziel & El-Yaniv 2019, ICLR.
    """

    threshold: np.ndarray
    coverage: np.ndarray
    answered: np.ndarray
    accuracy: np.ndarray
    interval: np.ndarray
    area: float


def abstention(confidence: np.ndarray, is_right: np.ndarray) -> Abstention:
    """The risk-coverage curve: El-Yaniv & Wiener 2010, JMLR 11. Images of one confidence are answered together.

    Args:
        confidence: float [N], N > 0. is_right: bool [N].
    """
    order = np.argsort(-confidence, kind="stable")
    sorted_, hits = confidence[order], np.cumsum(is_right[order])
    last = np.flatnonzero(np.r_[sorted_[1:] != sorted_[:-1], True])  # of the images of one confidence
    answered, right = last + 1, hits[last]
    area = float(np.average(1 - right / answered, weights=np.diff(np.r_[0, answered])))
    kept = np.unique(np.r_[np.searchsorted(answered, np.linspace(answered[0], answered[-1], POINTS)), len(last) - 1])[::-1]
    ends = np.array([intervals.share(int(right[place]), int(answered[place])) for place in kept])
    return Abstention(sorted_[last][kept], answered[kept] / len(order), answered[kept], right[kept] / answered[kept], ends, area)


def answered_at(confidence: np.ndarray, is_right: np.ndarray, coverage: float) -> tuple[float, int, int]:
    """(lowest confidence, images, hits) where at least that share of the images is answered, the most confident first."""
    order = np.argsort(-confidence, kind="stable")
    lowest = confidence[order][max(0, int(np.ceil(coverage * len(order) - 1e-9)) - 1)]
    taken = confidence >= lowest
    return float(lowest), int(taken.sum()), int(is_right[taken].sum())


def changed_sides(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of images that the model has right and the earlier one had not, and the other way round. ours, theirs: bool [N], in
    the same order."""
    return np.flatnonzero(ours & ~theirs), np.flatnonzero(theirs & ~ours)


def worst(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Places of mistakes, the most confident first: int64 [M]."""
    predicted = probabilities.argmax(1)
    wrong = np.flatnonzero(predicted != labels)
    return wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")]


def weakest_classes(figures: Sequence[OfClass], most: int) -> list[int]:
    """Numbers of the classes with the lowest F1 that have an image, at most so many; in the order of the classes where all fit."""
    known = [number for number, of in enumerate(figures) if of.images]
    return known if len(known) <= most else sorted(sorted(known, key=lambda number: figures[number].harmonic)[:most])

"""Which labels are likely wrong: Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels",
JAIR 70.

All of it reads what models answered about images that they were not trained on. It takes noise to depend on classes alone, and a
model that is right more often than not: what a model does not know either is on the list too, so a person decides.
"""

from dataclasses import dataclass

import numpy as np

UNSURE = -1  # of an image that no class is confident of


@dataclass(frozen=True)
class Doubts:
    """What confident learning says of the labels of N images of K classes.

    thresholds: float64 [K], t_j: the mean probability of class j over the images labelled j (equation 2); NaN without one.
    taken_for: int64 [N], the class that an image confidently is, or UNSURE. places: int64 [M], of the images that confidently are
    of another class than their label says, the likeliest to be wrong first. margins: float64 [N], the probability of the label less
    the largest other one, in -1..1: what `places` are ranked by (the normalised margin). joint: pairs (label, class) -> share of
    all images, of the label and truly of the class (equation 3). wrong: how many labels are wrong as the joint has it, of N.
    """

    thresholds: np.ndarray
    taken_for: np.ndarray
    places: np.ndarray
    margins: np.ndarray
    joint: dict[tuple[int, int], float]
    wrong: float


def doubts(labels: np.ndarray, probabilities: np.ndarray) -> Doubts:
    """What is to be doubted.

    Args:
        labels: int64 [N] in 0..K - 1, as given.
        probabilities: float [N, K], out of sample.

    Raises:
        ValueError: for a label that is none of K, or probabilities that are no numbers.
    """
    labels, probabilities = np.asarray(labels, np.int64), np.asarray(probabilities, np.float64)
    if len(labels) and not 0 <= labels.min() <= labels.max() < probabilities.shape[1]:
        raise ValueError(f"labels must be in 0..{probabilities.shape[1] - 1}, got {labels.min()}..{labels.max()}")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities must be finite")
    limits = thresholds(labels, probabilities)
    taken_for = confidently(probabilities, limits)
    margins = margin(labels, probabilities)
    of_pairs = joint(labels, taken_for)
    suspected = np.flatnonzero((taken_for != UNSURE) & (taken_for != labels))
    wrong = len(labels) * sum(share for (label, true), share in of_pairs.items() if label != true)
    return Doubts(limits, taken_for, suspected[np.argsort(margins[suspected], kind="stable")], margins, of_pairs, wrong)


def thresholds(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """t_j, float64 [K]; NaN for a class that no image is labelled with. Arguments as of `doubts`."""
    classes = probabilities.shape[1]
    own = probabilities[np.arange(len(labels)), labels]
    sizes = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, weights=own, minlength=classes)
    return np.divide(sums, sizes, out=np.full(classes, np.nan), where=sizes > 0)


def confidently(probabilities: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """int64 [N]: of the classes whose probability reaches their threshold the most probable one (equation 1, collisions included);
    UNSURE where none does. A class without a threshold is nobody's."""
    reaching = np.where(probabilities >= limits, probabilities, -np.inf)  # no number reaches NaN
    best = reaching.argmax(1)
    return np.where(np.isfinite(reaching[np.arange(len(best)), best]), best, UNSURE)


def joint(labels: np.ndarray, taken_for: np.ndarray) -> dict[tuple[int, int], float]:
    """Equation 3: the confident joint, each label's row scaled to how many images have the label, and all of it to 1.

    A label of which no image is confident keeps its images: nothing is known against it.
    """
    sizes, counts = np.bincount(labels), {}
    for label in np.unique(labels):
        classes, images = np.unique(taken_for[(labels == label) & (taken_for != UNSURE)], return_counts=True)
        if not len(classes):
            classes, images = np.array([label]), np.array([1])
        for true, share in zip(classes.tolist(), (images / images.sum()).tolist(), strict=True):
            counts[int(label), true] = share * sizes[label] / len(labels)
    return counts


def margin(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """float64 [N] in -1..1: the probability of the label less the largest other one."""
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -np.inf
    return probabilities[rows, labels] - others.max(1, initial=-np.inf)

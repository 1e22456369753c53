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
    taken_for: int64 [N], the class that an image confidently is, or UNSURE. margins: float64 [N], the probability of the label less
    the largest other one, in -1..1 (the normalised margin). joint: pairs (label, class) -> share of all images, of the label and
    truly of the class (equation 3). wrong: how many labels are wrong as the joint has it, of N. places: int64 [M], of the images
    that are doubted, those of the least margins first: all that confidently are of another class than their label says, and as many
    of the least margins as the joint has wrong ones, if another class is more probable at all.
    """

    thresholds: np.ndarray
    taken_for: np.ndarray
    margins: np.ndarray
    joint: dict[tuple[int, int], float]
    wrong: float
    places: np.ndarray


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
    wrong = len(labels) * sum(share for (label, true), share in of_pairs.items() if label != true)
    ranked = np.argsort(margins, kind="stable")
    least = ranked[: round(wrong)]
    doubted = (taken_for != UNSURE) & (taken_for != labels)
    doubted[least[margins[least] < 0]] = True
    return Doubts(limits, taken_for, margins, of_pairs, wrong, ranked[doubted[ranked]])


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


@dataclass(frozen=True)
class DoubtsOfSets:
    """What is said of the labels of N images that may have several of K classes: of each class by itself, as of two classes.

    pairs: int64 [M, 2], (image, class) of the labels that are doubted, those of the least margins first. margins: float64 [N, K].
    wrong: how many of the N K labels are wrong as the joints have it.
    """

    pairs: np.ndarray
    margins: np.ndarray
    wrong: float


def doubts_of_sets(labels: np.ndarray, probabilities: np.ndarray) -> DoubtsOfSets:
    """What is to be doubted of labels bool [N, K] and probabilities float [N, K], out of sample. A class that all images have, or
    none, is not doubted: nothing tells what its other side looks like. Raises ValueError as `doubts`."""
    margins, pairs, wrong = np.ones(labels.shape), [], 0.0
    for number, (there, of) in enumerate(zip(labels.T, probabilities.T.astype(np.float64), strict=True)):
        own = doubts(there.astype(np.int64), np.stack([1 - of, of], 1))
        margins[:, number] = own.margins
        if there.any() and not there.all():
            pairs += [(place, number) for place in own.places.tolist()]
            wrong += own.wrong
    every = np.array(pairs, np.int64).reshape(-1, 2)
    order = np.argsort(margins[every[:, 0], every[:, 1]], kind="stable")
    return DoubtsOfSets(every[order], margins, wrong)

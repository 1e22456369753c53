"""Codes on the way from one to another, and along one of their numbers."""

from collections.abc import Sequence

import numpy as np


def between(first: np.ndarray, second: np.ndarray, shares: np.ndarray, spherical: bool) -> np.ndarray:
    """Codes [k] and [k], shares [N] of the second in 0..1 -> [N, k].

    spherical: along the great circle (Shoemake 1985, "Animating rotation with quaternion curves", SIGGRAPH) instead of the straight
    line, so that codes keep the length that a variational model's have (White 2016, arXiv:1609.04468).
    """
    shares = shares[:, None]
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    angle = np.arccos(np.clip(first @ second / lengths, -1, 1)) if spherical and lengths else 0.0
    if np.sin(angle) < 1e-6:  # along one line there is no circle, or there are many
        return (1 - shares) * first + shares * second
    return (np.sin((1 - shares) * angle) * first + np.sin(shares * angle) * second) / np.sin(angle)


def pairs(codes: np.ndarray, labels: np.ndarray | None, many: int) -> list[tuple[int, int]]:
    """Rows of codes [N, k] between which a way is worth looking at, at most `many` pairs.

    Where labels [N] (-1: none) have two classes or more, the first row of each class beside the last of the next, in a ring;
    otherwise rows in their order, each beside the one that is farthest from it of those left.
    """
    known = np.unique(labels[labels >= 0]) if labels is not None else np.empty(0, int)
    if len(known) > 1:
        of_class = [np.flatnonzero(labels == label) for label in known]
        ring = zip(of_class, of_class[1:] + of_class[:1], strict=True)
        return [(int(first[0]), int(second[-1])) for first, second in ring][:many]
    left, chosen = list(range(len(codes))), []
    while len(left) > 1 and len(chosen) < many:
        first = left.pop(0)
        distances = np.linalg.norm(codes[left] - codes[first], axis=1)
        chosen.append((first, left.pop(int(np.argmax(distances)))))
    return chosen


def along(start: np.ndarray, unit: int, values: Sequence[float]) -> np.ndarray:
    """A code [k] with one of its numbers replaced by each of the values: [N, k]."""
    codes = np.tile(np.asarray(start), (len(values), 1))
    codes[:, unit] = values
    return codes

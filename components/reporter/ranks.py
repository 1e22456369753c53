"""Which images of many are shown."""

import numpy as np


def from_best_to_worst(errors: np.ndarray, many: int) -> list[int]:
    """Places of at most `many` of [N] errors, the least first and the largest last, the others evenly between by rank; what is no
    number is among the worst."""
    order = np.argsort(errors, kind="stable")  # puts nan last
    steps = np.unique(np.rint(np.linspace(0, len(order) - 1, min(many, len(order)))).astype(int))
    return [int(order[step]) for step in steps]


def nearest(values: np.ndarray, to: float, many: int) -> list[int]:
    """Places of the `many` of [N] values that are nearest to a number, in ascending order of their values."""
    distances = np.abs(np.asarray(values, np.float64) - to)
    chosen = np.argsort(distances, kind="stable")[:many]
    return [int(place) for place in chosen[np.argsort(values[chosen], kind="stable")]]


def spread(total: int, many: int) -> np.ndarray:
    """Places of at most `many` of so many, evenly spread, ends included: int64."""
    return np.unique(np.rint(np.linspace(0, total - 1, min(many, total))).astype(int)) if total else np.empty(0, int)

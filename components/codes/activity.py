"""Which units of a code do the work: how their numbers are spread over images, and how many are active at a time."""

from typing import NamedTuple

import numpy as np

from components.codes.limits import SHARE

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Units(NamedTuple):
    """Of each unit, over images: float [k]; quantiles: [len(QUANTILES), k]; active: share of the images in which it is active."""

    mean: np.ndarray
    variance: np.ndarray
    quantiles: np.ndarray
    active: np.ndarray

    @property
    def dead(self) -> np.ndarray:
        """bool [k]: active in no image."""
        return self.active == 0


def of_units(codes: np.ndarray) -> Units:
    """Of finite codes [N, k], N at least 1."""
    codes = codes.astype(np.float64)
    return Units(codes.mean(0), codes.var(0), np.quantile(codes, QUANTILES, axis=0), is_active(codes).mean(0))


def is_active(codes: np.ndarray) -> np.ndarray:
    """bool [N, k]: further from 0 than SHARE of the largest number of the same code."""
    sizes = np.abs(codes)
    return sizes > sizes.dtype.type(SHARE) * sizes.max(axis=1, keepdims=True)

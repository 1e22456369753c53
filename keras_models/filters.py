"""Filters made by hand: kernels for cross-correlation, float64 (kernels, rows, columns), to be computed by layers.FixedFilters.

x is to the right and y down. A kernel of even size has its centre at size // 2, as in scipy.ndimage. True convolution is
cross-correlation with each kernel turned by 180 degrees.
"""

from collections.abc import Sequence

import numpy as np

SMOOTH = np.array([1.0, 2.0, 1.0])
DIFFERENCE = np.array([-1.0, 0.0, 1.0])
TRUNCATE = 4.0  # standard deviations at which a Gaussian is cut off, as in scipy.ndimage
SIFT_SIDE = 4  # cells along a side of the window of a SIFT descriptor


def uniform(size: int) -> np.ndarray:
    """(1, size, size): the mean of a square; scipy.ndimage.uniform_filter."""
    return np.full((1, size, size), 1 / size**2)


def gaussian(sigma: float) -> np.ndarray:
    """(1, side, side): a mean with the weights of a normal distribution, sigma px; scipy.ndimage.gaussian_filter."""
    bell, _ = _bell(sigma)
    return np.outer(bell, bell)[None]


def sobel() -> np.ndarray:
    """(2, 3, 3): 8 times the derivative along x, then along y; scipy.ndimage.sobel with axis 1, then 0."""
    return np.stack([np.outer(SMOOTH, DIFFERENCE), np.outer(DIFFERENCE, SMOOTH)])


def oriented(orientations: int, sigma: float) -> np.ndarray:
    """(orientations, side, side): the derivative of a Gaussian along equally spaced directions from x over half a turn.

    Kernel k is cos(a) times the derivative along x plus sin(a) times that along y, a = k pi / orientations (Freeman & Adelson 1991,
    "The design and use of steerable filters", IEEE PAMI 13(9), section II); scipy.ndimage.gaussian_filter has these two with order
    (0, 1) and (1, 0). Its answer is the slope of brightness, largest at an edge across its direction.
    """
    bell, slope = _bell(sigma)
    along_x, along_y = np.outer(bell, slope), np.outer(slope, bell)
    angles = np.arange(orientations) * np.pi / orientations
    return np.stack([np.cos(a) * along_x + np.sin(a) * along_y for a in angles])


def matching(patterns: Sequence) -> np.ndarray:
    """Patterns, each less its mean: their answer does not change with brightness."""
    patterns = np.asarray(patterns, "float64")
    return patterns - patterns.mean((1, 2), keepdims=True)


def vertical_edges(contrast: float) -> np.ndarray:
    """(2, 1, 3): the difference along x, dark to bright and bright to dark; a step of `contrast` answers 1. Unlike Sobel's it does
    not smooth along y, so that lines do not grow longer."""
    return np.stack([DIFFERENCE, -DIFFERENCE])[:, None] / contrast


def column(length: int) -> np.ndarray:
    """(1, length, 1): the mean of a vertical line, one pixel wide."""
    return np.full((1, length, 1), 1 / length)


def tent(cell: int) -> np.ndarray:
    """(side,): shares with which pixels vote for a cell of `cell` px, from 1 at its centre to 0 at the centres of the cells beside
    it. Their sum is `cell`, side is 2 cell, or 2 cell - 1 where `cell` is odd, and they begin cell // 2 px before the cell."""
    pixels = np.arange(-(cell // 2), cell + cell // 2) + 0.5
    return np.maximum(0, 1 - np.abs(pixels / cell - 0.5))


def sift_shares(cell: int) -> np.ndarray:
    """(4, 4 cell): shares with which the pixels along a side of the window of 4 x 4 cells vote for each of the 4 places.

    Linear between the centres of cells, times a Gaussian of half the window's side around its middle; Lowe 2004, section 6.1.
    """
    side = SIFT_SIDE * cell
    pixels = np.arange(side) + 0.5
    centres = (np.arange(SIFT_SIDE) + 0.5) * cell
    shares = np.maximum(0, 1 - np.abs(pixels - centres[:, None]) / cell)
    return shares * np.exp(-0.5 * np.square((pixels - side / 2) / (side / 2)))


def _bell(sigma):
    """A normal distribution at whole numbers, of sum 1, and the kernel of its derivative, both (side,)."""
    reach = int(TRUNCATE * sigma + 0.5)
    at = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * np.square(at / sigma))
    bell /= bell.sum()
    return bell, at / sigma**2 * bell

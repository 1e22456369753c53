"""Kernel PCA (Schoelkopf, Smola & Mueller 1998, Neural Computation 10(5)): what a non-linear code reaches without a network.

Gaussian kernel; the way back from code to image is kernel ridge regression (Bakir, Weston & Schoelkopf 2004, "Learning to find
pre-images", NIPS). Both are scikit-learn's.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from components.evaluator.intervals import Figure, of_mean
from components.evaluator.sample import evenly
from components.tasks.reconstruction.pca import MAX_EXACT

SAMPLE = 2_000  # training images at most: the kernel matrix is of their number squared
ALPHA = 1e-4  # of the ridge
FEW = 10  # ARPACK, for a code this many times smaller than the sample, is faster than LAPACK


@dataclass(frozen=True)
class KernelPrincipal:
    """A fitted sklearn.decomposition.KernelPCA of flattened images."""

    model: Any

    def mean_squared_error(self, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Figure:
        """Mean over images and pixels of (image - what the code of its input gives back)^2, with its interval.

        Args:
            pairs: batches of images and of inputs, which are the same but for noise, [N, ...] of the fitted scale.
        """
        errors = []
        for pair in pairs:
            rows, inputs = (batch.reshape(len(batch), -1).astype(np.float64) for batch in pair)
            errors.append(np.square(rows - self.model.inverse_transform(self.model.transform(inputs))).mean(1))
        return of_mean(np.concatenate(errors))


def fit(batches: Iterable[np.ndarray], code_size: int) -> KernelPrincipal | None:
    """Of at most SAMPLE images, evenly spread, with the kernel exp(-gamma d^2), gamma = 1 / the median of d^2 between them.

    None for images of more than MAX_EXACT values (memory), a code as large as the number of images, or where half of them are the
    same.
    """
    from sklearn.decomposition import KernelPCA
    from sklearn.metrics.pairwise import euclidean_distances

    batches = iter(batches)
    first = next(batches)
    if first[0].size > MAX_EXACT:
        return None
    [rows] = evenly(_flat(chain([first], batches)), SAMPLE)
    if code_size >= len(rows):
        return None
    median = np.median(euclidean_distances(rows, squared=True)[np.triu_indices(len(rows), 1)])
    if median < np.finfo(np.float32).eps:
        return None
    model = KernelPCA(
        code_size,
        kernel="rbf",
        gamma=1.0 / median,
        alpha=ALPHA,
        fit_inverse_transform=True,
        eigen_solver="arpack" if FEW * code_size <= len(rows) else "dense",
        random_state=0,
    )
    return KernelPrincipal(model.fit(rows))


def _flat(batches: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    for batch in batches:
        yield [batch.reshape(len(batch), -1).astype(np.float64)]

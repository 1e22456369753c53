"""Exact principal component analysis of an image stream: the baseline that an autoencoder has to beat.

One pass adds up mean and covariance, so memory does not grow with the number of images; it grows with the square of the
pixels, and past MAX_EXACT pixels scikit-learn's IncrementalPCA takes over (close to exact, memory linear in the pixels). Of the
covariance no more directions are found than are wanted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from components import progress

MAX_EXACT = 4096  # pixels times channels; the covariance then takes 128 MiB
FEW = 20  # for a code this many times smaller than the image, ARPACK is faster than LAPACK
SAME = 1e-9  # of the largest variance: what two of them may be apart through rounding


@dataclass(frozen=True)
class Principal:
    """Mean [D] and orthonormal components [k, D] of flattened images."""

    mean: np.ndarray
    components: np.ndarray
    is_exact: bool = True

    @property
    def name(self) -> str:
        """What a person is told that this is."""
        return "PCA" if self.is_exact else "incremental PCA"

    def codes(self, images: np.ndarray) -> np.ndarray:
        """[N, ...] images -> float64 [N, k]."""
        return (images.reshape(len(images), -1).astype(np.float64) - self.mean) @ self.components.T

    def images(self, codes: np.ndarray) -> np.ndarray:
        """[N, k] codes -> float64 [N, D], flattened; not cut to any range."""
        return codes @ self.components + self.mean

    def mean_squared_error(self, batches: Iterable[np.ndarray]) -> float:
        """Mean over images and pixels of (image - its projection)^2. Batches are [N, ...] of the fitted scale."""
        total, count = 0.0, 0
        for batch in batches:
            total += float(self.errors(batch).sum())
            count += len(batch)
        return total / count

    def errors(self, batch: np.ndarray) -> np.ndarray:
        """The same for each image: float64 [N]."""
        return np.square(batch.reshape(len(batch), -1).astype(np.float64) - self.images(self.codes(batch))).mean(1)


def fit(batches: Iterable[np.ndarray], code_size: int) -> Principal:
    """The `code_size` directions of largest variance.

    Args:
        batches: [N, ...] images of one shape.
        code_size: at most the number of pixels; more is cut to that.
    """
    batches = iter(batches)
    first = next(batches)
    pixels = int(np.prod(first.shape[1:]))
    progress.emit("note", text=f"fitting PCA: {min(code_size, pixels):,} components of {pixels:,} values")
    if pixels > MAX_EXACT:
        return _incremental(chain([first], batches), min(code_size, pixels))
    count, total, product = 0, np.zeros(pixels), np.zeros((pixels, pixels))
    for batch in chain([first], batches):
        rows = batch.reshape(len(batch), -1).astype(np.float64)
        count += len(rows)
        total += rows.sum(0)
        product += rows.T @ rows
    mean = total / count
    product /= count
    product -= np.outer(mean, mean)
    return Principal(mean, leading(product, min(code_size, pixels)).T)


def leading(covariance: np.ndarray, many: int) -> np.ndarray:
    """Eigenvectors of the `many` largest eigenvalues of a covariance [D, D], the largest first: float64 [D, many].

    No more of them than are asked for: by Lanczos's method (Lehoucq, Sorensen & Yang 1998, ARPACK), where they are few, else by
    LAPACK. Lanczos's may miss one of equal eigenvalues; so it is asked once more for the largest that is left beside those found,
    and where that is not the smallest of them at most, LAPACK answers.
    """
    from scipy.linalg import eigh
    from scipy.sparse.linalg import ArpackError

    size = len(covariance)
    if many * FEW <= size:
        try:
            values, vectors = _lanczos(lambda x: covariance @ x, size, many)
            left, _ = _lanczos(lambda x: covariance @ x - vectors @ (values * (vectors.T @ x)), size, 1)
            if left[0] <= values[0] + SAME * values[-1]:
                return vectors[:, ::-1]
        except ArpackError:
            pass  # it did not converge
    return eigh(covariance, subset_by_index=[size - many, size - 1])[1][:, ::-1]


def _lanczos(product, size: int, many: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a symmetric [size, size] that is given as its product with a vector, smallest first, to the last
    digit, and their vectors; from the same start each time."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    start = np.random.default_rng(0).standard_normal(size)
    return eigsh(LinearOperator((size, size), product, dtype=np.float64), many, which="LA", v0=start)


def _incremental(batches: Iterable[np.ndarray], code_size: int) -> Principal:
    """IncrementalPCA, which demands at least `code_size` images at a time."""
    from sklearn.decomposition import IncrementalPCA

    model = IncrementalPCA(n_components=code_size)
    for rows in _at_least(code_size, batches):
        model.partial_fit(rows)
    return Principal(model.mean_, model.components_, is_exact=False)


def _at_least(count: int, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Flattened batches of `count` images or more; what is left over at the end joins the last one."""
    ready, held = None, []
    for batch in batches:
        held.append(batch.reshape(len(batch), -1))
        if sum(map(len, held)) >= count:
            if ready is not None:
                yield ready
            ready, held = np.concatenate(held), []
    rest = ([] if ready is None else [ready]) + held
    if rest:
        yield np.concatenate(rest)

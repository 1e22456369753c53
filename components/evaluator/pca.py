"""Exact principal component analysis of an image stream: the baseline that an autoencoder has to beat.

One pass adds up mean and covariance, so memory does not grow with the number of images; it grows with the square of the
pixels, and past MAX_EXACT pixels scikit-learn's IncrementalPCA takes over (close to exact, memory linear in the pixels).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

MAX_EXACT = 4096  # pixels times channels; the covariance then takes 128 MiB


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
    if pixels > MAX_EXACT:
        return _incremental(chain([first], batches), min(code_size, pixels))
    count, total, product = 0, np.zeros(pixels), np.zeros((pixels, pixels))
    for batch in chain([first], batches):
        rows = batch.reshape(len(batch), -1).astype(np.float64)
        count += len(rows)
        total += rows.sum(0)
        product += rows.T @ rows
    mean = total / count
    _, vectors = np.linalg.eigh(product / count - np.outer(mean, mean))
    return Principal(mean, vectors[:, ::-1][:, :code_size].T)


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

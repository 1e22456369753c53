"""Densities of images in closed form: what a model that learns a density has to beat.

Each is fitted in two passes at most over the training images and says the log-likelihood of others in nats an image.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from components.tasks.reconstruction import pca
from components.tasks.reconstruction.pixels import ROUNDING

Batches = Callable[[], Iterable[np.ndarray]]  # [N, ...] images of one shape, in 0..1; anew each time


@dataclass(frozen=True)
class ProbabilisticPca:
    """x = W z + mean + e, with e of N(0, noise): Tipping & Bishop 1999, "Probabilistic principal component analysis", section 3.2.

    principal: mean and directions. variances [k]: of the images along the directions, noise included. noise: in all others.
    """

    principal: pca.Principal
    variances: np.ndarray
    noise: float

    @classmethod
    def fit(cls, images: Batches, code_size: int) -> "ProbabilisticPca":
        """By maximum likelihood, equations 7 and 8: the noise is the mean variance of the directions that are left out, but not
        less than `ROUNDING`.

        Args:
            code_size: below the number of pixels.
        """
        principal = pca.fit(images(), code_size)
        count, total, along = 0, 0.0, np.zeros(len(principal.components))
        for centred, projected in _projected(principal, images()):
            count += len(centred)
            total += float(np.square(centred).sum())
            along += np.square(projected).sum(0)
        variances, rest = along / count, principal.components.shape[1] - len(along)
        noise = max((total / count - variances.sum()) / max(rest, 1), ROUNDING)
        return cls(principal, np.maximum(variances, noise), noise)

    def log_likelihood(self, images: Batches) -> float:
        """The mean over images."""
        return float(self.log_likelihoods(images).mean())

    def log_likelihoods(self, images: Batches) -> np.ndarray:
        """log N(x; mean, W W^T + noise) of each image, equation 4 without the sum: float64 [N]."""
        size, rest = self.principal.components.shape[1], self.principal.components.shape[1] - len(self.variances)
        log_determinant = np.log(self.variances).sum() + rest * math.log(self.noise)
        densities = []
        for centred, projected in _projected(self.principal, images()):
            outside = np.square(centred).sum(1) - np.square(projected).sum(1)
            distance = (np.square(projected) / self.variances).sum(1) + outside / self.noise
            densities.append(-0.5 * (size * math.log(2 * math.pi) + log_determinant + distance))
        return np.concatenate(densities)


@dataclass(frozen=True)
class IndependentBernoulli:
    """Each pixel on with a probability of its own, whatever the others are. probabilities: [D]."""

    probabilities: np.ndarray

    @classmethod
    def fit(cls, images: Batches) -> "IndependentBernoulli":
        """The pixels' means, by Laplace's rule of succession: a pixel that was never on is not impossible."""
        total, count = 0.0, 0
        for batch in images():
            total = total + batch.reshape(len(batch), -1).astype(np.float64).sum(0)
            count += len(batch)
        return cls((total + 1) / (count + 2))

    def log_likelihood(self, images: Batches) -> float:
        """The mean over images; of grey pixels it is minus a cross-entropy."""
        return float(self.log_likelihoods(images).mean())

    def log_likelihoods(self, images: Batches) -> np.ndarray:
        """Of each image: float64 [N]."""
        on, off = np.log(self.probabilities), np.log1p(-self.probabilities)
        rows = (batch.reshape(len(batch), -1).astype(np.float64) for batch in images())
        return np.concatenate([batch @ on + (1 - batch) @ off for batch in rows])


def _projected(principal: pca.Principal, batches: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows without their mean [N, D], and along the directions [N, k]."""
    for batch in batches:
        centred = batch.reshape(len(batch), -1).astype(np.float64) - principal.mean
        yield centred, centred @ principal.components.T

"""A Gaussian of the features at each place: PaDiM, Defard et al. 2021, ICPR workshops, sections 3.1 and 3.2.

Differs on purpose: the image's score is the largest value of the map as it is, not scaled by the extremes of a test set, which a
server does not have.
"""

import numpy as np

from components.tasks.patches import shared
from configs.errors import HubelError

REGULARISATION = 0.01  # epsilon of section 3.1


class Task(shared.Patches):
    """Models have a PatchGaussians."""

    def learn(self, head, features):
        count, total, products, chosen = 0, 0.0, 0.0, None
        for batch in features:
            if chosen is None:
                chosen = drawn(batch.shape[-1], head.dimensions, head.seed)
            rows = batch[..., chosen].reshape(len(batch), -1, head.dimensions).astype(np.float64).transpose(1, 0, 2)
            count, total = count + len(batch), total + rows.sum(1)
            products = products + rows.transpose(0, 2, 1) @ rows
        if count < 2:
            raise HubelError(f"PaDiM needs two training images for a covariance; there is {count}.", "Use more images.")
        mean = total / count
        covariance = (products - count * mean[:, :, None] * mean[:, None]) / (count - 1)
        head.hold(chosen, mean, covariance + REGULARISATION * np.eye(head.dimensions))

    def scored(self, head, maps, inside):
        return head(maps), None


def drawn(channels: int, kept: int, seed: int) -> np.ndarray:
    """Which channels are kept, ascending: int64 [kept]."""
    return np.sort(np.random.default_rng(seed).choice(channels, kept, replace=False))

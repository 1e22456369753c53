"""scikit-learn's dictionary learning of an image stream: the baseline of sparse codes."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import tensorflow as tf

from keras_models.layers import sparse_inference

IMAGES = 5_000  # that it is fitted on, at most
EPOCHS = 20
BATCH = 256


@dataclass(frozen=True)
class Learned:
    """Mean [values] and basis [atoms, values], float32, of flattened images."""

    mean: np.ndarray
    basis: np.ndarray

    def objective(self, batches: Iterable[np.ndarray], penalty: float, sparsity: str = "l1", scale: float = 1.0) -> float:
        """The mean over images of `objectives`."""
        return float(self.objectives(batches, penalty, sparsity, scale).mean())

    def objectives(self, batches: Iterable[np.ndarray], penalty: float, sparsity: str = "l1", scale: float = 1.0) -> np.ndarray:
        """|x - a D|^2 + penalty * sum S(a) of each image, its code a the minimum: scikit-learn's own for L1, and for an S that it
        does not have, sparse_inference's. Batches are [N, ...] of the fitted scale; float64 [all N]."""
        losses = []
        for batch in batches:
            rows = batch.reshape(len(batch), -1).astype(np.float32) - self.mean
            codes = self._codes(rows, penalty, sparsity, scale)
            costs = np.asarray(sparse_inference.cost(codes, sparsity, scale), np.float64)
            errors = np.square(rows - codes @ self.basis, dtype=np.float64).sum(1)
            losses.append(errors + penalty * costs.reshape(len(rows), -1).sum(1))
        return np.concatenate(losses)

    def _codes(self, rows, penalty, sparsity, scale):
        if sparsity != "l1":
            return tf.function(sparse_inference.infer)(rows, self.basis, penalty, sparsity, scale).numpy()
        from sklearn.decomposition import sparse_encode

        return sparse_encode(rows, self.basis, algorithm="lasso_cd", alpha=penalty / 2, max_iter=5_000)


def fit(batches: Iterable[np.ndarray], atoms: int, penalty: float) -> Learned:
    """Mairal, Bach, Ponce & Sapiro 2009, "Online dictionary learning for sparse coding", ICML, as scikit-learn has it: on the first
    IMAGES, EPOCHS times, L1, from seed 0. Its alpha is half of `penalty`, because its squared error is halved.

    Args:
        batches: [N, ...] images of one shape.
    """
    from sklearn.decomposition import MiniBatchDictionaryLearning

    rows = np.stack(list(islice((image.ravel() for batch in batches for image in batch), IMAGES))).astype(np.float32)
    mean = rows.mean(0)
    learner = MiniBatchDictionaryLearning(
        atoms, alpha=penalty / 2, max_iter=EPOCHS, batch_size=BATCH, fit_algorithm="cd", random_state=0
    )
    return Learned(mean, learner.fit(rows - mean).components_.astype(np.float32))

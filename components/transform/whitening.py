"""From moments of whole images to the matrix that whitens them, the weights of keras_models.layers.Whitening."""

import numpy as np


def zca(mean: np.ndarray, covariance: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Zero-phase whitening: Bell & Sejnowski 1997, Vision Research 37(23).

    With U diag(S) U^T the covariance of pixels / 255, W = U diag(1 / sqrt(S + epsilon)) U^T, in float64. The paper has no epsilon;
    here a direction without variance, such as a corner that is always black, must not be divided by 0.

    Args:
        mean, covariance: float64 [k] and [k, k], of all values of an image, over 0..255.
        epsilon: variance of pixels / 255, above 0; directions of much less come out small instead of blown up.

    Returns:
        The mean as it is, and W / 255 [k, k]: rows (pixels - mean) @ (W / 255) have mean 0 and covariance
        U diag(S / (S + epsilon)) U^T.
    """
    variances, directions = np.linalg.eigh(covariance / 255**2)
    scales = 1 / np.sqrt(np.maximum(variances, 0) + epsilon)
    return mean, (directions * scales) @ directions.T / 255

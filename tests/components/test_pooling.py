"""Errors to a score, beside NumPy and SciPy on the image without its bars."""

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError
from scipy import ndimage

from components import pooling
from configs.schema.anomaly import AnomalyConfig

PLACES = [(0, 0, 9, 12), (2, 0, 5, 12), (0, 4, 9, 3), (4, 0, 1, 12), (0, 5, 9, 1)]  # top, left, height, width
ASKED = [
    {},
    {"pooling": "max"},
    {"pooling": "top_share"},
    {"pooling": "top_share", "share": 1.0},
    {"pooling": "top_share", "share": 0.001},
    {"pooling": "smoothed_max"},
    {"pooling": "smoothed_max", "window": 1},
    {"pooling": "smoothed_max", "window": 15},
]


def expected(errors: np.ndarray, pooling: str = "mean", share: float = 0.1, window: int = 5) -> float:
    """Of the errors of one image, [height, width], without bars."""
    if pooling == "mean":
        return errors.mean()
    if pooling == "max":
        return errors.max()
    if pooling == "top_share":
        return np.sort(errors.ravel())[::-1][: max(1, round(share * errors.size))].mean()
    high, wide = (min(window, side) for side in errors.shape)
    return np.lib.stride_tricks.sliding_window_view(errors, (high, wide)).mean((2, 3)).max()


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Errors that are largest in the bars, and where there is image."""
    errors = np.random.default_rng(0).random((len(PLACES), 9, 12, 1)).astype(np.float32) ** 4
    inside = np.zeros_like(errors)
    for row, (top, left, height, width) in enumerate(PLACES):
        inside[row, top : top + height, left : left + width] = 1
    return np.where(inside == 1, errors, 9.0).astype(np.float32), inside


@pytest.mark.parametrize("asked", ASKED)
def test_a_score_is_of_the_image_alone(asked):
    errors, inside = batch()
    scores = pooling.pooled(tf.constant(errors), tf.constant(inside), AnomalyConfig(**asked)).numpy()
    bare = [errors[row, top : top + high, left : left + wide, 0] for row, (top, left, high, wide) in enumerate(PLACES)]
    np.testing.assert_allclose(scores, [expected(image, **asked) for image in bare], rtol=1e-5)


def test_a_square_s_mean_is_scipy_s_filter():
    errors, inside = batch()
    asked = AnomalyConfig(pooling="smoothed_max")
    scores = pooling.pooled(tf.constant(errors[:1]), tf.constant(inside[:1]), asked).numpy()
    filtered = ndimage.uniform_filter(errors[0, ..., 0].astype(np.float64), 5)[2:-2, 2:-2]  # where the square lies inside
    np.testing.assert_allclose(scores, [filtered.max()], rtol=1e-5)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"pooling": "max", "score": "latent_distance"}, "pooling is of reconstruction_error; latent_distance has no errors"),
        ({"pooling": "top_share", "score": "elbo"}, "pooling is of reconstruction_error; elbo has no errors"),
        ({"share": 0.2}, "share is of top_share; mean does not read it"),
        ({"pooling": "max", "window": 3}, "window is of smoothed_max; max does not read it"),
        ({"pooling": "smoothed_max", "window": 4}, "window must be odd"),
        ({"pooling": "median"}, "Input should be"),
    ],
)
def test_what_nothing_reads_is_refused(asked, words):
    with pytest.raises(ValidationError, match=words):
        AnomalyConfig(**asked)


def test_a_card_of_before_means_the_mean():
    assert AnomalyConfig.model_validate_json('{"score": "reconstruction_error", "quantile": 0.95}').pooling == "mean"

"""Normal numbers of an image's own, beside SciPy's normal distribution."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_models import own_draws

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1)).astype("float32")


def numbers(images=IMAGES, draws=64, size=20, seed=0) -> np.ndarray:
    """[draws, N, size]."""
    keys = own_draws.key(images, seed)
    return np.stack([own_draws.normal(keys, draw, size) for draw in range(draws)])


def test_they_are_normal_and_independent_of_one_another():
    drawn = numbers()
    assert drawn.dtype == np.float32
    assert stats.kstest(drawn.ravel()[::7], "norm").pvalue > 0.01
    assert abs(drawn).max() < 5.31
    many = drawn.size
    for shifted in (np.roll(drawn, 1, 0), np.roll(drawn, 1, 1), np.roll(drawn, 1, 2), np.roll(drawn, (1, 1, 1), (0, 1, 2))):
        for left, right in ((drawn, shifted), (drawn**2 - 1, shifted**2 - 1)):
            assert abs((left * right).mean()) < 4 * np.sqrt((left**2).mean() * (right**2).mean() / many)
    for axis in range(3):  # the mean along each axis has the variance of a mean
        means = drawn.mean(axis).ravel() * np.sqrt(drawn.shape[axis])
        assert stats.kstest(means, "norm").pvalue > 0.001
    assert len(np.unique(drawn)) > 0.98 * many  # 2^23 values, 256,000 of them drawn


def test_images_that_differ_in_one_step_of_one_pixel_have_others():
    near = np.repeat(IMAGES[:1], 64, axis=0)
    near.reshape(64, 64)[np.arange(64), np.arange(64)] = np.mod(near.reshape(64, 64)[0] + 1, 256)
    drawn = numbers(np.concatenate([IMAGES[:1], near]), draws=8).transpose(1, 0, 2).reshape(65, -1)
    apart = np.corrcoef(drawn)[np.triu_indices(65, 1)]
    assert abs(apart).max() < 5 / np.sqrt(drawn.shape[1])
    assert apart.std() == pytest.approx(1 / np.sqrt(drawn.shape[1]), rel=0.1)


def test_they_are_the_image_s_own_in_any_batch_and_graph():
    alone = numbers(IMAGES[7:8], 3)
    np.testing.assert_allclose(alone[:, 0], numbers(draws=3)[:, 7], rtol=1e-6)
    np.testing.assert_allclose(alone[:, 0], numbers(np.round(IMAGES)[::-1] + 0.2, 3)[:, -8], rtol=1e-6)  # of rounded pixels
    in_graph = tf.function(lambda x: own_draws.normal(own_draws.key(x), tf.constant(2), 20))
    np.testing.assert_allclose(in_graph(IMAGES[7:8]), alone[2], rtol=1e-6)


def test_another_seed_gives_others():
    drawn, reseeded = numbers(draws=4), numbers(draws=4, seed=1)
    assert abs(np.corrcoef(drawn.ravel(), reseeded.ravel())[0, 1]) < 0.03
    assert numbers(IMAGES[:0], 1).shape == (1, 0, 20)

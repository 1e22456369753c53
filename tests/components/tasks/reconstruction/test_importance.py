"""Estimates of log p(x), on a linear Gaussian model whose log p(x) is known."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.stats import multivariate_normal

from components.tasks.reconstruction import importance

DEVIATION = 0.5
W = np.array([[1.0, 0.3], [-0.5, 0.8], [0.2, -1.1]])  # x = W z + e
X = np.random.default_rng(0).standard_normal((5, 3))
EXACT = multivariate_normal(np.zeros(3), W @ W.T + DEVIATION**2 * np.eye(3)).logpdf(X)


def cost(codes):
    """-log p(x|z), [N]."""
    return tf.reduce_sum(0.5 * ((X - codes @ tf.constant(W.T, tf.float32)) / DEVIATION) ** 2, -1) + 1.5 * np.log(
        2 * np.pi * DEVIATION**2
    )


def parameters(mean, covariance):
    return tf.constant(np.concatenate([mean, np.broadcast_to(np.log(np.diag(covariance)), mean.shape)], 1), tf.float32)


COVARIANCE = np.linalg.inv(np.eye(2) + W.T @ W / DEVIATION**2)  # of the posterior
MEAN = X @ W @ COVARIANCE.T / DEVIATION**2
AWAY = parameters(0.7 * MEAN, 2 * COVARIANCE)  # a q that is not the posterior


PIXELS = np.arange(5)[:, None]  # stand for the images, whose draws they give


@tf.function(autograph=False)
def graph(draws, seed):
    return importance.estimate(AWAY, cost, PIXELS, draws, seed)


def estimate(draws, seed=0):
    return graph(draws, tf.constant(seed, tf.int64))


def elbo(mean, covariance):
    """log p(x) - KL(q || posterior), in closed form. found: means of q; covariance: its own, diagonal."""
    precision, off = np.linalg.inv(COVARIANCE), mean - MEAN
    apart = np.trace(precision @ covariance) - 2 + np.log(np.linalg.det(COVARIANCE) / np.linalg.det(covariance))
    return EXACT - 0.5 * (apart + np.einsum("ni,ij,nj->n", off, precision, off))


def test_the_elbo_is_the_one_in_closed_form():
    estimated = estimate(4000)
    np.testing.assert_allclose(estimated.elbo, elbo(0.7 * MEAN, np.diag(np.diag(2 * COVARIANCE))), atol=0.15)
    np.testing.assert_allclose(estimated.mean, 0.7 * MEAN, rtol=1e-5)


def test_the_bound_rises_from_the_elbo_to_log_p():
    """The mean over many sets of draws, as the theorem has it (Burda et al. 2016, theorem 1)."""
    sets = [[estimate(many, seed) for seed in range(400 // many)] for many in (1, 8, 64)]
    means = [np.mean([estimated.log_likelihood for estimated in each]) for each in sets]
    assert means == sorted(means)
    assert means[0] == pytest.approx(np.mean(elbo(0.7 * MEAN, np.diag(np.diag(2 * COVARIANCE)))), abs=0.3)
    np.testing.assert_allclose(estimate(5000).log_likelihood, EXACT, atol=0.05)


def test_of_the_exact_posterior_one_draw_is_enough():
    """With one number in the code, whose posterior is a q."""
    w = W[:, :1]
    variance = 1 / (1 + float(w[:, 0] @ w[:, 0]) / DEVIATION**2)
    exact = multivariate_normal(np.zeros(3), w @ w.T + DEVIATION**2 * np.eye(3)).logpdf(X)

    def own_cost(codes):
        return cost(tf.concat([codes, tf.zeros_like(codes)], 1))

    q = parameters(X @ w * variance / DEVIATION**2, np.array([[variance]]))
    estimated = importance.estimate(q, own_cost, PIXELS, 1)
    np.testing.assert_allclose(estimated.log_likelihood, exact, rtol=1e-4)


def linear_gaussian(many, seed=1):
    """Images of the model itself, a q for each that is not the posterior, their cost, and pixels that stand for them."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((many, 2)) @ W.T + DEVIATION * random.standard_normal((many, 3))
    mean = 0.7 * x @ W @ COVARIANCE.T / DEVIATION**2

    def own_cost(codes):
        off = (x - codes @ tf.constant(W.T, tf.float32)) / DEVIATION
        return tf.reduce_sum(0.5 * off**2, -1) + 1.5 * np.log(2 * np.pi * DEVIATION**2)

    variance = np.diag(2 * COVARIANCE)
    off = x - mean @ W.T
    spread = np.square(W).sum(0) @ variance
    exact = -0.5 * (np.square(off).sum(1) + spread) / DEVIATION**2 - 1.5 * np.log(2 * np.pi * DEVIATION**2)
    exact = exact - 0.5 * (variance.sum() + np.square(mean).sum(1) - 2 - np.log(variance).sum())
    return parameters(mean, 2 * COVARIANCE), own_cost, np.arange(many)[:, None], exact


@pytest.mark.parametrize("draws", [2, 16])
def test_the_error_of_the_mean_over_images_averages_out(draws):
    """Where one set of draws for all images leaves as much on 4,000 images as on one."""
    q, own_cost, pixels, exact = linear_gaussian(4000)
    estimated = importance.estimate(q, own_cost, pixels, draws)
    off = estimated.elbo.numpy() - exact
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(4000)
    assert off.std() / np.sqrt(4000) < 0.05
    assert abs(np.corrcoef(off[::2], off[1::2])[0, 1]) < 4 / np.sqrt(2000)


def test_the_standard_error_of_an_image_is_the_deviation_over_sets_of_draws():
    sets = [estimate(50, seed) for seed in range(300)]
    for name, tolerance in (("elbo", 0.15), ("log_likelihood", 0.3)):  # the second holds to first order alone
        values, errors = (np.stack([getattr(estimated, key) for estimated in sets]) for key in (name, f"{name}_error"))
        np.testing.assert_allclose(np.sqrt(np.square(errors).mean(0)), values.std(0, ddof=1), rtol=tolerance)
    assert np.isnan(estimate(1).elbo_error).all()


def test_the_mean_and_its_error_are_scipy_s():
    values = np.random.default_rng(0).standard_normal(50)
    assert importance.mean_and_error(values) == pytest.approx((values.mean(), stats.sem(values)))
    assert np.isnan(importance.mean_and_error(values[:1])[1])

"""Estimates of log p(x), on a linear Gaussian model whose log p(x) is known."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import multivariate_normal

from components.evaluator import importance

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


@tf.function
def estimate(noise):
    return importance.estimate(AWAY, cost, noise)


def elbo(found, covariance):
    """log p(x) - KL(q || posterior), in closed form. found: means of q; covariance: its own, diagonal."""
    precision, off = np.linalg.inv(COVARIANCE), found - MEAN
    apart = np.trace(precision @ covariance) - 2 + np.log(np.linalg.det(COVARIANCE) / np.linalg.det(covariance))
    return EXACT - 0.5 * (apart + np.einsum("ni,ij,nj->n", off, precision, off))


def test_the_elbo_is_the_one_in_closed_form():
    found = estimate(importance.draws(4000, 2))
    np.testing.assert_allclose(found.elbo, elbo(0.7 * MEAN, np.diag(np.diag(2 * COVARIANCE))), atol=0.15)
    np.testing.assert_allclose(found.mean, 0.7 * MEAN, rtol=1e-5)


def test_the_bound_rises_from_the_elbo_to_log_p():
    """The mean over many sets of draws, as the theorem has it (Burda et al. 2016, theorem 1)."""
    sets = [[estimate(importance.draws(many, 2, seed)) for seed in range(400 // many)] for many in (1, 8, 64)]
    means = [np.mean([one.log_likelihood for one in each]) for each in sets]
    assert means == sorted(means)
    assert means[0] == pytest.approx(np.mean(elbo(0.7 * MEAN, np.diag(np.diag(2 * COVARIANCE)))), abs=0.3)
    np.testing.assert_allclose(estimate(importance.draws(5000, 2)).log_likelihood, EXACT, atol=0.05)


def test_of_the_exact_posterior_one_draw_is_enough():
    """With one number in the code, whose posterior is a q."""
    w = W[:, :1]
    variance = 1 / (1 + float(w[:, 0] @ w[:, 0]) / DEVIATION**2)
    exact = multivariate_normal(np.zeros(3), w @ w.T + DEVIATION**2 * np.eye(3)).logpdf(X)

    def own_cost(codes):
        return cost(tf.concat([codes, tf.zeros_like(codes)], 1))

    q = parameters(X @ w * variance / DEVIATION**2, np.array([[variance]]))
    found = importance.estimate(q, own_cost, importance.draws(1, 1))
    np.testing.assert_allclose(found.log_likelihood, exact, rtol=1e-4)


def test_draws_are_the_same_each_time():
    np.testing.assert_array_equal(importance.draws(3, 2), importance.draws(3, 2))
    assert (importance.draws(3, 2) != importance.draws(3, 2, seed=1)).all()

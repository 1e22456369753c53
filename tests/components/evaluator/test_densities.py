"""Closed-form densities, against scikit-learn and SciPy."""

import numpy as np
import pytest
from scipy.stats import bernoulli, multivariate_normal
from sklearn.decomposition import PCA

from components.evaluator.densities import ROUNDING, IndependentBernoulli, ProbabilisticPca
from tests.components import digits


def parts():
    images = digits.images()[0] / 255.0
    return images[:400], images[400:600]


def batches(images):
    return lambda: (images[start : start + 90] for start in range(0, len(images), 90))


@pytest.mark.parametrize("code_size", [1, 8, 40])
def test_probabilistic_pca_is_scikit_learn_s(code_size):
    train, test = parts()
    theirs = PCA(code_size, svd_solver="full").fit(train.reshape(len(train), -1))
    likely = (len(train) - 1) / len(train)  # scikit-learn's variances are unbiased, the paper's of maximum likelihood
    theirs.explained_variance_ *= likely
    theirs.noise_variance_ *= likely
    mine = ProbabilisticPca.fit(batches(train), code_size)
    assert mine.noise == pytest.approx(theirs.noise_variance_)
    assert mine.log_likelihood(batches(test)) == pytest.approx(theirs.score(test.reshape(len(test), -1)), rel=1e-6)


def test_no_density_is_sharper_than_pixels_are_rounded():
    flat = np.tile(np.linspace(0, 1, 5)[:, None, None, None], (1, 3, 2, 1))  # all pixels alike: one direction, no noise
    density = ProbabilisticPca.fit(batches(flat), 2)
    assert density.noise == ROUNDING
    covariance = np.cov(flat.reshape(5, -1).T, bias=True) + ROUNDING * (np.eye(6) - np.ones((6, 6)) / 6)
    expected = multivariate_normal(np.full(6, 0.5), covariance).logpdf(flat.reshape(5, -1)).mean()
    assert density.log_likelihood(batches(flat)) == pytest.approx(expected, rel=1e-6)


def test_as_many_numbers_as_pixels_are_a_full_gaussian():
    rows = np.random.default_rng(0).standard_normal((50, 4)) @ np.random.default_rng(1).standard_normal((4, 4))
    density = ProbabilisticPca.fit(batches(rows.reshape(50, 2, 2, 1)), 4)
    expected = multivariate_normal(rows.mean(0), np.cov(rows.T, bias=True)).logpdf(rows).mean()
    assert density.log_likelihood(batches(rows.reshape(50, 2, 2, 1))) == pytest.approx(expected)


def test_independent_pixels_are_scipy_s():
    train, test = ((images > 0.5).astype(float) for images in parts())
    flat = train.reshape(len(train), -1)
    density = IndependentBernoulli.fit(batches(train))
    expected = (flat.sum(0) + 1) / (len(flat) + 2)
    assert (flat.sum(0) == 0).any()  # a pixel that was never on
    np.testing.assert_allclose(density.probabilities, expected)
    likely = bernoulli(expected).logpmf(test.reshape(len(test), -1).astype(int)).sum(1).mean()
    assert density.log_likelihood(batches(test)) == pytest.approx(likely)

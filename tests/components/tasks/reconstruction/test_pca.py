"""The baseline of autoencoders, against scikit-learn and against a published figure."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from components.tasks.reconstruction import pca
from tests.components import digits


def batches(images, size=100):
    return [images[start : start + size] for start in range(0, len(images), size)]


def unit() -> np.ndarray:
    return digits.images()[0] / 255.0


def expected(train, test, code_size) -> float:
    model = PCA(code_size, svd_solver="full").fit(train.reshape(len(train), -1))
    rows = test.reshape(len(test), -1)
    return float(np.square(rows - model.inverse_transform(model.transform(rows))).mean())


@pytest.mark.parametrize("code_size", [1, 8, 40, 64])
def test_it_is_exact(code_size):
    train, test = unit()[:1000], unit()[1000:]
    principal = pca.fit(batches(train), code_size)
    assert principal.components.shape == (code_size, 64)
    assert principal.name == "PCA"
    assert np.allclose(principal.components @ principal.components.T, np.eye(code_size), atol=1e-9)
    assert principal.mean_squared_error(batches(test)) == pytest.approx(expected(train, test, code_size), abs=1e-10)


def test_how_images_are_batched_does_not_matter():
    errors = {
        round(pca.fit(batches(unit()[:500], size), 5).mean_squared_error(batches(unit()[500:], size)), 10) for size in (1, 7, 500)
    }
    assert len(errors) == 1


def test_a_code_larger_than_the_image_reconstructs_it():
    principal = pca.fit(batches(unit()[:100]), 1000)
    assert principal.components.shape == (64, 64)
    assert principal.mean_squared_error(batches(unit())) == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("size", [30, 100])
def test_past_the_largest_exact_size_it_is_close(monkeypatch, size):
    train, test = unit()[:1000], unit()[1000:]
    exact = pca.fit(batches(train), 8).mean_squared_error(batches(test))
    monkeypatch.setattr(pca, "MAX_EXACT", 63)
    close = pca.fit(batches(train, size), 8).mean_squared_error(batches(test))
    assert close == pytest.approx(exact, rel=0.05)
    assert close != exact
    assert pca.fit(batches(train, size), 8).name == "incremental PCA"


@settings(max_examples=50)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 12))
def test_incremental_batches_are_large_enough_and_lose_nothing(sizes, least):
    rows = np.arange(sum(sizes))[:, None]
    parts = np.split(rows, np.cumsum(sizes)[:-1])
    joined = list(pca._at_least(least, parts))
    assert np.array_equal(np.concatenate(joined), rows)
    assert all(len(part) >= least for part in joined) or sum(sizes) < least


def covariance_of(values, seed=0):
    """With these eigenvalues."""
    directions = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values),) * 2))[0]
    return (directions * values) @ directions.T


EXPLAINED = {
    "falling": 0.97 ** np.arange(400),
    "all the same": np.ones(400),
    "five the same at the end": np.array([9.0, 8.0, *[7.0] * 5, *[1.0] * 393]),
    "a hundred the same": np.array([*[5.0] * 100, *[1.0] * 300]),
    "one alone": np.array([1.0, *[0.0] * 399]),
    "nothing": np.zeros(400),
    "close together": 1 + 1e-7 * np.arange(400)[::-1],
}


@pytest.mark.parametrize("values", EXPLAINED)
@pytest.mark.parametrize("many", [1, 4, 20, 21, 400])
def test_no_variance_is_missed(values, many):
    """The directions found hold as much as those of the whole decomposition, by numpy.linalg.eigh; where LAPACK answers, too."""
    covariance = covariance_of(EXPLAINED[values])
    axes = pca.leading(covariance, many)
    assert axes.shape == (400, many)
    np.testing.assert_allclose(axes.T @ axes, np.eye(many), atol=1e-9)
    expected = np.linalg.eigvalsh(covariance)[::-1][:many]
    np.testing.assert_allclose(np.einsum("dk,de,ek->k", axes, covariance, axes), expected, atol=1e-9 * max(expected[0], 1))


def test_a_few_directions_take_no_whole_decomposition(monkeypatch):
    """Of images of 64x64 px the whole one took a quarter of a run's time. Counted: LAPACK is not asked."""
    import scipy.linalg

    asked = []
    whole = scipy.linalg.eigh
    monkeypatch.setattr(scipy.linalg, "eigh", lambda *given, **options: asked.append(options) or whole(*given, **options))
    monkeypatch.setattr(np.linalg, "eigh", lambda *given: pytest.fail("the whole decomposition"))
    images = np.random.default_rng(0).random((100, 20, 20, 1)).cumsum(1).cumsum(2)
    pca.fit([images], 15)
    assert asked == []
    pca.fit([images], 30)
    assert asked == [{"subset_by_index": [370, 399]}]


PUBLISHED = {2: 0.0557, 8: 0.0374, 16: 0.0269, 32: 0.0168, 64: 0.0090}  # on MNIST, from all 60,000 training images


@pytest.mark.shared_data
def test_the_published_errors_of_pca_on_mnist(shared_data):
    def images(name):
        with gzip.open(shared_data / "archives" / "mnist" / f"{name}-images-idx3-ubyte.gz") as file:
            return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)

    principal = pca.fit((batch / 255.0 for batch in batches(images("train"), 4096)), max(PUBLISHED))
    test = batches(images("t10k") / 255.0, 4096)
    for size, error in PUBLISHED.items():
        smaller = pca.Principal(principal.mean, principal.components[:size])
        assert smaller.mean_squared_error(test) == pytest.approx(error, abs=5e-5), size

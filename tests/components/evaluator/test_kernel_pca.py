"""Kernel PCA beside deep autoencoders."""

import numpy as np
import pytest

from components.evaluator import kernel_pca
from components.tasks.reconstruction import pca
from tests.components import digits


def parts():
    images = digits.images()[0] / 255.0
    return np.array_split(images[:400], 3), [(images[400:600], images[400:600])]


def test_it_beats_pca_of_the_same_code_size_on_digits_and_says_so_again():
    train, test = parts()
    error = kernel_pca.fit(train, 8).mean_squared_error(test)
    assert 0.01 < error < pca.fit(train, 8).mean_squared_error([test[0][0]])
    assert kernel_pca.fit(train, 8).mean_squared_error(test) == pytest.approx(error, rel=1e-6)


def test_what_it_gives_back_is_made_of_the_input_and_held_against_the_image():
    train, [(images, _)] = parts()
    fitted, noisy = kernel_pca.fit(train, 8), images + np.random.default_rng(0).normal(0, 0.2, images.shape)
    given = fitted.model.inverse_transform(fitted.model.transform(noisy.reshape(200, -1))).reshape(images.shape)
    error = fitted.mean_squared_error([(images[:90], noisy[:90]), (images[90:], noisy[90:])])
    assert error == pytest.approx(np.square(images - given).mean(), rel=1e-9)
    assert error > 1.1 * fitted.mean_squared_error([(images, images)])


def test_both_solvers_find_the_same(monkeypatch):
    train, test = parts()
    quick = kernel_pca.fit(train, 4).mean_squared_error(test)
    monkeypatch.setattr(kernel_pca, "FEW", 1000)
    assert kernel_pca.fit(train, 4).mean_squared_error(test) == pytest.approx(quick, rel=1e-4)


def test_its_sample_is_bounded(monkeypatch):
    monkeypatch.setattr(kernel_pca, "SAMPLE", 100)
    assert len(kernel_pca.fit(parts()[0], 4).model.X_fit_) == 100


@pytest.mark.parametrize(
    ("images", "code_size"),
    [
        (np.random.default_rng(0).random((6, 4, 4, 1)), 6),
        (np.ones((20, 4, 4, 1)), 2),
        (np.zeros((2, 65, 64, 1)), 1),
    ],
    ids=["code as large as the sample", "all the same", "too many pixels"],
)
def test_where_there_is_none_it_says_none(images, code_size):
    assert kernel_pca.fit([images], code_size) is None

"""Maps of codes: PCA against the singular value decomposition, t-SNE by what it is for."""

import numpy as np
import pytest

from components.codes import places


def test_principal_components_are_those_of_the_singular_values():
    codes = np.random.default_rng(0).standard_normal((60, 5)) * [5, 3, 1, 0.5, 0.1] + 7
    made = places.of_codes(codes)
    _, values, directions = np.linalg.svd(codes - codes.mean(0))
    projected = (codes - codes.mean(0)) @ directions[:2].T
    np.testing.assert_allclose(np.abs(made.places), np.abs(projected), atol=1e-9)
    assert made.explained == pytest.approx((values[:2] ** 2).sum() / (values**2).sum())
    assert made.axes == ("principal component 1", "principal component 2")


def test_a_code_of_two_numbers_is_its_own_map():
    codes = np.array([[1, 2], [3, -4.0]], np.float32)
    made = places.of_codes(codes)
    np.testing.assert_array_equal(made.places, codes)
    assert made == (made.places, ("code 1", "code 2"), 1.0)


@pytest.mark.parametrize("codes", [np.ones((5, 3)), np.arange(4.0)[:, None], np.zeros((3, 1))])
def test_flat_codes_have_a_map_too(codes):
    made = places.of_codes(codes)
    assert made.places.shape == (len(codes), 2)
    assert np.isfinite(made.places).all()
    assert made.explained == pytest.approx(1)


def test_neighbours_stay_neighbours_and_a_seed_gives_the_same_map():
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(3), 20)
    codes = random.standard_normal((3, 8))[groups] * 8 + random.standard_normal((60, 8))
    made, again = places.by_tsne(codes, 3), places.by_tsne(codes, 3)
    np.testing.assert_array_equal(made.places, again.places)
    apart = np.linalg.norm(made.places[:, None] - made.places[None], axis=2) + np.diag(np.full(60, np.inf))
    assert np.mean(groups[apart.argmin(1)] == groups) > 0.95
    assert made.explained is None

"""Normalised cross-correlation, against scikit-image and NumPy."""

import numpy as np
import pytest
from skimage.feature import match_template

from keras_models.layers.normalized_correlation import NormalizedCorrelation

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.uniform(0, 255, (12, 15)).astype("float32")
PATTERNS = RANDOM.random((2, 3, 5))


def answers(patterns, picture, border="reflect"):
    return np.moveaxis(np.asarray(NormalizedCorrelation(patterns, border)(picture[None, :, :, None]))[0], -1, 0)


def test_against_scikit_image():
    expected = [match_template(PICTURE, pattern, pad_input=True) for pattern in PATTERNS.astype("float32")]
    np.testing.assert_allclose(answers(PATTERNS, PICTURE, "constant"), expected, atol=1e-5)


def test_against_numpy():
    around = np.pad(PICTURE, ((1, 1), (2, 2)), "symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 5)).reshape(*PICTURE.shape, 15)
    expected = [[[np.corrcoef(window, pattern.ravel())[0, 1] for window in row] for row in windows] for pattern in PATTERNS]
    np.testing.assert_allclose(answers(PATTERNS, PICTURE), expected, atol=1e-5)


def test_a_pattern_is_found_where_it_is_whatever_brightness_and_contrast():
    for gain, bias in ((1, 0), (4, 250), (-3, 7)):
        picture = np.full((9, 9), 0.5 * gain + bias, "float32")
        picture[4:7, 2:7] = PATTERNS[0] * gain + bias
        correlation = answers(PATTERNS[:1], picture)[0]
        assert np.unravel_index(np.abs(correlation).argmax(), correlation.shape) == (5, 4)
        assert correlation[5, 4] == pytest.approx(np.sign(gain), abs=1e-3)


@pytest.mark.parametrize("value", [0, 0.1, 1 / 3, 254.7])
def test_a_window_without_contrast_answers_0(value):
    assert not answers(PATTERNS, np.full((8, 8), value, "float32")).any()


def test_the_least_contrast_of_8_bits_answers():
    picture = np.full((7, 7), 1.0, "float32")
    picture[3, 3] = 254 / 255
    point = np.zeros((1, 3, 3))
    point[0, 1, 1] = 1
    assert answers(point, picture)[0, 3, 3] == pytest.approx(-1, abs=0.2)


def test_each_map_on_its_own():
    maps = RANDOM.random((2, 6, 7, 3), dtype="float32")
    out = np.asarray(NormalizedCorrelation(PATTERNS)(maps))
    for image, map_, pattern in np.ndindex(2, 3, 2):
        alone = answers(PATTERNS[pattern : pattern + 1], maps[image, :, :, map_])[0]
        np.testing.assert_allclose(out[image, :, :, 2 * map_ + pattern], alone, atol=1e-5)


def test_config_is_complete():
    layer = NormalizedCorrelation(PATTERNS, "wrap", name="match")
    again = NormalizedCorrelation.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(again.kernels, layer.kernels)


def test_what_it_costs():
    assert NormalizedCorrelation(PATTERNS).multiply_adds((6, 7, 3), (6, 7, 6)) == 6 * 7 * 3 * 15 * (2 + 2)


def test_a_pattern_without_contrast():
    with pytest.raises(ValueError, match=r"^a pattern that is the same everywhere correlates with nothing$"):
        NormalizedCorrelation([[[1, 2]], [[3, 3]]])

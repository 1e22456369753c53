"""Fixed filters, against SciPy: every bank, every border."""

import keras
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from keras_models import filters
from keras_models.layers.fixed_filters import BORDERS, FixedFilters

PICTURE = np.random.default_rng(0).uniform(0, 255, (11, 14)).astype("float32")
border_ = pytest.mark.parametrize("border", BORDERS)


def answers(kernels, border="reflect", picture=PICTURE, **arguments):
    """(kernels, height, width) of one picture."""
    return np.moveaxis(np.asarray(FixedFilters(kernels, border, **arguments)(picture[None, :, :, None]))[0], -1, 0)


def close(filtered, expected):
    np.testing.assert_allclose(filtered, expected, rtol=1e-5, atol=1e-3)  # of sums of up to 255


@border_
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 4), (5, 2), (1, 7)])
def test_any_kernel_is_scipy_s_correlation(size, border):
    kernels = np.random.default_rng(1).normal(size=(2, *size))
    close(answers(kernels, border), [scipy.ndimage.correlate(PICTURE, kernel, mode=border) for kernel in kernels])


@border_
def test_a_border_may_be_wider_than_the_image(border):
    kernel = np.random.default_rng(1).normal(size=(1, 15, 9))
    small = PICTURE[:3, :2]
    close(answers(kernel, border, small), [scipy.ndimage.correlate(small, kernel[0], mode=border)])


@border_
@pytest.mark.parametrize("size", [2, 3, 6])
def test_uniform(size, border):
    close(answers(filters.uniform(size), border), [scipy.ndimage.uniform_filter(PICTURE, size, mode=border)])


@border_
@pytest.mark.parametrize("sigma", [0.5, 1, 2.3])
def test_gaussian(sigma, border):
    close(answers(filters.gaussian(sigma), border), [scipy.ndimage.gaussian_filter(PICTURE, sigma, mode=border)])


@border_
def test_sobel(border):
    close(answers(filters.sobel(), border), [scipy.ndimage.sobel(PICTURE, axis, mode=border) for axis in (1, 0)])


@border_
@pytest.mark.parametrize("orientations", [1, 4, 6])
def test_oriented_edges_are_steered_derivatives_of_a_gaussian(orientations, border):
    along_x, along_y = (scipy.ndimage.gaussian_filter(PICTURE, 1.2, order=order, mode=border) for order in ((0, 1), (1, 0)))
    angles = np.arange(orientations) * np.pi / orientations
    close(answers(filters.oriented(orientations, 1.2), border), [np.cos(a) * along_x + np.sin(a) * along_y for a in angles])


def test_an_oriented_filter_answers_most_to_an_edge_across_its_direction():
    y, x = np.mgrid[-10:11, -10:11]
    for number, angle in enumerate(np.arange(8) * np.pi / 8):
        edge = (np.cos(angle) * x + np.sin(angle) * y > 1e-9).astype("float32")
        assert answers(filters.oriented(8, 1.5), picture=edge)[:, 10, 10].argmax() == number


@pytest.mark.parametrize(("border", "of_scipy"), [("constant", "fill"), ("reflect", "symm"), ("wrap", "wrap")])
def test_patterns_less_their_means(border, of_scipy):
    patterns = np.random.default_rng(1).random((3, 5, 3))
    expected = [scipy.signal.correlate2d(PICTURE, p - p.mean(), "same", of_scipy) for p in patterns]
    close(answers(filters.matching(patterns), border), expected)
    close(answers(filters.matching(patterns), border, PICTURE + 100)[:, 2:-2, 1:-1], np.array(expected)[:, 2:-2, 1:-1])


def test_true_convolution_is_correlation_with_the_kernel_turned():
    kernel = np.random.default_rng(1).normal(size=(3, 5))
    close(answers(kernel[None, ::-1, ::-1], "constant"), [scipy.signal.convolve(PICTURE, kernel, "same")])


def test_inside_alone_with_strides():
    kernel = np.random.default_rng(1).normal(size=(4, 3))
    layer = FixedFilters(kernel[None], "valid", (3, 2))
    out = np.asarray(layer(PICTURE[None, :, :, None]))[0, :, :, 0]
    close(out, scipy.signal.correlate(PICTURE, kernel, "valid")[::3, ::2])
    assert layer.compute_output_shape((None, *PICTURE.shape, 1)) == (None, *out.shape, 1)


def test_each_map_has_its_answers_one_after_another():
    maps = np.random.default_rng(2).random((2, 6, 7, 3), dtype="float32")
    kernels = np.random.default_rng(1).normal(size=(2, 3, 3))
    layer = FixedFilters(kernels, "nearest")
    out = np.asarray(layer(maps))
    assert out.shape == (2, 6, 7, 6) == layer.compute_output_shape(maps.shape)
    for image, map_, kernel in np.ndindex(2, 3, 2):
        expected = scipy.ndimage.correlate(maps[image, :, :, map_], kernels[kernel], mode="nearest")
        np.testing.assert_allclose(out[image, :, :, 2 * map_ + kernel], expected, rtol=1e-5, atol=1e-5)


def test_weights_are_fixed_saved_and_of_the_config(tmp_path):
    image = keras.Input((5, 5, 1))
    model = keras.Model(image, FixedFilters(filters.gaussian(0.7), "mirror", name="g")(image))
    assert model.trainable_variables == []
    assert model.get_layer("g").get_weights()[0].shape == (7, 7, 1)
    again = FixedFilters.from_config(model.get_layer("g").get_config())
    assert again.get_config() == model.get_layer("g").get_config()
    again.build((None, 5, 5, 1))
    np.testing.assert_array_equal(again.get_weights(), model.get_layer("g").get_weights())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([[1, 2]],), r"kernels must be numbers of shape \(kernels, rows, columns\); got shape \(1, 2\)"),
        (([[[1]]], "same"), "border must be reflect or mirror or nearest or wrap or constant or valid; got 'same'"),
    ],
)
def test_refusals(arguments, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        FixedFilters(*arguments)


def test_sides_that_are_not_fixed():
    with pytest.raises(ValueError, match=r"^the sides of g's input must be fixed; got None x 5$"):
        FixedFilters([[[1.0]]], name="g").build((None, None, 5, 1))

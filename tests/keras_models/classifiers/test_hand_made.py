"""Features made by hand: against scikit-image, SciPy and NumPy."""

import keras
import numpy as np
import pytest
import scipy.ndimage
import skimage.feature
from sklearn.datasets import load_digits

from configs import load
from keras_models import build
from keras_models.arithmetic import layer_table
from keras_models.classifiers.hand_made import PATTERNS, dense_sift, hand_made_filters, hog
from keras_models.layers.orientation_votes import OrientationVotes
from tests.keras_models.classifiers.support import losses, published

NORMS = {"l1": "L1", "l1_sqrt": "L1-sqrt", "l2": "L2", "l2_hys": "L2-Hys"}
RANDOM = np.random.default_rng(0)


def output_of(model, layer, images):
    """What a layer answers to float32 images (batch, height, width, channels)."""
    return np.asarray(keras.Model(model.input, model.get_layer(layer).output)(images))


# HOG


def of_scikit_image(images, cell=8, block=2, orientations=9, norm="l2_hys"):
    arguments = {"pixels_per_cell": (cell, cell), "cells_per_block": (block, block), "block_norm": NORMS[norm]}
    return [skimage.feature.hog(image, orientations, channel_axis=-1, **arguments) for image in images]


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((32, 24, 1), {}),
        ((33, 30, 3), {"orientations": 8, "cell": 5, "block": 3}),
        *(((20, 20, 2), {"cell": 4, "norm": norm}) for norm in NORMS),
    ],
)
def test_hog_is_scikit_image_s(shape, options):
    images = RANDOM.random((3, *shape), dtype="float32")
    images[0, : shape[0] // 2] = 0.5  # blocks without a gradient
    descriptor = output_of(hog(shape, interpolate=False, **options), "flatten", images)
    np.testing.assert_allclose(descriptor, of_scikit_image(images, **options), atol=1e-5)


@pytest.mark.parametrize("orientations", [6, 8, 9, 12])
def test_hog_of_scans_is_scikit_image_s(orientations):
    """Whole numbers, whose gradients often lie on the limit between two orientations."""
    scans = load_digits().images[:50, :, :, None].astype("float32")
    descriptor = output_of(hog(scans.shape[1:], cell=2, orientations=orientations, interpolate=False), "flatten", scans)
    np.testing.assert_allclose(descriptor, of_scikit_image(scans, 2, orientations=orientations), atol=1e-5)


def test_hog_of_the_paper_s_window_has_3780_values():
    rows = {row["name"]: row["output"] for row in layer_table(published("hog"))}
    assert (rows["image"], rows["blocks"], rows["flatten"]) == ([128, 64, 3], [15, 7, 36], [3_780])


@pytest.mark.parametrize("cell", [3, 4])
@pytest.mark.parametrize("shape", [(12, 13, 1), (15, 12, 3)])
def test_votes_are_shared_between_the_four_nearest_cells(shape, cell):
    image = RANDOM.random((1, *shape), dtype="float32")
    votes = np.asarray(OrientationVotes(9, interpolate=True)(image))[0]
    expected = np.zeros((shape[0] // cell, shape[1] // cell, 9))
    for y, x, row, column in np.ndindex(*shape[:2], *expected.shape[:2]):
        far = [abs((at + 0.5) / cell - (of + 0.5)) for at, of in ((y, row), (x, column))]
        expected[row, column] += max(0, 1 - far[0]) * max(0, 1 - far[1]) * votes[y, x] / cell**2
    model = hog(shape, cell=cell)
    np.testing.assert_allclose(output_of(model, "cells", image)[0], expected, atol=1e-6)


def test_signed_hog_tells_a_dark_line_from_a_bright_one():
    edge = np.repeat(np.float32([0, 0, 1, 1]), 2)[None, None, :, None] * np.ones((2, 8, 1, 1), "float32")
    edge[1] = 1 - edge[1]
    for signed in (False, True):
        bright, dark = output_of(hog((8, 8, 1), cell=4, orientations=9, signed=signed), "flatten", edge)
        assert (bright != dark).any() == signed


# dense SIFT


def descriptor(image, top, left, cell, orientations=8):
    """One of Lowe's descriptors, pixel by pixel, of a window that turns nowhere: (orientations, 4, 4), normalised."""
    out, middle = np.zeros((orientations, 4, 4)), 2 * cell
    for y, x in np.ndindex(4 * cell, 4 * cell):
        at_y, at_x = top + y, left + x
        right = image[at_y, at_x + 1] - image[at_y, at_x - 1] if 0 < at_x < image.shape[1] - 1 else 0
        down = image[at_y + 1, at_x] - image[at_y - 1, at_x] if 0 < at_y < image.shape[0] - 1 else 0
        near = np.exp(-((y + 0.5 - middle) ** 2 + (x + 0.5 - middle) ** 2) / (2 * middle**2))
        angle = np.arctan2(down, right) / (2 * np.pi) * orientations
        for bin_, share in ((np.floor(angle), 1 - angle % 1), (np.floor(angle) + 1, angle % 1)):
            for row, column in np.ndindex(4, 4):
                far = abs((y + 0.5) / cell - row - 0.5), abs((x + 0.5) / cell - column - 0.5)
                shares = max(0, 1 - far[0]) * max(0, 1 - far[1]) * share
                out[int(bin_) % orientations, row, column] += shares * near * np.hypot(right, down)
    unit = out / np.sqrt((out**2).sum())
    clipped = np.minimum(unit, 0.2)
    return clipped / np.sqrt((clipped**2).sum())


@pytest.mark.parametrize(("cell", "step"), [(2, 3), (3, 2)])
def test_dense_descriptors_are_lowe_s(cell, step):
    image = RANDOM.random((1, 14, 16, 1), dtype="float32")
    descriptors = output_of(dense_sift(image.shape[1:], cell=cell, step=step), "descriptors", image)[0]
    assert descriptors.shape == ((14 - 4 * cell) // step + 1, (16 - 4 * cell) // step + 1, 128)
    for row, column in np.ndindex(*descriptors.shape[:2]):
        expected = descriptor(image[0, :, :, 0].astype("float64"), row * step, column * step, cell)
        np.testing.assert_allclose(descriptors[row, column], expected.ravel(), atol=1e-4)


# filters


def test_features_are_scipy_s_rectified_and_pooled():
    image = RANDOM.normal(size=(8, 12)).astype("float32")
    model = hand_made_filters((8, 12, 1), 2, [{"gaussian": {"sigma": 0.8}}, "sobel", {"uniform": {"size": 5}}], "mirror")
    along = [scipy.ndimage.sobel(image, axis, mode="mirror") for axis in (1, 0)]
    smooth = scipy.ndimage.gaussian_filter(image, 0.8, mode="mirror"), scipy.ndimage.uniform_filter(image, 5, mode="mirror")
    maps = np.stack([*smooth, *(np.maximum(x, 0) for x in along), *(np.maximum(-x, 0) for x in along)], axis=-1)
    expected = maps.reshape(2, 4, 3, 4, 6).mean((1, 3))
    np.testing.assert_allclose(output_of(model, "pool", image[None, :, :, None])[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("rectify", "rising", "falling"), [("halves", [4, 0], [0, 6]), ("absolute", [4], [6]), ("positive", [4], [0])]
)
def test_what_becomes_of_signs(rectify, rising, falling):
    image = np.repeat(np.float32([0, 1, -0.5]), 3)[None, None, :, None] * np.ones((1, 3, 1, 1), "float32")
    maps = output_of(hand_made_filters((3, 9, 1), 2, ["sobel"], rectify=rectify, pool=1), "flatten", image).reshape(3, 9, -1)
    along_x = maps[1, :, ::2]  # those along y lie between
    np.testing.assert_allclose(along_x[[2, 3]], [rising] * 2)
    np.testing.assert_allclose(along_x[[5, 6]], [falling] * 2)


def drawn(*lines, sides=(24, 30)):
    """A dark picture with bright vertical lines, one pixel wide: (column, first row, length)."""
    picture = np.zeros((1, *sides, 1), "float32")
    for column, top, length in lines:
        picture[0, top : top + length, column] = 1
    return picture


def lines_seen(picture, **arguments):
    """Columns in which the two-stage detector answers at all."""
    model = hand_made_filters(picture.shape[1:], 2, [{"vertical_line": arguments}], pool=1)
    return np.unique(np.nonzero(output_of(model, "vertical_line1_relu", picture)[0])[1]).tolist()


def test_the_two_stage_detector_sees_long_vertical_lines_alone():
    picture = drawn((4, 4, 5), (12, 3, 15), (20, 10, 7), (27, 18, 1))
    assert lines_seen(picture, length=9) == [11, 13]  # the line's two edges
    assert lines_seen(picture, length=5) == [3, 5, 11, 13, 19, 21]
    assert lines_seen(50 * picture, length=9) == [11, 13]  # a short line does not make up for it by its contrast
    assert lines_seen(0.5 * picture, length=9) == []
    assert lines_seen(picture, length=9, gaps=3) == [11, 13, 19, 21]
    assert lines_seen(0.5 * picture, length=9, contrast=0.5) == [11, 13]


def test_the_two_stage_detector_sees_neither_horizontal_lines_nor_slanted_ones():
    picture = np.zeros((1, 24, 24, 1), "float32")
    picture[0, 5, 2:20] = 1
    picture[0, range(8, 22), range(4, 18)] = 1
    assert lines_seen(picture, length=7) == []


def test_patterns_may_be_drawn():
    numbers = [[[0, 1], [1, 0]], [[1, 1], [0, 0]]]
    image = RANDOM.random((1, 6, 6, 1), dtype="float32")
    for normalized in (False, True):
        drawn_, given = (
            hand_made_filters((6, 6, 1), 2, [{"match": {"patterns": patterns, "normalized": normalized}}])
            for patterns in ([[".#", "#."], ["##", ".."]], numbers)
        )
        np.testing.assert_array_equal(output_of(drawn_, "match1", image), output_of(given, "match1", image))


def test_each_pattern_is_found_where_it_is_drawn():
    for number, pattern in enumerate(PATTERNS):
        image = np.zeros((1, 9, 9, 1), "float32")
        image[0, 2:7, 2:7, 0] = [[value == "#" for value in row] for row in pattern]
        answers = output_of(hand_made_filters((9, 9, 1), 2, ["match"]), "match1", image)[0, 4, 4]
        assert answers.argmax() == number
        assert answers[number] == pytest.approx(1, abs=1e-5)


def test_filters_learn_from_what_they_see():
    before, after = losses(hand_made_filters((8, 8, 1), 2, ["sobel"]), steps=60)
    assert after < before / 2


@pytest.mark.parametrize("name", ["digits_filters", "digits_hog", "mnist_hog"])
def test_shipped_configs_fit_their_models(name):
    config = load.load(name)
    shape = (config.transform.height, config.transform.width, config.transform.channels)
    assert build(config.model.name, {"input_shape": shape, "num_classes": 10}, config.model.options).output_shape == (None, 10)


def test_nothing_but_the_classifier_is_trained():
    for model in (hand_made_filters(), hog((28, 28, 1)), dense_sift()):
        assert [w.path for w in model.trainable_weights] == ["logits/kernel", "logits/bias"]


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ([], r"filters must be a list of at least one of uniform, gaussian, sobel, oriented, match, vertical_line; got \[\]"),
        ("sobel", r"filters must be a list of at least one of uniform, gaussian, .*; got 'sobel'"),
        (["sobol"], r"filters must be among uniform, .*, vertical_line, or one of them with its arguments; got \['sobol'\]"),
        ([{"gaussian": 2}], "the arguments of filter gaussian must be by name; got 2"),
        ([{"gaussian": {"size": 2}}], "filter gaussian has no argument 'size'; it has sigma"),
        ([{"sobel": {"size": 2}}], "filter sobel has no argument 'size'; it has none"),
        ([{"gaussian": {"sigma": 0}}], "sigma must be a number above 0; got 0"),
        ([{"oriented": {"orientations": 0}}], "orientations must be a whole number of at least 1; got 0"),
        ([{"match": {"patterns": [[".#", "#"]]}}], r"patterns must be rows of numbers, or texts of # and \., all of one size; .*"),
        ([{"match": {"patterns": [["x#"]]}}], r"patterns must be rows of numbers, or texts of # and \., all of one size; .*"),
        ([{"match": {"patterns": 3}}], r"patterns must be rows of numbers, or texts of # and \., all of one size; got 3"),
        ([{"vertical_line": {"length": 3, "gaps": 3}}], "a line of 3 px must have fewer gaps; got 3"),
        ([{"match": {"patterns": [["##"]]}}], "a pattern that is the same everywhere correlates with nothing"),
    ],
)
def test_refused_filters(filters, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        hand_made_filters((8, 8, 1), 2, filters)


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (hand_made_filters, {"border": "same"}, "border must be reflect or .*; got 'same'"),
        (hand_made_filters, {"rectify": "relu"}, "rectify must be halves or absolute or positive; got 'relu'"),
        (hand_made_filters, {"pool": 9}, "an image of 8 x 8 px is too small: pool leaves .* works is 9 x 9 px"),
        (hog, {"cell": 5}, "an image of 8 x 8 px is too small: blocks leaves .* works is 10 x 10 px"),
        (hog, {"orientations": 2}, "orientations must be a whole number of at least 3; got 2"),
        (hog, {"norm": "L2"}, "norm must be l1 or l1_sqrt or l2 or l2_hys; got 'L2'"),
        (dense_sift, {"cell": 3}, "an image of 8 x 8 px is too small: descriptors leaves .* works is 12 x 12 px"),
        (dense_sift, {"num_classes": 1}, "num_classes must be a whole number of at least 2; got 1"),
    ],
)
def test_refusals(build, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        build(**{"input_shape": (8, 8, 1), "num_classes": 2, **options})

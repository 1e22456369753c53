"""IoU and Dice of classes are scikit-learn's over all pixels, and their intervals those of a bootstrap of images."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

from components.evaluator import overlap
from components.evaluator.overlap import DICE, IOU
from components.map_values import VOID

CLASSES = 5  # of which the last one is nowhere


@pytest.fixture(scope="module")
def labelled():
    """Masks and answers, [N, height * width], right about as often as an image is easy."""
    draw = np.random.default_rng(3)
    truth = draw.integers(0, 4, (40, 60))
    truth[:, :30] = 0
    is_wrong = draw.random(truth.shape) < draw.uniform(0.05, 0.7, (40, 1))
    return truth, np.where(is_wrong, draw.integers(0, 4, truth.shape), truth)


@pytest.fixture(scope="module")
def counted(labelled):
    """Intersections and unions of each image, by scikit-learn's matrices."""
    matrices = np.stack([confusion_matrix(*pair, labels=range(CLASSES)) for pair in zip(*labelled, strict=True)])
    hits = np.einsum("nkk->nk", matrices)
    return hits, matrices.sum(1) + matrices.sum(2) - hits


def test_figures_are_those_of_all_pixels_and_a_class_that_is_nowhere_has_none(labelled, counted):
    figures = overlap.of_classes(*counted)
    truth, made = (of.ravel() for of in labelled)
    assert [own[IOU] for own in figures[:4]] == pytest.approx(jaccard_score(truth, made, average=None).tolist())
    assert [own[DICE] for own in figures[:4]] == pytest.approx(f1_score(truth, made, average=None).tolist())
    assert figures[4] == {}


def test_intervals_are_those_of_images_drawn_again(labelled, counted):
    draw = np.random.default_rng(0)
    truth, made = labelled
    drawn = []
    for _ in range(400):
        images = draw.integers(0, len(truth), len(truth))
        drawn.append([f1_score(truth[images].ravel(), made[images].ravel(), average=None),
                      jaccard_score(truth[images].ravel(), made[images].ravel(), average=None)])  # fmt: skip
    ends = np.quantile(drawn, [0.025, 0.975], axis=0)
    for number, own in enumerate(overlap.of_classes(*counted)[:4]):
        for place, name in enumerate((DICE, IOU)):
            width = ends[1, place, number] - ends[0, place, number]
            np.testing.assert_allclose(own[name].interval, ends[:, place, number], atol=0.15 * width)
            assert own[name].interval[0] < own[name] < own[name].interval[1]


def test_where_all_resamples_are_the_same_there_is_no_interval():
    (own,) = overlap.of_classes(np.full((9, 1), 4), np.full((9, 1), 4))
    assert (own[IOU], own[DICE], own[IOU].interval, own[DICE].interval) == (1.0, 1.0, None, None)
    assert overlap.of_classes(np.zeros((0, 2)), np.zeros((0, 2))) == [{}, {}]


def test_the_figure_of_an_image_is_over_the_classes_that_it_has(labelled, counted):
    expected = [jaccard_score(*pair, average="macro") for pair in zip(*labelled, strict=True)]
    np.testing.assert_allclose(overlap.of_images(*counted), expected)
    assert np.isnan(overlap.of_images(np.zeros((1, 3)), np.zeros((1, 3)))).all()


def test_the_most_frequent_class_of_each_pixel_is_scipy_s_mode():
    draw = np.random.default_rng(5)
    masks = draw.integers(0, 3, (31, 6, 7))
    masks[:, 0, 0] = VOID
    masks[:20, 1, 1] = VOID
    answer = overlap.most_frequent([masks[:9], masks[9:]], CLASSES)
    known = np.where(masks == VOID, np.nan, masks)
    known[:, 0, 0] = 0
    expected = stats.mode(known, axis=0, nan_policy="omit").mode
    expected[0, 0] = np.bincount(masks[masks != VOID]).argmax()
    np.testing.assert_array_equal(answer, expected)
    with pytest.raises(ValueError, match="no mask"):
        overlap.most_frequent([], CLASSES)


def test_what_it_is_held_against_is_counted_without_pixels_of_no_class():
    draw = np.random.default_rng(6)
    answer, truth = draw.integers(0, 3, (6, 7)), draw.integers(0, 3, (4, 6, 7))
    truth[1, :3], truth[2] = VOID, VOID
    hits, unions = overlap.counted(answer, truth, CLASSES)
    for place, mask in enumerate(truth):
        known = mask != VOID
        matrix = np.zeros((CLASSES, CLASSES))
        if known.any():
            matrix = confusion_matrix(mask[known], answer[known], labels=range(CLASSES))
        np.testing.assert_array_equal(hits[place], np.diag(matrix))
        np.testing.assert_array_equal(unions[place], matrix.sum(0) + matrix.sum(1) - np.diag(matrix))

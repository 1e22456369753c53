"""What pixels count for, against scikit-learn and against distances that are looked for pixel by pixel."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from components.targets import VOID
from components.trainer.pixel_weights import of_borders, of_classes


@pytest.fixture(scope="module")
def masks():
    """Class 3 of 4 is in none, class 2 in one image."""
    drawn = np.random.default_rng(0).choice([0, 0, 0, 1, VOID], (3, 9, 7, 1))
    drawn[2, :2, :3] = 2
    return drawn


def test_balanced_is_scikit_learn_s_of_pixels(masks):
    known = masks[masks != VOID]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=known)
    np.testing.assert_allclose(of_classes([masks[:2], masks[2:]], 4, "balanced"), [*expected, 1.0])


def test_median_frequency_is_of_the_images_that_have_a_class(masks):
    frequencies = []
    for number in range(3):
        having = [mask[mask != VOID] for mask in masks if (mask == number).any()]
        frequencies.append(sum((mask == number).sum() for mask in having) / sum(mask.size for mask in having))
    expected = np.median(frequencies) / np.array(frequencies)
    np.testing.assert_allclose(of_classes([masks[:2], masks[2:]], 4, "median_frequency"), [*expected, 1.0])
    assert of_classes([np.full((1, 2, 2, 1), VOID)], 2, "balanced") == [1.0, 1.0]


def things(mask):
    """Lists of pixels that hang together by their sides and are of one class, by filling."""
    left = {tuple(at): mask[tuple(at)] for at in np.argwhere((mask != 0) & (mask != VOID))}
    while left:
        start, of_class = left.popitem()
        thing, edge = [start], [start]
        while edge:
            row, column = edge.pop()
            for at in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
                if left.get(at) == of_class:
                    del left[at]
                    thing.append(at)
                    edge.append(at)
        yield np.array(thing)


def test_borders_are_equation_2_by_distances_to_every_pixel_of_every_thing(masks):
    made = of_borders(masks, 10.0, 5.0)
    assert made.dtype == np.float32
    for mask, weights in zip(masks[..., 0], made[..., 0], strict=True):
        there = list(things(mask))
        assert len(there) > 2
        for at in np.ndindex(mask.shape):
            away = sorted(np.sqrt(((thing - at) ** 2).sum(1)).min() for thing in there)
            expected = 10 * np.exp(-((away[0] + away[1]) ** 2) / (2 * 5**2)) if mask[at] == 0 else 0.0
            assert weights[at] == pytest.approx(expected, rel=1e-5)


def test_one_thing_has_no_border_and_two_that_touch_are_one():
    mask = np.zeros((1, 6, 6, 1), int)
    mask[0, 1:3, 1:5] = 1
    assert not of_borders(mask, 10.0, 5.0).any()
    mask[0, 2, 3] = 2
    assert of_borders(mask, 10.0, 5.0).max() > 5

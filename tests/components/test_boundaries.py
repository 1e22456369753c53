"""Boundary F1 is that of SciPy's erosions and distances."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from components import boundaries
from components.map_values import VOID

CLASSES = 4


def by_scipy(made, truth, radius):
    """Of an image: the mean over classes, None without a boundary."""
    void, figures = truth == VOID, []
    for number in range(CLASSES):
        ours, theirs = ((places == number) & ~void for places in (made, truth))
        ours, theirs = (inside & ~ndimage.binary_erosion(inside | void, border_value=1) for inside in (ours, theirs))
        if not (ours.any() or theirs.any()):
            continue
        if not (ours.any() and theirs.any()):
            figures.append(0.0)
            continue
        precision = (ndimage.distance_transform_edt(~theirs)[ours] <= radius).mean()
        recall = (ndimage.distance_transform_edt(~ours)[theirs] <= radius).mean()
        figures.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return np.mean(figures) if figures else None


@pytest.mark.parametrize("shape", [(24, 30), (300, 260)])
def test_figures_are_those_of_distances_between_boundaries(shape):
    """The tolerance of the second one is 2.98 px."""
    draw = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(draw.normal(size=(5, CLASSES - 1, *shape)), (0, 0, *(side / 12 for side in shape)))
    truth = smooth.argmax(1)
    made = np.stack(
        [np.roll(image, shift, (0, 1)) for image, shift in zip(truth, [(0, 0), (1, 0), (2, 1), (3, 3), (5, 0)], strict=True)]
    )
    truth[2, :9, :7] = VOID
    made[3, :4, :4] = CLASSES - 1  # which is in no mask
    truth[4], made[4] = 0, 0  # no boundary
    radius = boundaries.tolerance(*shape)
    assert radius == pytest.approx(max(1, 0.0075 * np.hypot(*shape)))
    expected = [by_scipy(*pair, radius) for pair in zip(made, truth, strict=True)]
    figures, there = (value.numpy() for value in boundaries.f1(tf.constant(made), tf.constant(truth), CLASSES))
    np.testing.assert_array_equal(there, [1, 1, 1, 1, 0])
    assert expected[0] == 1.0
    assert 0 < expected[3] < expected[2]
    np.testing.assert_allclose(figures[:4], expected[:4], rtol=1e-5)
    assert (expected[4], figures[4]) == (None, 0)

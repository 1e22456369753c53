"""Which units do the work: against the figure that models are judged by, and by hand."""

import numpy as np
import tensorflow as tf

from components.codes import activity
from components.tasks.reconstruction import figures


def test_the_active_units_of_a_code_are_those_of_the_figure():
    random = np.random.default_rng(0)
    codes = (random.standard_normal((200, 12)) * 10.0 ** random.integers(-3, 4, (200, 1))).astype(np.float32)
    codes[random.random(codes.shape) < 0.4] = 0
    codes[:3] = 0
    ours = activity.is_active(codes)
    np.testing.assert_array_equal(ours.sum(1), figures.active(tf.constant(codes)).numpy())
    assert 0 < ours[3:].mean() < 1
    assert not ours[:3].any(), "of nothing but zeros nothing is active"


def test_units_by_hand():
    codes = np.array([[1, 0, -2.0], [3, 0, 0.1], [5, 0, 4], [7, 0, 0]], np.float32)
    units = activity.of_units(codes)
    np.testing.assert_allclose(units.mean, [4, 0, 0.525], rtol=1e-6)
    np.testing.assert_allclose(units.variance, [5, 0, np.var([-2, 0.1, 4, 0])], rtol=1e-6)
    np.testing.assert_allclose(units.quantiles[2], [4, 0, 0.05], rtol=1e-6)
    np.testing.assert_array_equal(units.active, [1, 0, 0.5])
    np.testing.assert_array_equal(units.dead, [False, True, False])

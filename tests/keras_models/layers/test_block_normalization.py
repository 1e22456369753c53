"""Normalised blocks, against NumPy; also through test_hand_made's HOG, against scikit-image."""

import numpy as np
import pytest
import tensorflow as tf

from keras_models.layers.block_normalization import BlockNormalization

SMALL = 1e-5
BY_HAND = {
    "l1": lambda v: v / (v.sum() + SMALL),
    "l1_sqrt": lambda v: np.sqrt(v / (v.sum() + SMALL)),
    "l2": lambda v: v / np.sqrt((v**2).sum() + SMALL**2),
    "l2_hys": lambda v: BY_HAND["l2"](np.minimum(BY_HAND["l2"](v), 0.2)),
}


@pytest.mark.parametrize("norm", BY_HAND)
@pytest.mark.parametrize("block", [1, 2, 3])
def test_against_numpy(block, norm):
    cells = np.random.default_rng(0).random((2, 4, 5, 3), dtype="float32") ** 4
    cells[0, :2, :2] = 0
    layer = BlockNormalization(block, norm)
    out = np.asarray(layer(cells))
    assert layer.compute_output_shape(cells.shape) == out.shape == (2, 5 - block, 6 - block, 3 * block**2)
    for image, row, column in np.ndindex(*out.shape[:3]):
        values = cells[image, row : row + block, column : column + block].ravel()
        np.testing.assert_allclose(out[image, row, column], BY_HAND[norm](values), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm", BY_HAND)
def test_its_derivative_is_finite_where_nothing_is(norm):
    cells = tf.zeros((1, 2, 2, 3))
    with tf.GradientTape() as tape:
        tape.watch(cells)
        total = tf.reduce_sum(BlockNormalization(2, norm)(cells))
    assert np.isfinite(tape.gradient(total, cells)).all()


def test_config_is_complete():
    layer = BlockNormalization(3, "l1", name="blocks")
    assert BlockNormalization.from_config(layer.get_config()).get_config() == layer.get_config()


def test_refusal():
    with pytest.raises(ValueError, match=r"^norm must be l1 or l1_sqrt or l2 or l2_hys; got 'l3'$"):
        BlockNormalization(norm="l3")

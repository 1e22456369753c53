"""The k largest activities and nothing else."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.layers.k_sparse import KSparse


def test_it_keeps_the_largest_and_lets_gradients_through_them():
    codes = tf.constant([[3.0, -1.0, 2.0, 0.5], [-4.0, -3.0, -2.0, -1.0]])
    with tf.GradientTape() as tape:
        tape.watch(codes)
        kept = KSparse(2)(codes)
    np.testing.assert_array_equal(kept, [[3, 0, 2, 0], [0, 0, -2, -1]])
    np.testing.assert_array_equal(tape.gradient(kept, codes), [[1, 0, 1, 0], [0, 0, 1, 1]])


def test_it_comes_back_from_a_file(tmp_path):
    code = keras.Input((6,))
    keras.Model(code, KSparse(3)(code)).save(tmp_path / "a.keras")
    codes = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    assert (np.count_nonzero(keras.saving.load_model(tmp_path / "a.keras")(codes), axis=1) == 3).all()


@pytest.mark.parametrize("k", [0, 7, 1.5])
def test_what_it_refuses(k):
    with pytest.raises(ValueError, match="k must be"):
        KSparse(k)(keras.Input((6,)))

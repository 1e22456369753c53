"""Whitening against NumPy; where its weights come from: tests/keras_models/test_normalize.py."""

import keras
import numpy as np

from keras_models.layers.whitening import Whitening


def test_against_numpy():
    random = np.random.default_rng(0)
    x = random.normal(size=(5, 2, 3, 2)).astype("float32")
    mean, matrix = random.normal(size=12).astype("float32"), random.normal(size=(12, 12)).astype("float32")
    layer = Whitening()
    layer.build(x.shape)
    layer.set_weights([mean, matrix])
    np.testing.assert_allclose(layer(x), ((x.reshape(5, 12) - mean) @ matrix).reshape(x.shape), rtol=1e-4, atol=1e-5)
    assert layer.compute_output_shape((None, 2, 3, 2)) == (None, 2, 3, 2)


def test_is_the_identity_until_it_is_told_and_trains_nothing():
    x = np.random.default_rng(0).normal(size=(2, 3, 3, 1)).astype("float32")
    layer = Whitening()
    np.testing.assert_array_equal(layer(x), x)
    assert layer.trainable_variables == []


def test_config_holds_no_weights():
    layer = Whitening(name="normalize", dtype="float32")
    layer.build((None, 4, 4, 1))
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    assert len(str(layer.get_config())) < 1000

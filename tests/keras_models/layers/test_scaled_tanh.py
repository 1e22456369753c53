"""The squashing function of 1998."""

import keras
import numpy as np

from keras_models.layers.scaled_tanh import scaled_tanh


def test_values_of_appendix_a():
    x = np.float32([-100, -1, 0, 1, 100])
    np.testing.assert_allclose(scaled_tanh(x), [-1.7159, -1, 0, 1, 1.7159], atol=1e-4)


def test_saves_by_name():
    layer = keras.layers.Dense(1, activation=scaled_tanh)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.activation is scaled_tanh

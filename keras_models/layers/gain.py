"""A gain for each number of a code."""

import keras
from keras import saving

from keras_models.receptive import Sees


@saving.register_keras_serializable(package="hubel")
class Gain(keras.layers.Layer):
    """Each of the last axis's values times a weight of its own, from 1 on. Input and output: float (batch, ..., values)."""

    def build(self, input_shape):
        self.gain = self.add_weight((input_shape[-1],), "ones", name="gain")

    def call(self, inputs):
        return inputs * self.gain

    def compute_output_shape(self, input_shape):
        return input_shape

    def multiply_adds(self, input_shape, output_shape):
        """None, as of normalisation; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return Sees.PLACE

"""Trainable sub-sampling: LeCun et al. 1998, Proc. IEEE 86(11), section II-B, layers S2 and S4."""

import math

import keras
from keras import layers, ops

from keras_models.receptive import window


@keras.saving.register_keras_serializable(package="hubel")
class TrainableSubsampling(layers.Layer):
    """activation(coefficient * sum of each size x size square + bias), with one coefficient and one bias a map.

    Input: float (batch, height, width, maps). Output: float (batch, height // size, width // size, maps); squares do not overlap,
    and rows or columns that fill no square are left out. Coefficients start at 1 / size^2, that is as an average, biases at 0.
    """

    def __init__(self, size=2, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        maps = (input_shape[-1],)
        average = keras.initializers.Constant(1 / self.size**2)
        self.coefficient = self.add_weight(name="coefficient", shape=maps, initializer=average)
        self.bias = self.add_weight(name="bias", shape=maps, initializer="zeros")

    def call(self, inputs):
        total = ops.average_pool(inputs, self.size, self.size, "valid", "channels_last") * self.size**2
        return self.activation(total * ops.cast(self.coefficient, total.dtype) + ops.cast(self.bias, total.dtype))

    def compute_output_shape(self, input_shape):
        batch, height, width, maps = input_shape
        return batch, height and height // self.size, width and width // self.size, maps

    def multiply_adds(self, input_shape, output_shape):
        """The paper's connections but those of the biases: one for each value of a square, although they share a coefficient; see
        keras_models.connections."""
        return math.prod(output_shape) * self.size**2

    def sees(self, input_shape, output_shape):
        return (window(self.size, self.size),) * 2

    def get_config(self):
        return {**super().get_config(), "size": self.size, "activation": keras.activations.serialize(self.activation)}

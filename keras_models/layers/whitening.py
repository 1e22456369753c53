"""Whitening of whole images; the mean and the matrix are learned before."""

import math

import keras
from keras import layers, ops

from keras_models.receptive import Sees


@keras.saving.register_keras_serializable(package="hubel")
class Whitening(layers.Layer):
    """(image - mean) @ matrix, over all values of an image as one row.

    Input and output: float (batch, height, width, channels). Mean [k] and matrix [k, k], k = height * width * channels, are weights
    that are never trained, 0 and the identity until `set_weights`: as a part of the config they would be text.
    """

    def build(self, input_shape):
        values = math.prod(input_shape[1:])
        self.mean = self.add_weight(name="mean", shape=(values,), initializer="zeros", trainable=False)
        self.matrix = self.add_weight(name="matrix", shape=(values, values), initializer="identity", trainable=False)

    def call(self, inputs):
        rows = ops.reshape(inputs, (-1, self.mean.shape[0]))
        return ops.reshape(ops.matmul(rows - self.mean, self.matrix), (-1, *inputs.shape[1:]))

    def compute_output_shape(self, input_shape):
        return input_shape

    def multiply_adds(self, input_shape, output_shape):
        """Those of the dense layer that it is; see keras_models.connections."""
        return math.prod(input_shape) ** 2

    def sees(self, input_shape, output_shape):
        return Sees.ALL

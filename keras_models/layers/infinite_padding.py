"""Padding for a maximum: what is added around maps is smaller than all that they hold, be they negative."""

import math

import keras
from keras import layers, ops

from keras_models.receptive import window


@keras.saving.register_keras_serializable(package="hubel")
class InfinitePadding2D(layers.Layer):
    """Rows and columns of minus infinity, as many on each of the four sides, where maximum pooling with padding "same" would put an
    odd one last.

    Args:
        padding: how many, px.

    Input: float (batch, height, width, maps). Output: float (batch, height + 2 padding, width + 2 padding, maps).
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def call(self, inputs):
        around = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), around, around, (0, 0)), constant_values=-math.inf)

    def compute_output_shape(self, input_shape):
        batch, height, width, maps = input_shape
        return batch, height and height + 2 * self.padding, width and width + 2 * self.padding, maps

    def multiply_adds(self, input_shape, output_shape):
        """None: nothing is weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return (window(1, before=self.padding),) * 2

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}

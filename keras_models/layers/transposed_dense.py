"""The way back through a dense layer: tied weights, as in Baldi & Hornik 1989, section 2, where an optimal decoder is B = A^T."""

import keras
from keras import layers, ops

from keras_models.receptive import Sees


@keras.saving.register_keras_serializable("hubel")
class TransposedDense(layers.Layer):
    """x W^T + b, W the kernel of another dense layer, which is shared and not copied, also in a .keras file; b its own.

    Args:
        of: a built `keras.layers.Dense` with the kernel W (values, units).

    Input: float (batch, units). Output: float (batch, values).
    """

    def __init__(self, of, **kwargs):
        super().__init__(**kwargs)
        self.of = of

    def build(self, input_shape):
        self.bias = self.add_weight(name="bias", shape=self.of.kernel.shape[:1], initializer="zeros")

    def call(self, inputs):
        return ops.matmul(inputs, ops.transpose(ops.cast(self.of.kernel, inputs.dtype))) + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.of.kernel.shape[0]

    def multiply_adds(self, input_shape, output_shape):
        """As of the other layer; see keras_models.connections."""
        return input_shape[-1] * output_shape[-1]

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "of": keras.saving.serialize_keras_object(self.of)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "of": keras.saving.deserialize_keras_object(config["of"])})

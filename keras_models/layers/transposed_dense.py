"""A dense layer there and back with one kernel: tied weights, as at the optimum of Baldi & Hornik 1989, section 2, B = A^T."""

import keras
from keras import layers, ops

from keras_models import compat
from keras_models.receptive import Sees


@keras.saving.register_keras_serializable("hubel")
class TiedDense(layers.Dense):
    """Keras's, which a TransposedDense may share. Keras loses that two sub-models share a layer when it saves them; here the other
    one finds it again by its name."""

    @classmethod
    def from_config(cls, config):
        layer = super().from_config(config)
        compat.loaded_so_far()[_key(layer.name)] = layer
        return layer


@keras.saving.register_keras_serializable("hubel")
class TransposedDense(layers.Layer):
    """x W^T + b, W the kernel of a TiedDense, which is shared and not copied, and b its own.

    Args:
        of: built, with the kernel W (values, units); in the saved config its name.

    Input: float (batch, units). Output: float (batch, values).
    Raises: ValueError when loaded without the other layer, which stands before it in the same file.
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
        return {**super().get_config(), "of": self.of.name}

    @classmethod
    def from_config(cls, config):
        of = compat.loaded_so_far().get(_key(config["of"]))
        if of is None:
            raise ValueError(f"layer {config['name']} shares its kernel with {config['of']}, which is not in the same file")
        return cls(**{**config, "of": of})


def _key(name):
    return f"hubel tied {name}"

"""Convolution through a table of connections: LeCun et al. 1998, Proc. IEEE 86(11), section II-B, layer C3 and table I."""

import math

import keras
import numpy as np
from keras import layers, ops

from keras_models.receptive import window

INITIAL = 2.4  # initial weights are uniform within +- this over the fan-in (appendix A)


@keras.saving.register_keras_serializable(package="hubel")
class TableConv2D(layers.Layer):
    """Convolution, stride 1, no padding, in which each output map sees only the input maps that its row of the table lists.

    Input: float (batch, height, width, input maps). Output: float (batch, height - size + 1, width - size + 1, rows of the table).
    Weights: a size x size kernel for each connection, laid out (size, size, connections) row by row of the table, and a bias for
    each output map. Kernels start uniform within +-2.4 / fan-in (appendix A), fan-in being the number of inputs of that output
    map, biases at 0.

    Args:
        table: for each output map, the indices of the input maps that it sees.
        size: side of the kernels, px.

    Raises:
        ValueError: when built, for a table that names a map which the input lacks.
    """

    def __init__(self, table, size, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.table = tuple(tuple(row) for row in table)
        self.size = size
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        maps, rows = input_shape[-1], len(self.table)
        last = max(max(row) for row in self.table)
        if last >= maps:
            raise ValueError(f"the table of {self.name} names map {last}; the input has maps 0 to {maps - 1}")
        connections = [(seen, out) for out, row in enumerate(self.table) for seen in row]
        bounds = np.array([INITIAL / (self.size**2 * len(self.table[out])) for _, out in connections])
        uniform = keras.initializers.RandomUniform(-1, 1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, len(connections)),
            initializer=lambda shape, dtype: uniform(shape, dtype) * ops.cast(bounds, dtype),
        )
        self.bias = self.add_weight(name="bias", shape=(rows,), initializer="zeros")
        # where each (input map, output map) pair finds its kernel; pairs that are not connected find the zeros put after the last
        self._places = np.full((maps, rows), len(connections), "int32")
        for place, pair in enumerate(connections):
            self._places[pair] = place

    def call(self, inputs):
        kernel = ops.cast(self.kernel, inputs.dtype)
        kernel = ops.concatenate([kernel, ops.zeros_like(kernel[..., :1])], axis=-1)
        kernel = ops.reshape(ops.take(kernel, self._places.reshape(-1), axis=-1), (self.size, self.size, *self._places.shape))
        maps = ops.conv(inputs, kernel, 1, "valid", "channels_last")
        return self.activation(maps + ops.cast(self.bias, maps.dtype))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return batch, height and height - self.size + 1, width and width - self.size + 1, len(self.table)

    def multiply_adds(self, input_shape, output_shape):
        """The paper's connections but those of the biases; see keras_models.connections."""
        return math.prod(output_shape[:-1]) * self.size**2 * sum(map(len, self.table))

    def sees(self, input_shape, output_shape):
        return (window(self.size),) * 2

    def get_config(self):
        own = {"table": self.table, "size": self.size, "activation": keras.activations.serialize(self.activation)}
        return {**super().get_config(), **own}

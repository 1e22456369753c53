"""Pooling that can be undone: Badrinarayanan, Kendall & Cipolla 2017, "SegNet", IEEE TPAMI 39(12), section 3, figure 3; where each
maximum lay is kept, and only that."""

import keras
from keras import layers, ops

from keras_models.receptive import nearest, window


@keras.saving.register_keras_serializable(package="hubel")
class PoolingIndices(layers.Layer):
    """Where in each square of size x size values the largest one lies, counted by rows from 0; of equal ones the first.

    Input: float (batch, height, width, maps), sides multiples of `size`. Output: of the same dtype, (batch, height / size,
    width / size, maps), whole numbers; no gradient goes through.
    """

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        _, height, width, maps = inputs.shape
        squares = ops.reshape(inputs, (-1, height // self.size, self.size, width // self.size, self.size, maps))
        squares = ops.reshape(ops.transpose(squares, (0, 1, 3, 5, 2, 4)), (-1, *self._small(inputs.shape), self.size**2))
        return ops.stop_gradient(ops.cast(ops.argmax(squares, -1), inputs.dtype))

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self._small(input_shape)

    def _small(self, shape):
        _, height, width, maps = shape
        return height // self.size, width // self.size, maps

    def multiply_adds(self, input_shape, output_shape):
        """None: nothing is weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return (window(self.size, self.size),) * 2

    def get_config(self):
        return {**super().get_config(), "size": self.size}


@keras.saving.register_keras_serializable(package="hubel")
class Unpooling(layers.Layer):
    """Each value where its maximum lay, 0 elsewhere.

    Input: float (batch, height, width, maps), and what PoolingIndices gave, of the same shape. Output: float (batch, height * size,
    width * size, maps).
    """

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        values, indices = inputs
        _, height, width, maps = values.shape
        places = ops.reshape(ops.arange(self.size**2), (1, 1, self.size, 1, self.size, 1))
        at = ops.equal(ops.cast(indices, "int32")[:, :, None, :, None], places)
        spread = ops.where(at, values[:, :, None, :, None], ops.zeros((), values.dtype))
        return ops.reshape(spread, (-1, height * self.size, width * self.size, maps))

    def compute_output_shape(self, input_shape):
        (batch, height, width, maps), _ = input_shape
        return batch, height * self.size, width * self.size, maps

    def multiply_adds(self, input_shape, output_shape):
        """None: nothing is weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return (nearest(self.size),) * 2

    def get_config(self):
        return {**super().get_config(), "size": self.size}

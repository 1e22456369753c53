"""The shortcut without parameters between maps of different sizes: He et al. 2016, CVPR, section 3.3, option A."""

from keras import layers, ops, saving

from keras_models.receptive import window


@saving.register_keras_serializable(package="hubel")
class PaddedShortcut(layers.Layer):
    """Every `strides`-th pixel of each row and column, from the first; behind the input's maps, zeros until there are `filters`.

    Input: float (batch, height, width, maps). Output: float (batch, ceil(height / strides), ceil(width / strides), filters).

    Raises:
        ValueError: when built, for an input with more maps than `filters`.
    """

    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides

    def build(self, input_shape):
        if input_shape[-1] > self.filters:
            raise ValueError(f"{self.name}: shortcut A adds maps and cannot drop any; got {input_shape[-1]} for {self.filters}")

    def call(self, inputs):
        kept = ops.average_pool(inputs, 1, self.strides)  # a pixel each: as a slice with strides, but several times as fast
        return ops.pad(kept, ((0, 0), (0, 0), (0, 0), (0, self.filters - inputs.shape[-1])))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return batch, height and -(-height // self.strides), width and -(-width // self.strides), self.filters

    def multiply_adds(self, input_shape, output_shape):
        """None: nothing is weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return (window(1, self.strides),) * 2

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "strides": self.strides}

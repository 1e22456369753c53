"""k-sparse codes: Makhzani & Frey 2014, "k-sparse autoencoders", ICLR, section 2.1."""

import keras
from keras import ops

from keras_models.checks import need_count
from keras_models.receptive import Sees


@keras.saving.register_keras_serializable("hubel")
class KSparse(keras.layers.Layer):
    """Keeps the k largest activities of a code and makes the others 0; gradients flow through what is kept.

    Differs on purpose from the paper: no more than k at test time either (there alpha k).

    Args:
        k: as many are kept; of equal ones at the border all.

    Input and output: float (batch, units).
    Raises: ValueError unless k is a whole number from 1 to `units`.
    """

    limits_code = True  # see components.trainer.doubts

    def __init__(self, k, **kwargs):
        super().__init__(**kwargs)
        self.k = need_count("k", k)

    def build(self, input_shape):
        if self.k > input_shape[-1]:
            raise ValueError(f"k must be at most the {input_shape[-1]} units of the code; got {self.k}")

    def call(self, inputs):
        least = ops.stop_gradient(ops.top_k(inputs, self.k)[0][:, -1:])
        return ops.where(inputs >= least, inputs, 0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def multiply_adds(self, input_shape, output_shape):
        """None; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "k": self.k}

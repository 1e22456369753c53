"""Local response normalization: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural
networks", NeurIPS, section 3.3."""

import keras
from keras import layers, ops

from keras_models.receptive import Sees


@keras.saving.register_keras_serializable(package="hubel")
class LocalResponseNormalization(layers.Layer):
    """b_i = a_i / (k + alpha * sum of a_j^2)^beta, over the n maps j around map i, at the same pixel.

    Input and output: float (batch, ..., maps). The first and the last maps have fewer around them. Computed in float32: squares
    soon leave the range of float16. No weights. Many libraries divide alpha by n; the paper does not.

    Args:
        n: maps in a neighbourhood, odd.

    Raises:
        ValueError: for an even n.
    """

    def __init__(self, k=2.0, n=5, alpha=1e-4, beta=0.75, **kwargs):
        super().__init__(**kwargs)
        if n % 2 == 0:
            raise ValueError(f"n must be odd, a map and as many on either side; got {n}")
        self.k = k
        self.n = n
        self.alpha = alpha
        self.beta = beta

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        maps, beside = x.shape[-1], self.n // 2
        squares = ops.pad(ops.square(x), [(0, 0)] * (len(x.shape) - 1) + [(beside, beside)])
        total = sum(squares[..., shift : shift + maps] for shift in range(self.n))
        return ops.cast(x * (self.k + self.alpha * total) ** -self.beta, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def multiply_adds(self, input_shape, output_shape):
        """None: a normalisation; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return Sees.PLACE

    def get_config(self):
        return {**super().get_config(), "k": self.k, "n": self.n, "alpha": self.alpha, "beta": self.beta}

"""The Jacobian J_f(x) = d f(x) / d x of an encoder: how far the code moves when the image does.

Rifai, Vincent, Muller, Glorot & Bengio 2011, "Contractive auto-encoders: explicit invariance during feature extraction", ICML,
equations 3 and 4: of one layer h = s(W x + b) the squared Frobenius norm is sum_j s'(a_j)^2 sum_i W_ji^2, and s' is a function of
h_j. Of any other encoder it is the sum over the code of the squared lengths of the gradients, by automatic differentiation.
"""

import keras
import tensorflow as tf
from keras import layers, ops

SLOPES = {  # s'(a) by h = s(a)
    "sigmoid": lambda h: h * (1 - h),
    "tanh": lambda h: 1 - ops.square(h),
    "linear": ops.ones_like,
}


class Jacobian:
    """Of an encoder: image float32 (batch, height px, width px, channels) -> code float32 (batch, k).

    Where there is no closed form, a call costs k passes through the encoder and back, one after another, so that memory does not
    grow with k unless it is differentiated itself.
    """

    def __init__(self, encoder: keras.Model):
        self._encoder, self._layer = encoder, _only_layer(encoder)

    @property
    def is_closed_form(self) -> bool:
        """Whether the encoder is one dense layer whose activation is among SLOPES."""
        return self._layer is not None

    def squared_norm(self, images):
        """||J_f(x)||_F^2, float32 (batch,)."""
        if self.is_closed_form:
            return self._weighted(self._slopes(images))
        return self._over_units(lambda unit: self._gradient(images, unit))

    def squared_distance(self, images, others):
        """||J_f(x) - J_f(x')||_F^2, float32 (batch,)."""
        if self.is_closed_form:
            return self._weighted(self._slopes(images) - self._slopes(others))
        return self._over_units(lambda unit: self._gradient(images, unit) - self._gradient(others, unit))

    def _slopes(self, images):
        codes = self._encoder(images, training=False)
        return SLOPES[_name(self._layer)](codes)

    def _weighted(self, slopes):
        return ops.sum(ops.square(slopes) * ops.sum(ops.square(self._layer.kernel), axis=0), axis=-1)

    def _over_units(self, row):
        def squared_length(unit):
            return tf.reduce_sum(tf.square(row(unit)), axis=[1, 2, 3])

        units = tf.range(self._encoder.output_shape[-1])
        return tf.reduce_sum(tf.map_fn(squared_length, units, fn_output_signature=tf.float32), axis=0)

    def _gradient(self, images, unit):
        with tf.GradientTape() as tape:
            tape.watch(images)
            activity = tf.gather(self._encoder(images, training=False), unit, axis=1)
        return tape.gradient(activity, images)


def _only_layer(encoder: keras.Model) -> layers.Dense | None:
    *first, last = encoder.layers
    alone = [type(layer) for layer in first] == [layers.InputLayer, layers.Flatten] and isinstance(last, layers.Dense)
    return last if alone and _name(last) in SLOPES else None


def _name(layer: layers.Dense) -> str:
    return keras.activations.serialize(layer.activation)

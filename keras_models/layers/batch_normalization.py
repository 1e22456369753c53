"""Batch normalization in one operation: Ioffe & Szegedy 2015, "Batch normalization: accelerating deep network training by reducing
internal covariate shift", ICML, algorithm 1."""

import keras
import tensorflow as tf
from keras import layers

from keras_models.receptive import Sees


@keras.saving.register_keras_serializable(package="hubel")
class BatchNormalization(layers.BatchNormalization):
    """Keras's layer, with the same arguments, weights and values; training passes over maps of an image fewer times.

    Keras computes moments, scaling and their gradients as some twenty operations, each of which reads and writes all maps. XLA
    makes one of them on a GPU; on a CPU they take a fifth of a ResNet-20's step. TensorFlow's fused operation, which Keras 2 used,
    does not.
    """

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and mask is None and self._fusible(inputs)):
            return super().call(inputs, training=training, mask=mask)
        x = tf.cast(inputs, tf.float32)  # as Keras does: squares soon leave the range of float16
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=self.gamma, offset=self.beta, mean=[], variance=[], epsilon=self.epsilon, is_training=True
        )
        values = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        biased = variance * (values - 1) / values  # as Keras's moving variance is
        for moving, now in (self.moving_mean, mean), (self.moving_variance, biased):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return tf.cast(y, inputs.dtype)

    def _fusible(self, inputs) -> bool:
        plain = self.scale and self.center and not (self.renorm or self.synchronized)
        return plain and self.axis in (-1, 3) and len(inputs.shape) == 4 and self.variable_dtype == "float32"

    def multiply_adds(self, input_shape, output_shape):
        """None: a normalisation; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return Sees.PLACE

"""The answer of several classifiers as one: Lakshminarayanan, Pritzel & Blundell 2017, NeurIPS, section 2.4."""

import math

from keras import layers, ops, saving


@saving.register_keras_serializable(package="hubel")
class MeanProbability(layers.Layer):
    """Logits of each member -> log(mean of their softmax): logits again, whose softmax is that mean.

    Input: a list of at least two float (batch, classes). Output: float (batch, classes), at most 0.
    """

    def call(self, inputs):
        logs = [ops.log_softmax(ops.cast(logits, self.compute_dtype)) for logits in inputs]
        return ops.logsumexp(ops.stack(logs), axis=0) - math.log(len(logs))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def multiply_adds(self, input_shape, output_shape):
        """None: nothing is weighed; see keras_models.connections."""
        return 0

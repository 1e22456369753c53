"""The class of an image as an input of a decoder, and its absence, which is a condition too.

Leaving labels out of training at random, so that one network decodes with and without them, is from Ho & Salimans 2021,
"Classifier-free diffusion guidance", section 3.1.
"""

import keras
from keras import layers, ops

from keras_models.checks import need_count, need_share
from keras_models.receptive import Sees


@keras.saving.register_keras_serializable("hubel")
class ClassCondition(layers.Layer):
    """Labels -> one-hot vectors; all zeros for -1, the label that is missing.

    Args:
        num_classes: labels are below it.
        dropped: share of the labels that is taken for missing, in training alone.

    Input: integers (batch,). Output: float32 (batch, num_classes).
    Raises: ValueError for less than one class or a share outside of 0 to 1.
    """

    def __init__(self, num_classes, dropped=0.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes, self.dropped = need_count("num_classes", num_classes), need_share("dropped", dropped)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=None):
        condition = ops.one_hot(inputs, self.num_classes, dtype="float32")
        if not training or not self.dropped:
            return condition
        kept = keras.random.uniform((ops.shape(condition)[0], 1), seed=self.seed_generator) >= self.dropped
        return condition * ops.cast(kept, "float32")

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.num_classes)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "dropped": self.dropped}


@keras.saving.register_keras_serializable("hubel")
class NoCondition(layers.Layer):
    """What ClassCondition makes of missing labels, for as many images as there are codes.

    Input: float (batch, k). Output: float32 (batch, num_classes), zeros.
    """

    def __init__(self, num_classes, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.num_classes = need_count("num_classes", num_classes)

    def call(self, inputs):
        return ops.zeros((ops.shape(inputs)[0], self.num_classes), "float32")

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

    def multiply_adds(self, input_shape, output_shape):
        """Nothing is weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}

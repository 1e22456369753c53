"""Part of a trained network, as a layer of another one."""

import keras


@keras.saving.register_keras_serializable(package="hubel")
class Extractor(keras.Model):
    """A functional model that always runs as in inference: without dropout, and with batch normalisation's statistics as they
    were learned, also while its weights are trained further.

    Calling a model with training=False does not do that: Keras 3.15 hands on what the outer model is called with.
    """

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)

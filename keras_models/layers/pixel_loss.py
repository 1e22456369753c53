"""How far a reconstruction is from its image: the loss, kept in the model, which is served with figures in the same measure."""

import math

import keras
import tensorflow as tf
from keras import initializers, ops

from keras_models import probabilities
from keras_models.checks import need_choice, need_positive

KINDS = ("squared_error", "bernoulli", "gaussian")
NAME = "pixel_loss"  # of the layer; at most one stands in a model


class LossOf(keras.losses.Loss):
    """What a layer's `of` says, as a loss."""

    def __init__(self, layer: "PixelLoss"):
        super().__init__(name=layer.name)
        self._layer = layer

    def call(self, y_true, y_pred):
        return self._layer.of(y_true, y_pred)


@keras.saving.register_keras_serializable("hubel")
class PixelLoss(keras.layers.Layer):
    """Hands an image on as it is; `of` says what the image costs as a reconstruction of another.

    Args:
        kind: "squared_error": the sum of squares; "bernoulli": the cross-entropy of pixels as probabilities, which is
            -log p(x|z) of binary images, taken of their logits, so that a sigmoid that saturates still learns; "gaussian":
            -log p(x|z) of independent Gaussians around the reconstruction.
        deviation: gaussian: of pixels in 0..1; None: one number for all pixels, learned, from 0.1 on (Rybkin, Daniilidis & Levine
            2021, "Simple and effective VAE training with calibrated decoders", ICML, section 4).

    Input and output: float32 (batch, height px, width px, channels), in [0, 1].
    Raises: ValueError for another kind, or a deviation that is not above 0 or not of a gaussian.
    """

    def __init__(self, kind="squared_error", deviation=None, **kwargs):
        super().__init__(**{"dtype": "float32", "name": NAME, **kwargs})
        self.kind, self.deviation = need_choice("loss", kind, KINDS), deviation
        if deviation is not None:
            need_positive("deviation", deviation)
            if kind != "gaussian":
                raise ValueError(f"deviation is of a gaussian loss; got loss {kind!r}")
        if kind == "gaussian" and deviation is None:
            self.log_deviation = self.add_weight(shape=(), initializer=initializers.Constant(math.log(0.1)), name="log_deviation")

    def call(self, inputs):
        return ops.convert_to_tensor(inputs)

    def of(self, images, reconstructions):
        """float32 (batch,), summed over pixels and channels: squares, or nats."""
        images, given = ops.cast(images, "float32"), ops.cast(reconstructions, "float32")
        if self.kind == "bernoulli":
            logits = probabilities.logits(reconstructions)
            if logits is None:
                each = -(images * probabilities.log(given) + (1 - images) * probabilities.log(1 - given))
            else:
                each = tf.nn.sigmoid_cross_entropy_with_logits(images, logits)
        elif self.kind == "squared_error":
            each = ops.square(images - given)
        else:
            log_deviation = math.log(self.deviation) if self.deviation else self.log_deviation
            scaled = (images - given) * ops.exp(-log_deviation)
            each = 0.5 * (ops.square(scaled) + math.log(2 * math.pi)) + log_deviation
        return ops.sum(each, axis=(-3, -2, -1))

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "deviation": self.deviation}

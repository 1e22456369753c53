"""The stochastic step of a variational model: Kingma & Welling 2014, "Auto-encoding variational Bayes", ICLR, section 2.4."""

import keras
from keras import layers, ops

from keras_models import own_draws
from keras_models.checks import need_choice
from keras_models.receptive import Sees

OTHERWISE = ("mean", "fixed")
FIXED_SEED = 0


def split(parameters):
    """float (..., 2k) -> mean and log-variance, (..., k) each: how a Gaussian with a diagonal covariance is one tensor."""
    return ops.split(parameters, 2, axis=-1)


def divergence(parameters):
    """KL(N(mean, variance) || N(0, 1)) in nats of each number: appendix B. float (..., 2k) -> (..., k), at least 0."""
    mean, log_variance = split(parameters)
    return -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))


@keras.saving.register_keras_serializable("hubel")
class Sampling(layers.Layer):
    """A draw mean + deviation * e, e of N(0, 1), in training; the mean otherwise, so that what is served holds no random operation.

    Args:
        otherwise: outside of training: "mean", or "fixed": a draw with the same e each time, for a validation loss that may be
            compared from epoch to epoch.

    Input: float32 (batch, 2k), means and then log-variances; or a list of that and of the images that it is of, (batch, ...): then
        the fixed e of an image is a function of its values, so that the error of a validation loss averages out over images.
        Without them e is of the place in the batch, the same for the images of all batches.
    Output: float32 (batch, k).
    Raises: ValueError for another `otherwise`.
    """

    def __init__(self, otherwise="mean", **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.otherwise = need_choice("otherwise", otherwise, OTHERWISE)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training=None):
        parameters, *images = inputs if isinstance(inputs, list | tuple) else [inputs]
        mean, log_variance = split(parameters)
        if not training and self.otherwise == "mean":
            return mean
        if images and not training:
            noise = own_draws.normal(own_draws.key_of_values(*images), 0, mean.shape[-1])
        else:
            noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator if training else FIXED_SEED)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_output_shape(self, input_shape):
        of = input_shape[0] if isinstance(input_shape[0], list | tuple) else input_shape
        return (*of[:-1], of[-1] // 2)

    def multiply_adds(self, input_shape, output_shape):
        """Nothing is weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "otherwise": self.otherwise}

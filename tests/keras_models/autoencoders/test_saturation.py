"""An image of pixels that are all wrong, and so surely that their sigmoids were rounded to 0 or 1, is learned from."""

import numpy as np
import pytest
import tensorflow as tf

from keras_models import auxiliary, get

X = np.random.default_rng(0).random((4, 9, 7, 1), dtype="float32")
BUILT = {
    "vae": ("vae", {"hidden": [3]}),
    "conv_vae": ("conv_vae", {"filters": [2]}),
    "denoising": ("denoising_autoencoder", {}),
    "denoising, hidden layers": ("denoising_autoencoder", {"hidden": [3]}),
    "denoising, convolutional": ("denoising_autoencoder", {"form": "convolutional", "filters": [2]}),
    "contractive, tied": ("contractive_autoencoder", {}),
    "sparse": ("sparse_autoencoder", {"loss": "bernoulli"}),
}


@pytest.mark.parametrize("built", BUILT)
@pytest.mark.parametrize(("logit", "eagerly"), [(-200.0, False), (200.0, False), (200.0, True)])
def test_the_last_biases_have_the_gradient_of_their_pixels(built, logit, eagerly):
    """p - x, the mean over a batch of the sum over the pixels that a bias is of; in the graph that is trained, and step by step."""
    name, options = BUILT[built]
    net = get(name).build((9, 7, 1), code_size=3, **options)
    learner, loss = auxiliary.learner(net), net.get_layer("pixel_loss")
    bias = [weight for weight in net.get_layer("decoder").trainable_variables if tuple(weight.shape) in ((63,), (1,))][-1]
    bias.assign(np.full(bias.shape, logit))

    def gradient():
        with tf.GradientTape() as tape:
            given = learner(X, training=True)
            cost = tf.reduce_mean(loss.of(X, given[0] if isinstance(given, list) else given))
        return tape.gradient(cost, bias.value)

    expected = ((logit > 0) - X).sum(0).ravel() / len(X)
    gradients = gradient() if eagerly else tf.function(gradient)()
    np.testing.assert_allclose(gradients, expected if bias.shape[0] > 1 else [expected.sum()], rtol=1e-4)

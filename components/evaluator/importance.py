"""Estimates of log p(x) of a latent variable model by importance sampling: Burda, Grosse & Salakhutdinov 2016, "Importance weighted
autoencoders", ICLR, section 3.

The draws are given, the same for every image: an image's figure then depends on nothing but the image, in any batch and on any
server. Draws are decoded one after another, so memory does not grow with their number.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_models.layers.sampling import divergence, split


def draws(many: int, code_size: int, seed: int = 0) -> np.ndarray:
    """float32 [many, code_size] of N(0, 1), the same each time."""
    return np.random.default_rng(seed).standard_normal((many, code_size), np.float32)


class Estimate(NamedTuple):
    """Of each image: float32 [N], in nats."""

    mean: tf.Tensor  # of q(z|x), [N, k], no nats
    kl: tf.Tensor  # KL(q(z|x) || p(z)), exact
    elbo: tf.Tensor  # E_q log p(x|z) - kl, the mean taken over the draws
    log_likelihood: tf.Tensor  # log of the mean importance weight; at most log p(x) in the mean over draws, equation 8


def estimate(parameters: tf.Tensor, cost: Callable[[tf.Tensor], tf.Tensor], noise: np.ndarray | tf.Tensor) -> Estimate:
    """What the draws z = mean + deviation * noise say of a model with the prior N(0, 1).

    Args:
        parameters: float32 [N, 2k] of q(z|x), means and log-variances.
        cost: codes float32 [N, k] -> -log p(x|z), float32 [N], of the same images.
        noise: float32 [draws, k], as `draws` makes them.
    """
    mean, log_variance = split(parameters)
    deviation = tf.exp(0.5 * log_variance)

    def of_draw(e):
        codes = mean + deviation * e
        log_likelihood = -cost(codes)
        # log p(z) - log q(z|x); the constants of the two Gaussians cancel
        prior_over_posterior = 0.5 * tf.reduce_sum(tf.square(e) + log_variance - tf.square(codes), -1)
        return log_likelihood, log_likelihood + prior_over_posterior

    signature = (tf.TensorSpec([None], tf.float32),) * 2
    likelihoods, weights = tf.map_fn(of_draw, tf.convert_to_tensor(noise), fn_output_signature=signature, parallel_iterations=1)
    kl = tf.reduce_sum(divergence(parameters), -1)
    return Estimate(
        mean=mean,
        kl=kl,
        elbo=tf.reduce_mean(likelihoods, 0) - kl,
        log_likelihood=tf.reduce_logsumexp(weights, 0) - math.log(noise.shape[0]),
    )

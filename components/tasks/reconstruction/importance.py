"""Estimates of log p(x) of a latent variable model by importance sampling: Burda, Grosse & Salakhutdinov 2016, "Importance weighted
autoencoders", ICLR, section 3.

Each image has draws of its own, functions of its pixels (keras_models.own_draws). They are decoded one after another, so memory
does not grow with their number but for a number each and image.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_models import own_draws
from keras_models.layers.sampling import divergence, split

FEW = 32  # draws: below, a person is told what they leave open


class Estimate(NamedTuple):
    """Of each image: float32 [N], in nats."""

    mean: tf.Tensor  # of q(z|x), [N, k], no nats
    kl: tf.Tensor  # KL(q(z|x) || p(z)), exact
    elbo: tf.Tensor  # E_q log p(x|z) - kl, the mean taken over the draws
    log_likelihood: tf.Tensor  # log of the mean importance weight; at most log p(x) in the mean over draws, equation 8
    elbo_error: tf.Tensor  # standard error that the draws leave; not a number of a single one
    log_likelihood_error: tf.Tensor  # the same to first order: the relative one of the mean weight


def estimate(
    parameters: tf.Tensor, cost: Callable[[tf.Tensor], tf.Tensor], pixels: tf.Tensor, draws: int, seed: int | tf.Tensor = 0
) -> Estimate:
    """What draws z = mean + deviation * e say of a model with the prior N(0, 1).

    Args:
        parameters: float32 [N, 2k] of q(z|x), means and log-variances.
        cost: codes float32 [N, k] -> -log p(x|z), float32 [N], of the same images.
        pixels: [N, ...] in 0..255, the images: whose draws they are.
        draws: how many each.
        seed: for others.
    """
    mean, log_variance = split(parameters)
    deviation, keys = tf.exp(0.5 * log_variance), own_draws.key(pixels, seed)

    def of_draw(number):
        e = own_draws.normal(keys, number, mean.shape[-1])
        codes = mean + deviation * e
        log_likelihood = -cost(codes)
        # log p(z) - log q(z|x); the constants of the two Gaussians cancel
        prior_over_posterior = 0.5 * tf.reduce_sum(tf.square(e) + log_variance - tf.square(codes), -1)
        return log_likelihood, log_likelihood + prior_over_posterior

    signature = (tf.TensorSpec([None], tf.float32),) * 2
    likelihoods, weights = tf.map_fn(of_draw, tf.range(draws), fn_output_signature=signature, parallel_iterations=1)
    kl = tf.reduce_sum(divergence(parameters), -1)
    shares = draws * tf.nn.softmax(weights, axis=0)  # of the mean weight
    return Estimate(
        mean=mean,
        kl=kl,
        elbo=tf.reduce_mean(likelihoods, 0) - kl,
        log_likelihood=tf.reduce_logsumexp(weights, 0) - math.log(draws),
        elbo_error=_standard_error(likelihoods, draws),
        log_likelihood_error=_standard_error(shares, draws),
    )


def _standard_error(values: tf.Tensor, draws: int) -> tf.Tensor:
    """Of the mean over draws, the first axis."""
    return tf.math.reduce_std(values, 0) / math.sqrt(draws - 1) if draws > 1 else tf.fill(tf.shape(values)[1:], math.nan)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Of a figure of each image [N]: the mean and its standard error, deviation / sqrt(N), which holds what each image's own draws
    leave open; no number of fewer than two."""
    values = np.asarray(values, np.float64)
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan

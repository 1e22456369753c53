"""Autoencoders that are densities of images: variational ones."""

from collections.abc import Callable

import keras
import tensorflow as tf

from components import keys
from components.tasks.base import Extra, Signature
from components.tasks.reconstruction import importance
from components.tasks.reconstruction.importance import Estimate
from components.tasks.reconstruction.names import ANOMALY_SCORE, IMAGES
from components.tasks.reconstruction.task import Task as Autoencoder
from configs.errors import HubelError
from keras_models import auxiliary, normalize
from keras_models.layers import pixel_loss
from keras_models.layers.pixel_loss import PixelLoss

ELBO, GENERATE = "elbo", "generate"
LIKELIHOODS = ("bernoulli", "gaussian")
ERROR = "standard_error"


class Task(Autoencoder):
    """As in reconstruction; the encoder has a sub-model `posterior`, image -> float32 (batch, 2k), and the model a PixelLoss that
    is a likelihood. Where the decoder has a sub-model `conditional_decoder`, that is told the label in training.
    """

    targets = (keys.LABEL,)  # -1 where there is none
    anomaly_scores = (*Autoencoder.anomaly_scores, ELBO)
    against_active = False
    better = {**Autoencoder.better, ELBO: "max"}

    def of_model(self, model):
        return _Told() if len(auxiliary.learner(model).inputs) > 1 else self

    def fit(self, model, data, train, first_epoch, callbacks):
        Autoencoder.fit(self.of_model(model), model, data, train, first_epoch, callbacks)

    def derived(self, figures):
        """The bound itself, nats an image, of one draw for each: the KL divergence counts once, whatever its weight in the loss."""
        return {ELBO: -(figures[auxiliary.DATA_LOSS] + figures["kl"])} if "kl" in figures else {}

    def compile(self, model, make):
        _likelihood(normalize.inner(model))
        super().compile(model, make)

    def calibrate(self, model, data, card):
        net = normalize.inner(model)
        density = {"likelihood": _likelihood(net).kind, "code_size": net.get_layer("encoder").output_shape[-1]}
        return {**super().calibrate(model, data, card), **density}

    def signatures(self, model, card):
        estimate = _estimator(model, card.export.draws)

        def anomaly_score(pixels):
            return {"anomaly_score": -estimate(pixels).elbo}

        def elbo(pixels):
            estimated = estimate(pixels)
            error = {ERROR: estimated.elbo_error} if card.export.draws > 1 else {}
            return {"elbo": estimated.elbo, "kl": estimated.kl, **error}

        return {
            **super().signatures(model, card),
            ANOMALY_SCORE: Signature(anomaly_score, gives={ANOMALY_SCORE: "anomaly_score"}),
            ELBO: Signature(elbo, gives=dict.fromkeys(["elbo", "kl", *([ERROR] if card.export.draws > 1 else [])], "number")),
            GENERATE: _generate(normalize.inner(model).get_layer("decoder")),
        }

    def figures(self, model, card):
        plain, estimate = super().figures(model, card), _estimator(model, card.export.draws)

        def figures(pixels):
            estimated = estimate(pixels)
            nats = {"log_likelihood": estimated.log_likelihood, "elbo": estimated.elbo, "kl": estimated.kl}
            return {**plain(pixels), **nats, "codes": estimated.mean}

        return figures


class _Told(Task):
    """With the label as a further input, in training and validation."""

    def pair(self, pixels, targets):
        images, wanted = super().pair(pixels, targets)
        return (images, targets[keys.LABEL]), wanted


def _likelihood(net: keras.Model) -> PixelLoss:
    """Its loss. Raises HubelError where that is no likelihood."""
    losses = [layer for layer in net.layers if layer.name == pixel_loss.NAME and layer.kind in LIKELIHOODS]
    if not losses:
        raise HubelError(
            "The model has no likelihood of images, and its task asks for one.",
            "Put a PixelLoss of kind bernoulli or gaussian before its output.",
        )
    return losses[0]


def _estimator(model: keras.Model, draws: int) -> Callable[[tf.Tensor], Estimate]:
    """float32 pixels [N, height, width, channels] in 0..255 -> what so many draws, functions of the pixels, say of each image."""
    normalized, net = model.get_layer("normalize"), normalize.inner(model)
    encoder, decoder, loss = net.get_layer("encoder"), net.get_layer("decoder"), _likelihood(net)

    @tf.function(input_signature=[tf.TensorSpec(model.input_shape, tf.float32)], autograph=False)
    def estimate(pixels):
        parameters = encoder.get_layer("posterior")(normalized(pixels), training=False)
        return importance.estimate(parameters, lambda z: loss.of(pixels / 255.0, decoder(z, training=False)), pixels, draws)

    return estimate


def _generate(decoder: keras.Model) -> Signature:
    """Codes, of N(0, 1) for images as the model imagines them, and where it knows classes their labels."""
    size, told = decoder.input_shape[-1], [layer for layer in decoder.layers if layer.name == "conditional_decoder"]
    if not told:
        return Signature(
            lambda codes: {"images": 255.0 * decoder(codes, training=False)}, gives=IMAGES, takes="code", code_size=size
        )
    [conditional] = told
    classes = conditional.input_shape[1][-1]

    def generate(codes, label):
        tf.debugging.assert_less(label, tf.constant(classes, tf.int64), f"label must be below {classes}, or -1 for none")
        condition = tf.one_hot(label, classes)  # zeros for -1, as ClassCondition has it
        return {"images": 255.0 * conditional([codes, condition], training=False)}

    def example(many):
        return tf.range(many, dtype=tf.int64) % (classes + 1) - 1

    label = Extra(tf.TensorSpec([None], tf.int64), example)
    return Signature(generate, gives=IMAGES, takes="code", code_size=size, extra={keys.LABEL: label})

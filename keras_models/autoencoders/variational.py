"""Variational autoencoders: Kingma & Welling 2014, "Auto-encoding variational Bayes", ICLR, section 3 and appendix C.

- beta: Higgins et al. 2017, "beta-VAE", ICLR, equation 4; its warm-up: Bowman et al. 2016, CoNLL, section 3.1, and Sonderby et al.
  2016, "Ladder variational autoencoders", NeurIPS, section 2.3, linear.
- free bits: Kingma et al. 2016, "Improved variational inference with inverse autoregressive flow", NeurIPS, appendix C.8, each
  number of the code being a group.
- learned deviation of the Gaussian likelihood: see keras_models.layers.PixelLoss.
- on the label: Sohn, Lee & Yan 2015, "Learning structured output representation using deep conditional generative models", NeurIPS.

Differs on purpose: Keras's own initial weights and no weight decay. On the label, the decoder alone is told it: q(z|x) instead of
q(z|x, y), so that an image is encoded without one; and a share of the labels is left out, so that the same decoder serves without.
"""

import math
from dataclasses import dataclass

import keras
from keras import layers, ops

from keras_models import auxiliary
from keras_models.checks import (
    need_activation,
    need_choice,
    need_count,
    need_counts,
    need_flag,
    need_image,
    need_positive,
    need_share,
)
from keras_models.conv_coders import UPSAMPLINGS, conv_decoder, conv_encoder
from keras_models.layers.condition import ClassCondition, NoCondition
from keras_models.layers.pixel_loss import PixelLoss
from keras_models.layers.sampling import Sampling, divergence
from keras_models.record import register

LIKELIHOODS = ("bernoulli", "gaussian")


@register(
    "vae",
    task="reconstruction.variational",
    params=815_824,
    tiny={"input_shape": (9, 7, 1), "code_size": 2, "hidden": (4,)},
    paper="Kingma & Welling 2014",
    year=2014,
    space={
        "code_size": {"choices": [10, 20, 40]},
        "hidden": {"choices": [[500], [200, 200]]},
        "beta": {"choices": [0.5, 1.0, 2.0, 4.0]},
    },
)
def vae(
    input_shape=(28, 28, 1),
    num_classes=None,
    code_size=20,
    hidden=(500,),
    activation="tanh",
    likelihood="bernoulli",
    deviation=None,
    beta=1.0,
    warmup=0,
    free_bits=0.0,
    conditional=False,
    dropped=0.2,
):
    """Dense layers both ways. Burda, Grosse & Salakhutdinov 2016 ("Importance weighted autoencoders", ICLR, section 5) have
    hidden=(200, 200) and code_size=50.

    Args:
        code_size: numbers in the code, k.
        hidden: units of the encoder's layers, first to last; the decoder has them in reverse.
        activation: of these layers, a Keras name.
        likelihood: p(x|z): "bernoulli", each pixel a probability, or "gaussian" around the decoder's image.
        deviation: gaussian: of pixels in 0..1; None: one number for all, learned.
        beta: what the divergence counts for, above 0.
        warmup: epochs over which beta rises linearly in training.
        free_bits: nats of each number of the code, in the mean over a batch, below which less divergence saves nothing in training;
            0: none.
        conditional: whether the decoder is told the label.
        dropped: share of the labels that it is not told in training.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, within [0, 1]: what the
        decoder makes of the mean of q(z|x). Its sub-models: encoder: image -> float32 (batch, k), that mean (a draw with
        training=True), itself of a sub-model posterior: image -> float32 (batch, 2k), means and log-variances; decoder: code ->
        image; if conditional, that is a sub-model conditional_decoder, [code, float32 (batch, num_classes)] -> image, told nothing.
    Raises: ValueError for a number out of its range, an unknown activation or likelihood, a deviation that is not of a gaussian,
        or conditional without classes.
    """
    input_shape, hidden = need_image(input_shape), need_counts("hidden", hidden)
    need_activation(activation)
    sizes = _Sizes.of(code_size, num_classes, conditional)
    posterior = _dense_encoder(input_shape, sizes.posterior, hidden, activation)
    generator = _dense_decoder(input_shape, sizes.told, hidden, activation)
    objective = _Objective(likelihood, deviation, beta, warmup, free_bits)
    return _variational("vae", posterior, generator, sizes, dropped, objective)


@register(
    "conv_vae",
    task="reconstruction.variational",
    params=107_577,
    tiny={"input_shape": (9, 7, 1), "code_size": 2, "filters": (2, 4)},
    paper="Kingma & Welling 2014",
    year=2014,
    aliases=("convolutional_vae",),
    space={
        "code_size": {"choices": [10, 20, 40]},
        "filters": {"choices": [[16, 32], [32, 64]]},
        "beta": {"choices": [0.5, 1.0, 2.0, 4.0]},
    },
)
def conv_vae(
    input_shape=(28, 28, 1),
    num_classes=None,
    code_size=20,
    filters=(16, 32),
    activation="elu",
    upsampling="transposed",
    likelihood="bernoulli",
    deviation=None,
    beta=1.0,
    warmup=0,
    free_bits=0.0,
    conditional=False,
    dropped=0.2,
):
    """The convolutions of `conv_autoencoder`, with a code that is drawn.

    Args:
        filters, activation, upsampling: as of `conv_autoencoder`; the others as of `vae`.

    Input, returns, raises: as `vae`; ValueError also where `conv_autoencoder` raises one.
    """
    input_shape, filters = need_image(input_shape), need_counts("filters", filters, 1)
    need_activation(activation)
    need_choice("upsampling", upsampling, UPSAMPLINGS)
    sizes = _Sizes.of(code_size, num_classes, conditional)
    posterior = conv_encoder(input_shape, sizes.posterior, filters, activation)
    generator = conv_decoder(input_shape, sizes.told, filters, activation, upsampling)
    objective = _Objective(likelihood, deviation, beta, warmup, free_bits)
    return _variational("conv_vae", posterior, generator, sizes, dropped, objective)


@dataclass(frozen=True)
class _Objective:
    """What is minimised; arguments of `vae`."""

    likelihood: str
    deviation: float | None
    beta: float
    warmup: int
    free_bits: float

    def __post_init__(self):
        need_choice("likelihood", self.likelihood, LIKELIHOODS)
        need_positive("beta", self.beta)
        need_count("warmup", self.warmup, 0)
        if self.free_bits != 0:
            need_positive("free_bits", self.free_bits)

    def term(self, parameters):
        value = self._beyond_free_bits if self.free_bits else _divergence
        return auxiliary.Term("kl", self.beta, value, [parameters], self.warmup, _divergence)

    def _beyond_free_bits(self, parameters):
        """float32 (batch, 2k) -> nats of the whole batch."""
        return ops.sum(ops.maximum(ops.mean(divergence(parameters), 0), self.free_bits))


def _divergence(parameters):
    """float32 (batch, 2k) -> (batch,), nats."""
    return ops.sum(divergence(parameters), -1)


@dataclass(frozen=True)
class _Sizes:
    """How many numbers a code has, and what classes the decoder is told: 0 for none."""

    code: int
    classes: int

    @classmethod
    def of(cls, code_size, num_classes, conditional):
        if need_flag("conditional", conditional) and not num_classes:
            raise ValueError("conditional needs classes, and these images have no labels")
        return cls(need_count("code_size", code_size), num_classes if conditional else 0)

    @property
    def posterior(self):
        return 2 * self.code

    @property
    def told(self):
        return self.code + self.classes


def _variational(name, posterior, generator, sizes, dropped, objective):
    """The net, and what is trained in its place: the same layers, told a draw and, if there are classes, the label.

    Args:
        posterior: model image -> (batch, 2k). generator: model (batch, k + classes) -> image.
    """
    need_share("dropped", dropped)
    posterior = keras.Model(posterior.input, posterior.output, name="posterior")
    seen, image = (keras.Input(posterior.input_shape[1:], name="image") for _ in range(2))
    encoder = keras.Model(seen, Sampling(name="code")(posterior(seen)), name="encoder")
    parameters = posterior(image)
    draw = Sampling("fixed", name="draw")([parameters, image])
    if sizes.classes:
        label = keras.Input((), dtype="int64", name="label")
        told = _conditional_decoder(generator, sizes)
        decoder, given = _untold(told, sizes), [label]
        drawn = told([draw, ClassCondition(sizes.classes, dropped, name="condition")(label)])
    else:
        decoder, given = generator, []
        drawn = decoder(draw)
    pixel_loss = PixelLoss(objective.likelihood, objective.deviation)
    net = keras.Model(image, pixel_loss(decoder(encoder(image))), name=name)
    auxiliary.attach(net, terms=[objective.term(parameters)], output=pixel_loss(drawn), given=given)
    return net


def _conditional_decoder(generator, sizes):
    code, condition = keras.Input((sizes.code,), name="code"), keras.Input((sizes.classes,), name="condition")
    generator = keras.Model(generator.input, generator.output, name="generator")
    told = layers.Concatenate(name="told")([code, condition])
    return keras.Model([code, condition], generator(told), name="conditional_decoder")


def _untold(conditional_decoder, sizes):
    code = keras.Input((sizes.code,), name="code")
    image = conditional_decoder([code, NoCondition(sizes.classes, name="no_condition")(code)])
    return keras.Model(code, image, name="decoder")


def _dense_encoder(input_shape, size, hidden, activation):
    image = keras.Input(input_shape, name="image")
    x = layers.Flatten(name="flatten")(image)
    for number, units in enumerate(hidden, 1):
        x = layers.Dense(units, activation=activation, name=f"hidden{number}")(x)
    return keras.Model(image, layers.Dense(size, dtype="float32", name="code")(x), name="encoder")


def _dense_decoder(input_shape, size, hidden, activation):
    x = code = keras.Input((size,), name="code")
    for number, units in reversed([*enumerate(hidden, 1)]):
        x = layers.Dense(units, activation=activation, name=f"hidden{number}")(x)
    x = layers.Dense(math.prod(input_shape), dtype="float32", name="pixels")(x)
    x = layers.Reshape(input_shape, dtype="float32", name="reconstruction")(x)
    return keras.Model(code, layers.Activation("sigmoid", dtype="float32", name="sigmoid")(x), name="decoder")  # last: see coders

"""Predictive sparse decomposition: Kavukcuoglu, Ranzato & LeCun 2008, "Fast inference in sparse coding algorithms with applications
to object recognition", technical report CBLL-TR-2008-12-01, New York University (arXiv 1010.3467).

The objective is |x - B z|^2 + lambda |z|_1 + alpha |z - F(x)|^2 with F(x) = g tanh(W x + b), minimised in alternation: z for each
image, searched from F(x) on, then a step of B, W, g and b with z held fixed. What is served is F: a code costs one product.

Differs on purpose: z by FISTA to a tolerance in the place of a few steps of gradient descent, norms of basis images bounded by 1 in
the place of equal to 1, and whole images in the place of patches, taken as they are but for the mean training image.
"""

import keras
from keras import layers, ops

from keras_models import auxiliary
from keras_models.auxiliary import Term
from keras_models.checks import need_image
from keras_models.layers.gain import Gain
from keras_models.layers.pixel_loss import PixelLoss
from keras_models.layers.sparse_inference import Dictionary, OptimalCode
from keras_models.record import register


@register(
    "psd",
    task="reconstruction.sparse_coding",
    params=401_920,
    tiny={"input_shape": (5, 4, 1), "atoms": 6, "penalty": 0.05},
    paper="Kavukcuoglu et al. 2008",
    year=2008,
    aliases=("predictive_sparse_decomposition",),
    space={"atoms": {"choices": [64, 128, 256]}, "penalty": {"min": 0.1, "max": 1.0, "sampling": "log"}},
)
def psd(input_shape=(28, 28, 1), atoms=256, penalty=0.5, pull=1.0):
    """Image -> predicted sparse code -> image of the same size, any size; learns pixels / 255, so transform.normalize must be unit.

    Args:
        atoms: numbers in the code.
        penalty: lambda, as of sparse_coding, where pixels are in 0..1.
        pull: alpha, how strongly codes and their prediction are drawn together.

    Input: float32 (batch, height px, width px, channels), pixels / 255.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, not held within [0, 1].
        Its sub-models: encoder: image -> float32 (batch, atoms), F(x), signed and never quite 0; decoder: code -> image, linear. In
        training the decoder is given z, and F learns from the term "prediction" alone; otherwise it is given F(x).
    Raises: ValueError for a number under 1, or a penalty or pull that is not above 0.
    """
    input_shape = need_image(input_shape)
    dictionary = Dictionary(atoms, input_shape)
    optimal = OptimalCode(dictionary, penalty, pull, name="code")
    code = keras.Input((atoms,), name="code")
    encoder, decoder = _predictor(input_shape, atoms), keras.Model(code, dictionary(code), name="decoder")
    image = keras.Input(input_shape, name="image")
    predicted = encoder(image)
    codes = optimal([image, predicted])
    net = keras.Model(image, PixelLoss()(decoder(codes)), name="psd")
    terms = [Term("sparsity", penalty, optimal.cost, [codes]), Term("prediction", pull, _distance, [codes, predicted])]
    auxiliary.attach(net, terms=terms)
    return net


def _predictor(input_shape, atoms):
    """F. It sees the image with its mean, which b takes off."""
    image = keras.Input(input_shape, name="image")
    x = layers.Dense(atoms, activation="tanh", name="filters")(layers.Flatten(name="flatten")(image))
    return keras.Model(image, Gain(dtype="float32", name="gain")(x), name="encoder")


def _distance(codes, predicted):
    return ops.sum(ops.square(codes - predicted), -1)

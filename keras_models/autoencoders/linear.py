"""Linear autoencoder: Baldi & Hornik 1989, "Neural networks and principal component analysis: learning from examples without local
minima", Neural Networks 2(1). Its squared error has one minimum but for an invertible map of the code, no local ones, and there
decoder times encoder is the projection on the first principal components.

Principal components: Pearson 1901, "On lines and planes of closest fit to systems of points in space", Philosophical Magazine
2(11); Hotelling 1933, "Analysis of a complex of statistical variables into principal components", Journal of Educational Psychology
24. The same layers; their weights are found in closed form by the task reconstruction.principal_components, not by gradient.

Differs on purpose from Baldi & Hornik: biases, for images are not centred. What comes out is not cut to [0, 1]: a linear map may
leave it by a little, and cutting would make it another model.
"""

import math

import keras
from keras import layers

from keras_models.checks import need_count, need_flag, need_image
from keras_models.layers.transposed_dense import TiedDense, TransposedDense
from keras_models.record import register

OWN = {"dtype": "float32"}  # under any precision: the last digits are what a linear model is compared by


@register(
    "linear_autoencoder",
    task="reconstruction.linear",
    params=50_992,
    tiny={"input_shape": (5, 4, 1), "code_size": 3},
    paper="Baldi & Hornik 1989",
    year=1989,
    space={"code_size": {"choices": [4, 8, 16]}},
)
def linear_autoencoder(input_shape=(28, 28, 1), code_size=32, tied=False):
    """Image -> code -> image of the same size, any size: one dense layer each way, without activations.

    Args:
        code_size: numbers in the code.
        tied: the decoder's kernel is the encoder's, transposed, so that there is half as much to learn.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, unbounded.
        Its sub-models: encoder: image -> float32 (batch, code_size), unbounded; decoder: code -> image. Their layers with
        weights are "code" and "pixels".
    Raises: ValueError for a size or number under 1.
    """
    input_shape = need_image(input_shape)
    need_count("code_size", code_size)
    need_flag("tied", tied)
    return _linear(input_shape, code_size, tied, "linear_autoencoder")


@register(
    "pca",
    task="reconstruction.principal_components",
    params=0,
    tiny={"input_shape": (5, 4, 1), "code_size": 3},
    paper="Pearson 1901; Hotelling 1933",
    year=1933,
    aliases=("principal_components",),
    space={"code_size": {"choices": [4, 8, 16]}},
)
def pca(input_shape=(28, 28, 1), code_size=32):
    """Image -> its first principal components -> its projection on them. No weight is trained by gradient.

    Args:
        code_size: components, at most as many as an image has values.

    Input and returns: as `linear_autoencoder`; codes are components of the image minus the mean image, the largest variance first.
    Raises: ValueError for a size or number under 1, or more components than values.
    """
    input_shape = need_image(input_shape)
    need_count("code_size", code_size)
    if code_size > math.prod(input_shape):
        raise ValueError(f"code_size must be at most the {math.prod(input_shape)} values of an image; got {code_size}")
    model = _linear(input_shape, code_size, False, "pca")
    model.trainable = False
    return model


def _linear(input_shape, code_size, tied, name):
    image, code = keras.Input(input_shape, name="image"), keras.Input((code_size,), name="code_in")
    down = (TiedDense if tied else layers.Dense)(code_size, **OWN, name="code")
    encoder = keras.Model(image, down(layers.Flatten(name="flatten")(image)), name="encoder")
    values = math.prod(input_shape)
    up = TransposedDense(down, **OWN, name="pixels") if tied else layers.Dense(values, **OWN, name="pixels")
    decoder = keras.Model(code, layers.Reshape(input_shape, **OWN, name="reconstruction")(up(code)), name="decoder")
    image = keras.Input(input_shape, name="image")
    return keras.Model(image, decoder(encoder(image)), name=name)

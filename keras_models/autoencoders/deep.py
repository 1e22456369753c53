"""Fully connected autoencoders.

`autoencoder`: one hidden layer, the code. Rumelhart, Hinton & Williams 1986, "Learning internal representations by error
propagation", section "The encoding problem"; Bourlard & Kamp 1988, "Auto-association by multilayer perceptrons and singular value
decomposition", Biological Cybernetics 59: were the output linear, no activation could make it better than principal components.

`deep_autoencoder`: Hinton & Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", Science 313:
784-1000-500-250-30 and its mirror image, logistic units, a linear code. Its stages of pre-training: keras_models.pretraining.

Differs on purpose from Hinton & Salakhutdinov: pairs of layers are pre-trained as autoencoders, as Bengio et al. 2007 do, not as
restricted Boltzmann machines, and not tied; the loss is the mean squared error, theirs the cross-entropy.
"""

import math

import keras
from keras import layers

from keras_models import pretraining
from keras_models.checks import need_activation, need_count, need_counts, need_image
from keras_models.pretraining import Stage
from keras_models.record import register


@register(
    "autoencoder",
    task="reconstruction",
    params=50_992,
    tiny={"input_shape": (5, 4, 1), "code_size": 3},
    paper="Rumelhart et al. 1986",
    year=1986,
    space={"code_size": {"choices": [16, 32, 64]}, "activation": {"choices": ["sigmoid", "relu"]}},
)
def autoencoder(input_shape=(28, 28, 1), code_size=32, activation="sigmoid"):
    """Image -> code -> image of the same size, any size, through one hidden layer.

    Args:
        code_size: units; fewer than an image has values make it undercomplete, more overcomplete: then something has to keep it
            from copying, such as noise in `augment`.
        activation: of the code; a Keras name. The last layer is a sigmoid.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, within [0, 1].
        Its sub-models: encoder: image -> float32 (batch, code_size), in the activation's range; decoder: code -> image.
    Raises: ValueError for a size or number under 1, or an unknown activation.
    """
    input_shape = need_image(input_shape)
    need_count("code_size", code_size)
    need_activation(activation)
    return _hourglass(input_shape, (code_size,), activation, activation, "autoencoder")


@register(
    "deep_autoencoder",
    task="reconstruction",
    params=2_837_314,
    tiny={"input_shape": (5, 4, 1), "code_size": 3, "hidden": (7, 5)},
    paper="Hinton & Salakhutdinov 2006",
    year=2006,
    aliases=("stacked_autoencoder",),
    space={"code_size": {"choices": [15, 30, 60]}, "hidden": {"choices": [[1000, 500, 250], [500, 250], [256, 64]]}},
)
def deep_autoencoder(input_shape=(28, 28, 1), code_size=30, hidden=(1000, 500, 250), activation="sigmoid"):
    """Image -> code -> image of the same size, any size, through several hidden layers each way.

    Args:
        code_size: numbers in the code.
        hidden: units of the encoder's layers before the code, first to last; the decoder mirrors them.
        activation: of every layer but the code, which is linear, and the last, a sigmoid; a Keras name.

    Input and returns: as `autoencoder`; codes are unbounded. `train.pretrain` trains its pairs of layers one after another.
    Raises: ValueError for a size or number under 1, no hidden layer, or an unknown activation.
    """
    input_shape, hidden = need_image(input_shape), need_counts("hidden", hidden, 1)
    need_count("code_size", code_size)
    need_activation(activation)
    return _hourglass(input_shape, (*hidden, code_size), activation, "linear", "deep_autoencoder")


def _hourglass(input_shape, units, activation, code_activation, name):
    """Layers of so many units, the last of them the code, and the way back: up[n] gives back what is under down[n]."""
    hidden = list(enumerate(units[:-1], 1))
    down = [_dense(each, activation, f"down{number}") for number, each in hidden] + [_dense(units[-1], code_activation, "code")]
    up = [_dense(math.prod(input_shape), "sigmoid", "pixels")] + [
        _dense(each, activation, f"up{number}") for number, each in hidden
    ]
    shaped = layers.Reshape(input_shape, dtype="float32", name="reconstruction")

    image = keras.Input(input_shape, name="image")
    heights = [layers.Flatten(name="flatten")(image)]  # the values under each layer, and the code
    for layer in down:
        heights.append(layer(heights[-1]))
    encoder = keras.Model(image, heights[-1], name="encoder")
    x = code = keras.Input((units[-1],), name="code_in")
    for layer in reversed(up):
        x = layer(x)
    decoder = keras.Model(code, shaped(x), name="decoder")

    net_image = keras.Input(input_shape, name="image")
    net = keras.Model(net_image, decoder(encoder(net_image)), name=name)
    if len(units) > 1:  # the one pair of layers of a shallow network is all of it
        stages = []
        for number, pair in enumerate(zip(down, up, strict=True)):
            back = up[number](heights[number + 1])
            whole, under = (back, keras.Model(image, heights[number])) if number else (shaped(back), None)
            stages.append(Stage(f"layer{number + 1}", pair, keras.Model(image, whole), under))
        pretraining.attach(net, stages)
    return net


def _dense(units, activation, name):
    exact = {"dtype": "float32"} if name in ("code", "pixels") else {}
    return layers.Dense(units, activation=activation, **exact, name=name)

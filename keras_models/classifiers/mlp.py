"""The dense baseline: Rumelhart, Hinton & Williams 1986, Nature 323; on MNIST LeCun et al. 1998, Proc. IEEE 86(11), section III-C.

Differs on purpose: rectified hidden units by default (activation "sigmoid" or "tanh" gives the older ones) and logits, to be
trained with cross-entropy, instead of squashed outputs trained with squared error. The 1998 paper reports 784-300-10
(hidden=[300]); the default here is 784-100-10, 79,510 parameters.
"""

import keras
from keras import layers

from keras_models.blocks import hidden_layers
from keras_models.checks import need_activation, need_count, need_counts, need_flag, need_image, need_share
from keras_models.record import register


@register(
    "mlp",
    task="classification",
    params=79_510,
    tiny={"input_shape": (8, 8, 1), "num_classes": 2, "hidden": (4,)},
    paper="Rumelhart et al. 1986",
    year=1986,
    space={
        "hidden": {"choices": [[100], [300], [300, 100]]},
        "activation": {"choices": ["relu", "tanh"]},
        "batch_norm": {"choices": [False, True]},
        "dropout": {"choices": [0.0, 0.2, 0.5]},
    },
)
def mlp(input_shape=(28, 28, 1), num_classes=10, hidden=(100,), activation="relu", batch_norm=False, dropout=0.0):
    """Dense layers over all pixels.

    Args:
        hidden: units of each hidden layer, first to last; empty gives a linear classifier.
        activation: of the hidden layers, a Keras name.
        batch_norm: batch normalization of every hidden layer, instead of biases.
        dropout: share of each hidden layer's outputs that is dropped in training, from 0 to below 1.

    Input: float32 (batch, height px, width px, channels), normalised pixels, any size.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for fewer than 2 classes, a hidden layer without units or an option out of its range.
    """
    input_shape, hidden = need_image(input_shape), need_counts("hidden", hidden)
    need_count("num_classes", num_classes, 2)
    need_activation(activation)
    need_flag("batch_norm", batch_norm)
    need_share("dropout", dropout)
    image = keras.Input(input_shape, name="image")
    x = hidden_layers(layers.Flatten(name="flatten")(image), hidden, activation, batch_norm, dropout)
    return keras.Model(image, layers.Dense(num_classes, dtype="float32", name="logits")(x), name="mlp")

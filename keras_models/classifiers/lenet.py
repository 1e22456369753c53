"""LeNet-5: LeCun, Bottou, Bengio & Haffner 1998, Proc. IEEE 86(11), section II-B, figure 2 and table I.

`lenet5`, the modern form, differs on purpose: C3 sees all maps of S2 (no table I), plain tanh, pooling without weights, logits
instead of RBF units, Glorot initialisation: 61,706 parameters at 32x32x1. Its options are younger than the paper.

`lenet5_1998` has the 60,000 trainable parameters of the paper: 156 + 12 + 1,516 + 32 + 48,120 + 10,164. It differs on purpose:
- the RBF units' centres are +1/-1 codes drawn once with equal chance (seed 1998), which the paper names as an alternative, and not
  its 7x12 bitmaps of printed characters, so that any number of classes has its codes;
- RBF outputs are negated squared distances: the largest is the best class, and softmax cross-entropy takes the place of eq. (9),
  without its constant for rubbish;
- weights start uniform within +-2.4 / fan-in, as in appendix A, but sub-sampling starts as an average, and biases at 0;
- any optimizer of Keras, not stochastic diagonal Levenberg-Marquardt.

Both: C5 is a dense layer over all of S4, which at 32x32 px is the paper's 5x5 convolution; larger images give it more weights, not
a larger map. Pixels are normalised by the layer before, not to the paper's -0.1 and 1.175.
"""

import keras
from keras import layers

from keras_models import blocks
from keras_models.checks import need_activation, need_choice, need_count, need_flag, need_image, need_share
from keras_models.convolutions import activated
from keras_models.layers.rbf import SignCodeRBF
from keras_models.layers.scaled_tanh import scaled_tanh
from keras_models.layers.subsampling import TrainableSubsampling
from keras_models.layers.table_conv import INITIAL, TableConv2D
from keras_models.record import register
from keras_models.room import Window, need_room

C1, C3, C5, F6 = 6, 16, 120, 84  # maps of the convolutions, units of the dense layers
KERNEL = 5  # px
WINDOWS = (Window("c1", KERNEL), Window("s2", 2, 2), Window("c3", KERNEL), Window("s4", 2, 2))  # least: 16 px

# Table I: for each map of C3, the maps of S2 that it sees
TABLE_I = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


@register(
    "lenet5",
    task="classification",
    params=61_706,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2},
    paper="LeCun et al. 1998",
    year=1998,
    aliases=("lenet",),
    space={
        "activation": {"choices": ["tanh", "relu"]},
        "pooling": {"choices": ["average", "max"]},
        "batch_norm": {"choices": [False, True]},
        "dropout": {"choices": [0.0, 0.2, 0.5]},
    },
)
def lenet5(input_shape=(32, 32, 1), num_classes=10, activation="tanh", pooling="average", batch_norm=False, dropout=0.0):
    """The modern form.

    Args:
        activation: of every layer but the last, a Keras name.
        pooling: "average", "max", "overlapping" or "strided", a convolution; see `blocks.pool_window`. The last two are padded.
        batch_norm: batch normalization of c1 and c3, instead of biases.
        dropout: share of c5's and f6's outputs that is dropped in training, from 0 to below 1.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for a side under 16 px (13 where poolings are padded), fewer than 2 classes, or an option out of its range.
    """
    input_shape = need_image(input_shape)
    need_count("num_classes", num_classes, 2)
    need_activation(activation)
    size = blocks.POOLINGS[need_choice("pooling", pooling, tuple(blocks.POOLINGS))]
    need_flag("batch_norm", batch_norm)
    need_share("dropout", dropout)
    c1, s2, c3, s4 = WINDOWS
    s2, s4 = (blocks.pool_window(pool.name, pooling, "same" if size == 3 else "valid") for pool in (s2, s4))
    need_room(input_shape, (c1, s2, c3, s4))
    x = image = keras.Input(input_shape, name="image")
    for conv, filters, pool in ((c1, C1, s2), (c3, C3, s4)):
        x = activated(x, layers.Conv2D, filters, conv.size, activation=activation, batch_norm=batch_norm, name=conv.name)
        x = blocks.downsample(x, pool, pooling, activation=activation)
    x = layers.Flatten(name="flatten")(x)
    for name, units in (("c5", C5), ("f6", F6)):
        x = blocks.dropped(layers.Dense(units, activation=activation, name=name)(x), dropout, f"{name}_drop")
    return keras.Model(image, layers.Dense(num_classes, dtype="float32", name="logits")(x), name="lenet5")


@register(
    "lenet5_1998",
    task="classification",
    params=60_000,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2},
    paper="LeCun et al. 1998",
    year=1998,
)
def lenet5_1998(input_shape=(32, 32, 1), num_classes=10):
    """The form of 1998: trainable sub-sampling, table I, scaled tanh, fixed RBF outputs.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), minus the squared distance to each class's code: at
        most 0, the largest is the best class, usable as logits.
    Raises: ValueError for a side under 16 px or fewer than 2 classes.
    """
    input_shape = need_image(input_shape)
    need_room(input_shape, WINDOWS)
    need_count("num_classes", num_classes, 2)
    image = keras.Input(input_shape, name="image")
    x = layers.Conv2D(C1, KERNEL, **_squashed(KERNEL**2 * input_shape[-1]), name="c1")(image)
    x = TrainableSubsampling(2, scaled_tanh, name="s2")(x)
    x = TableConv2D(TABLE_I, KERNEL, scaled_tanh, name="c3")(x)
    x = TrainableSubsampling(2, scaled_tanh, name="s4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(C5, **_squashed(x.shape[-1]), name="c5")(x)
    x = layers.Dense(F6, **_squashed(C5), name="f6")(x)
    return keras.Model(image, SignCodeRBF(num_classes, dtype="float32", name="logits")(x), name="lenet5_1998")


def _squashed(fan_in):
    bound = INITIAL / fan_in
    return {"activation": scaled_tanh, "kernel_initializer": keras.initializers.RandomUniform(-bound, bound)}

"""GoogLeNet: Szegedy et al. 2015, CVPR, "Going deeper with convolutions", table 1 and figures 2 and 3.

6,998,552 parameters, 13,378,280 with the two auxiliary heads, which are trained with weight 0.3 and are no part of the net: see
keras_models.auxiliary. No batch normalisation, as published; the paper gives neither the constants of local response normalization
nor the initialisation: here Krizhevsky's and Glorot's, with biases at 0. Differs on purpose: the average pooling at the end takes
the whole map, which at 224 px is the paper's 7x7, so that any input size will do.
"""

import keras
from keras import layers

from keras_models import auxiliary, blocks, checks
from keras_models.inception_blocks import Inception, conv, inception
from keras_models.layers.local_response import LocalResponseNormalization
from keras_models.record import register
from keras_models.room import Window, need_room

STAGES = (  # pool2, pool3 and pool4 are before them
    {"3a": Inception(64, 96, 128, 16, 32, 32), "3b": Inception(128, 128, 192, 32, 96, 64)},
    {
        "4a": Inception(192, 96, 208, 16, 48, 64),
        "4b": Inception(160, 112, 224, 24, 64, 64),
        "4c": Inception(128, 128, 256, 24, 64, 64),
        "4d": Inception(112, 144, 288, 32, 64, 64),
        "4e": Inception(256, 160, 320, 32, 128, 128),
    },
    {"5a": Inception(256, 160, 320, 32, 128, 128), "5b": Inception(384, 192, 384, 48, 128, 128)},
)
STEM = (64, 64, 192)  # conv1, conv2_reduce, conv2
CONV1 = {"imagenet": (7, 2), "small": (3, 1)}  # stem -> size px, stride px
POOLED = {"imagenet": (1, 2, 3, 4), "small": (3, 4)}  # stem -> poolings that there are
HEADS = ("4a", "4d")  # the modules that heads grow from
HEAD_CONV, HEAD_DENSE = 128, 1024
HEAD_POOL = (5, 3)  # size px, stride px
HEAD_DROPOUT = 0.7


@register(
    "googlenet",
    task="classification",
    params=6_998_552,
    tiny={"input_shape": (10, 10, 1), "num_classes": 2, "stem": "small", "modules": (1, 1, 1), "width": 0.06},
    paper="Szegedy et al. 2015",
    year=2015,
    aliases=("inception_v1",),
    space={"dropout": {"choices": [0.2, 0.4, 0.6]}, "batch_norm": {"choices": [False, True]}},
)
def googlenet(
    input_shape=(224, 224, 3),
    num_classes=1000,
    stem="imagenet",
    modules=(2, 5, 2),
    width=1.0,
    activation="relu",
    pooling="overlapping",
    lrn=True,
    batch_norm=False,
    dropout=0.4,
    auxiliary_weight=0.3,
):
    """Nine inception modules.

    Args:
        stem: "imagenet" divides the sides by 8 as published; "small" keeps them, with a 3x3 first convolution and no pooling, so
            that modules see of 28x28 px what they see of 224x224.
        modules: how many of the modules of stages 3, 4 and 5 there are, the first ones of each; heads grow from those of 4a and 4d
            that are there.
        width: times as many maps and, in heads, units, rounded; a number above 0.
        activation: of every layer but the last, a Keras name.
        pooling: where sides are halved: "overlapping" as published, "max", "average" or "strided", a convolution; see
            `blocks.pool_window`. All are padded.
        lrn: local response normalization in the stem.
        batch_norm: batch normalisation before each activation, instead of biases (Ioffe & Szegedy 2015).
        dropout: share of the last maps' means that is dropped in training, from 0 to below 1; in heads it is 0.7.
        auxiliary_weight: of each head's loss in training, from 0, which leaves the heads out, to below 1.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for an image of which a head leaves nothing (without heads any size will do), fewer than 2 classes, modules
        that table 1 lacks or another option out of its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    conv1 = Window("conv1", *CONV1[checks.need_choice("stem", stem, blocks.STEMS)], "same")
    modules = checks.need_counts("modules", modules, len(STAGES))
    if len(modules) != len(STAGES) or any(many > len(stage) for many, stage in zip(modules, STAGES, strict=True)):
        raise ValueError(f"modules must be three counts of at most 2, 5 and 2; got {modules!r}")
    checks.need_positive("width", width)
    checks.need_activation(activation)
    checks.need_choice("pooling", pooling, tuple(blocks.POOLINGS))
    checks.need_flag("lrn", lrn)
    checks.need_flag("batch_norm", batch_norm)
    checks.need_share("dropout", dropout)
    checks.need_share("auxiliary_weight", auxiliary_weight)
    pools = {number: blocks.pool_window(f"pool{number}", pooling, "same") for number in POOLED[stem]}
    if auxiliary_weight:
        last = Window(f"aux_{HEADS[0]}_pool", *HEAD_POOL)
        hint = "auxiliary_weight 0 takes any" if stem == "small" else blocks.SMALLER
        need_room(input_shape, (conv1, *(pools[number] for number in pools if number < 4), last), hint)

    def wide(maps):
        return blocks.scaled(maps, width)

    def halve(x, number):
        return blocks.downsample(x, pools[number], pooling, activation=activation) if number in pools else x

    def normalise(x, name):
        return LocalResponseNormalization(name=name)(x) if lrn else x

    convolve = {"activation": activation, "batch_norm": batch_norm}
    first, reduced, second = map(wide, STEM)
    image = keras.Input(input_shape, name="image")
    x = conv(image, first, conv1.size, conv1.name, stride=conv1.stride, **convolve)
    x = normalise(halve(x, 1), "norm1")  # in figure 3's order
    x = conv(x, reduced, 1, "conv2_reduce", **convolve)
    x = normalise(conv(x, second, 3, "conv2", **convolve), "norm2")
    outputs = {}
    for before, (stage, many) in enumerate(zip(STAGES, modules, strict=True), 2):
        x = halve(x, before)
        for name, maps in list(stage.items())[:many]:
            x = outputs[name] = inception(x, Inception(*map(wide, maps)), f"inception_{name}", **convolve)
    x = layers.GlobalAveragePooling2D(name="pool5")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    net = keras.Model(image, layers.Dense(num_classes, dtype="float32", name="logits")(x), name="googlenet")
    if auxiliary_weight:
        sizes = wide(HEAD_CONV), wide(HEAD_DENSE), num_classes
        heads = [_head(outputs[name], *sizes, f"aux_{name}", convolve) for name in HEADS if name in outputs]
        auxiliary.attach(net, heads, auxiliary_weight)
    return net


def _head(x, maps, units, num_classes, name, convolve):
    """Section 5: float32 (batch, num_classes), logits from the middle of the net."""
    x = layers.AveragePooling2D(*HEAD_POOL, name=f"{name}_pool")(x)
    x = conv(x, maps, 1, f"{name}_conv", **convolve)
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(units, activation=convolve["activation"], name=f"{name}_dense")(x)
    x = layers.Dropout(HEAD_DROPOUT, name=f"{name}_dropout")(x)
    return layers.Dense(num_classes, dtype="float32", name=f"{name}_logits")(x)

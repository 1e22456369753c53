"""VGG: Simonyan & Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", ICLR, section 2, table 1.

Differs on purpose:
- weights start as in He et al. 2015 unless `initializer` says otherwise. "published" is Glorot & Bengio 2010, which section 3.1
  notes to do without pre-training, but narrow, E did not start to learn small images from it; the deeper networks' start from A's
  trained layers is not here;
- dropout scales what it keeps during training (Keras); logits for softmax outputs; pixels are normalised by the layer before.
Batch normalization (Ioffe & Szegedy 2015, before the activation, instead of the convolution's bias) is younger than the paper.
"""

import keras

from keras_models import blocks, checks
from keras_models.layers.local_response import LocalResponseNormalization
from keras_models.record import register
from keras_models.room import need_room
from keras_models.vgg_stages import INITIALIZERS, MAPS, UNITS, convolution

CONFIGURATIONS = {  # table 1: sides of the kernels of each stage's convolutions, px; stride 1, padded
    "A": ((3,), (3,), *((3, 3),) * 3),
    "B": ((3, 3), (3, 3), *((3, 3),) * 3),
    "C": ((3, 3), (3, 3), *((3, 3, 1),) * 3),
    "D": ((3, 3), (3, 3), *((3, 3, 3),) * 3),
    "E": ((3, 3), (3, 3), *((3, 3, 3, 3),) * 3),
}


@register(
    "vgg_a",
    task="classification",
    params=132_863_336,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1, "activation": "elu"},
    paper="Simonyan & Zisserman 2015",
    year=2015,
    aliases=("vgg11",),
    options={"configuration": "A"},
)
@register(
    "vgg_a_lrn",
    task="classification",
    params=132_863_336,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1, "activation": "elu"},
    paper="Simonyan & Zisserman 2015",
    year=2015,
    options={"configuration": "A", "lrn": True},
)
@register(
    "vgg_b",
    task="classification",
    params=133_047_848,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1, "activation": "elu"},
    paper="Simonyan & Zisserman 2015",
    year=2015,
    aliases=("vgg13",),
    options={"configuration": "B"},
)
@register(
    "vgg_c",
    task="classification",
    params=133_638_952,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1, "activation": "elu"},
    paper="Simonyan & Zisserman 2015",
    year=2015,
    options={"configuration": "C"},
)
@register(
    "vgg_d",
    task="classification",
    params=138_357_544,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1, "activation": "elu"},
    paper="Simonyan & Zisserman 2015",
    year=2015,
    aliases=("vgg16",),
    options={"configuration": "D"},
)
@register(
    "vgg_e",
    task="classification",
    params=143_667_240,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1, "activation": "elu"},
    paper="Simonyan & Zisserman 2015",
    year=2015,
    aliases=("vgg19",),
    options={"configuration": "E"},
    space={"dropout": {"choices": [0.2, 0.5]}, "batch_norm": {"choices": [False, True]}},
)
def vgg(
    input_shape=(224, 224, 3),
    num_classes=1000,
    configuration="D",
    stem="imagenet",
    width=1.0,
    activation="relu",
    pooling="max",
    batch_norm=False,
    lrn=False,
    dropout=0.5,
    initializer="he",
):
    """Five stages of 3 x 3 convolutions, each ended by a pooling, and three dense layers.

    Args:
        configuration: "A" to "E" of table 1.
        stem: "imagenet", or "small", in which poolings keep a last row or column that fills no region: 28 px become 14, 7, 4, 2 and
            1. At multiples of 32 px the two are the same.
        width: times as many maps and units, rounded; a number above 0.
        activation: of every layer but the last, a Keras name.
        pooling: "max" as published, "average", "overlapping" or "strided", a convolution; see `blocks.pool_window`. The last two
            are padded.
        batch_norm: batch normalization of every convolution.
        lrn: local response normalization after the first convolution, which makes A the paper's A-LRN.
        dropout: share of fc6's and fc7's outputs that is dropped in training, from 0 to below 1.
        initializer: "he" (He et al. 2015) or "published" (Glorot & Bengio 2010, uniform); biases start at 0.

    Input: float32 (batch, height px, width px, channels), normalised pixels; more pixels give fc6 more weights, not a larger map.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for an image of which nothing is left, fewer than 2 classes or an option out of its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    kernels = CONFIGURATIONS[checks.need_choice("configuration", configuration, tuple(CONFIGURATIONS))]
    checks.need_choice("stem", stem, blocks.STEMS)
    checks.need_positive("width", width)
    checks.need_activation(activation)
    size = blocks.POOLINGS[checks.need_choice("pooling", pooling, tuple(blocks.POOLINGS))]
    checks.need_flag("batch_norm", batch_norm)
    checks.need_flag("lrn", lrn)
    checks.need_share("dropout", dropout)
    kernel = INITIALIZERS[checks.need_choice("initializer", initializer, tuple(INITIALIZERS))]
    padding = "same" if stem == "small" or size == 3 else "valid"  # 3 px unpadded would leave 6 of 224 px, not 7
    pools = [blocks.pool_window(f"pool{stage}", pooling, padding) for stage in range(1, len(MAPS) + 1)]
    need_room(input_shape, pools, blocks.SMALLER)

    x = image = keras.Input(input_shape, name="image")
    for stage, (sides, pool) in enumerate(zip(kernels, pools, strict=True), 1):
        for number, side in enumerate(sides, 1):
            x = convolution(x, stage, number, side, width, activation, batch_norm, kernel)
            if lrn and stage == number == 1:
                x = LocalResponseNormalization(name="norm1_1")(x)
        x = blocks.downsample(x, pool, pooling, activation=activation, kernel_initializer=kernel)
    logits = blocks.dense_head(x, blocks.scaled(UNITS, width), num_classes, activation, dropout, kernel)
    return keras.Model(image, logits, name=f"vgg_{configuration.lower()}")

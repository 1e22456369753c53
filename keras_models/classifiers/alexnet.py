"""AlexNet: Krizhevsky, Sutskever & Hinton 2012, "ImageNet classification with deep convolutional neural networks", NeurIPS, section
3.5 and figure 2; in one tower: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997.

Images are 227 x 227 px: the paper's 224 do not give its 55 x 55 maps. Differs on purpose:
- local response normalization looks across all maps of a layer, as the paper's equation does, not only across those of one GPU;
- weights start as in He et al. 2015 unless `initializer` says otherwise: from the paper's deviation of 0.01, which suits its width,
  narrow networks did not start to learn small images;
- dropout scales what it keeps during training (Keras), where the paper halves outputs at test time;
- logits for softmax outputs;
- pixels are normalised by the layer before; ten crops, colour noise and the optimizer's schedule are the training's.
Batch normalization (Ioffe & Szegedy 2015, before the activation, instead of the convolution's bias) is younger than the papers.
"""

import keras
from keras import layers

from keras_models import blocks, checks
from keras_models.convolutions import activated
from keras_models.layers.grouped_conv import GroupedConv2D
from keras_models.layers.local_response import LocalResponseNormalization
from keras_models.record import register
from keras_models.room import Window, need_room

VARIANTS = {  # maps of conv1 to conv5; groups of conv2, conv4 and conv5, whose kernels see only the maps of their own GPU
    "two_groups": ((96, 256, 384, 384, 256), 2),
    "ungrouped": ((96, 256, 384, 384, 256), 1),
    "one_tower": ((64, 192, 384, 256, 256), 1),  # 2014
}
CONV1 = {"imagenet": (11, 4, "valid"), "small": (5, 1, "same")}  # stem -> size px, stride px, padding
KERNELS = (5, 3, 3, 3)  # px, of conv2 to conv5, stride 1, padded
GROUPED = (2, 4, 5)
NORMALIZED = (1, 2)
POOLED = (1, 2, 5)
UNITS = 4096  # of fc6 and fc7
INITIALIZERS = {"he": "he_normal", "published": blocks.normal(0.01)}
RAISED = (2, 4, 5)  # convolutions whose biases start at 1, as those of fc6 and fc7 do (section 5)


@register(
    "alexnet",
    task="classification",
    params=60_965_224,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1},
    paper="Krizhevsky et al. 2012",
    year=2012,
)
@register(
    "alexnet_one_tower",
    task="classification",
    params=61_100_840,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1},
    paper="Krizhevsky 2014",
    year=2014,
    options={"variant": "one_tower", "lrn": False},
    space={"dropout": {"choices": [0.2, 0.5]}, "batch_norm": {"choices": [False, True]}},
)
def alexnet(
    input_shape=(227, 227, 3),
    num_classes=1000,
    variant="two_groups",
    stem="imagenet",
    width=1.0,
    activation="relu",
    pooling="overlapping",
    batch_norm=False,
    lrn=True,
    dropout=0.5,
    initializer="he",
):
    """Five convolutions and three dense layers.

    Args:
        variant: "two_groups" as published in 2012, "ungrouped" with the same maps, or "one_tower" of 2014.
        stem: "imagenet", conv1 of 11 x 11 px with stride 4, or "small", 5 x 5 px with stride 1, padded, which suits 28 or 32 px.
        width: times as many maps and units, rounded; a number above 0.
        activation: of every layer but the last, a Keras name.
        pooling: "overlapping" as published, "max", "average" or "strided", a convolution; see `blocks.pool_window`.
        batch_norm: batch normalization of every convolution.
        lrn: local response normalization after conv1 and conv2.
        dropout: share of fc6's and fc7's outputs that is dropped in training, from 0 to below 1.
        initializer: "he" (He et al. 2015, biases 0) or "published" (normal, deviation 0.01, biases 0 or 1).

    Input: float32 (batch, height px, width px, channels), normalised pixels; more pixels give fc6 more weights, not a larger map.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for an image of which nothing is left, fewer than 2 classes or an option out of its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    maps, groups = VARIANTS[checks.need_choice("variant", variant, tuple(VARIANTS))]
    conv1 = Window("conv1", *CONV1[checks.need_choice("stem", stem, blocks.STEMS)])
    checks.need_positive("width", width)
    checks.need_activation(activation)
    checks.need_choice("pooling", pooling, tuple(blocks.POOLINGS))
    checks.need_flag("batch_norm", batch_norm)
    checks.need_flag("lrn", lrn)
    checks.need_share("dropout", dropout)
    kernel = INITIALIZERS[checks.need_choice("initializer", initializer, tuple(INITIALIZERS))]
    raised = "ones" if initializer == "published" else "zeros"
    pools = {number: blocks.pool_window(f"pool{number}", pooling) for number in POOLED}
    need_room(input_shape, (conv1, *pools.values()), "" if stem == "small" else blocks.SMALLER)

    x = image = keras.Input(input_shape, name="image")
    convs = (conv1, *(Window(f"conv{number}", size, 1, "same") for number, size in enumerate(KERNELS, 2)))
    for number, (conv, many) in enumerate(zip(convs, maps, strict=True), 1):
        split = groups if number in GROUPED else 1
        x = activated(
            x,
            GroupedConv2D if split > 1 else layers.Conv2D,
            blocks.scaled(many, width, groups),
            conv.size,
            conv.stride,
            conv.padding,
            groups=split,
            activation=activation,
            batch_norm=batch_norm,
            kernel_initializer=kernel,
            bias_initializer=raised if number in RAISED else "zeros",
            name=conv.name,
        )
        if lrn and number in NORMALIZED:
            x = LocalResponseNormalization(name=f"norm{number}")(x)
        if number in pools:
            x = blocks.downsample(x, pools[number], pooling, activation=activation, kernel_initializer=kernel)
    logits = blocks.dense_head(x, blocks.scaled(UNITS, width), num_classes, activation, dropout, kernel, raised)
    return keras.Model(image, logits, name="alexnet")

"""Residual networks and their plain twins: He, Zhang, Ren & Sun 2016, "Deep residual learning for image recognition", CVPR, table 1
and section 4.2; pre-activation: He et al. 2016, "Identity mappings in deep residual networks", ECCV.

`resnet18` to `resnet152`, `plain18` and `plain34` are those of table 1, for 224x224x3; `resnet20` to `resnet1202` and `plain20` to
`plain110` those of section 4.2, for 32x32x3. A plain network is the residual one without shortcuts. The blocks are in
keras_models/residual_blocks.py, initialisation and padding in keras_models/convolutions.py.

Differs on purpose:
- the output is logits;
- batch normalisation has moving statistics with momentum 0.9 and adds 1e-5 to the variance; the paper gives neither;
- stem "small" is a choice of ours for images of 28 to 64 px: the first convolution of section 4.2, and no pooling.

Any input size works, down to one pixel: padding keeps every volume above zero.
"""

from functools import partial

import keras

from keras_models.blocks import STEMS, scaled
from keras_models.checks import need_activation, need_choice, need_count, need_flag, need_image, need_positive
from keras_models.convolutions import chain, head, norm_act, stem_conv, stem_pool
from keras_models.record import register
from keras_models.residual_blocks import LONGEST_BLOCK, STRIDED, basic_block, bottleneck_block, need_shortcut

# Table 1: for each depth the block, and how many of them each stage has
IMAGENET = {
    18: (basic_block, (2, 2, 2, 2)),
    34: (basic_block, (3, 4, 6, 3)),
    50: (bottleneck_block, (3, 4, 6, 3)),
    101: (bottleneck_block, (3, 4, 23, 3)),
    152: (bottleneck_block, (3, 8, 36, 3)),
}
IMAGENET_FILTERS = (64, 128, 256, 512)  # of the stages; the first convolution has those of the first stage

CIFAR_FILTERS = (16, 32, 64)  # section 4.2; each stage has n blocks, 6n + 2 weight layers in all


@register(
    "plain18",
    task="classification",
    params=11_515_688,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 18, "shortcut": "none"},
)
@register(
    "plain34",
    task="classification",
    params=21_623_848,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 34, "shortcut": "none"},
)
@register(
    "resnet18",
    task="classification",
    params=11_689_512,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 18},
)
@register(
    "resnet34",
    task="classification",
    params=21_797_672,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 34},
)
@register(
    "resnet50",
    task="classification",
    params=25_557_032,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 50},
)
@register(
    "resnet101",
    task="classification",
    params=44_549_160,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 101},
)
@register(
    "resnet152",
    task="classification",
    params=60_192_808,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.015625},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 152},
    space={"width": {"choices": [0.5, 1.0]}},
)
def resnet(
    input_shape=(224, 224, 3),
    num_classes=1000,
    depth=50,
    shortcut="B",
    preactivation=False,
    strided="1x1",
    stem="imagenet",
    width=1.0,
    activation="relu",
    batch_norm=True,
):
    """The networks of table 1; those of depth 50 and more have bottlenecks.

    Args:
        depth: 18, 34, 50, 101 or 152 weight layers.
        shortcut: "A" (zeros for new maps), "B" (projections where maps change), "C" (projections everywhere) or "none" (plain).
        preactivation: normalisation and activation before each convolution, and once more after the last block.
        strided: the convolution of a bottleneck that has the stride, "1x1" as published or "3x3" as in many libraries.
        stem: "imagenet" (7x7 convolution with stride 2, 3x3 pooling with stride 2) or "small" (3x3 convolution with stride 1).
        width: factor on the maps of every layer.
        activation: a Keras name.
        batch_norm: without it, convolutions have biases.

    Input: float32 (batch, height px, width px, channels), normalised pixels, any size.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for fewer than 2 classes, another depth or choice, a width that is not above 0, an unknown activation, or
        pre-activation of a plain network.
    """
    if depth not in IMAGENET:
        raise ValueError(f"depth must be one of {', '.join(map(str, IMAGENET))}; got {depth!r}")
    need_choice("stem", stem, STEMS)
    block, blocks = IMAGENET[depth]
    return _network(
        input_shape,
        num_classes,
        depth,
        block,
        blocks,
        IMAGENET_FILTERS,
        shortcut,
        preactivation,
        strided,
        stem,
        width,
        activation,
        batch_norm,
    )


@register(
    "plain20",
    task="classification",
    params=269_722,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 20, "shortcut": "none"},
)
@register(
    "plain32",
    task="classification",
    params=464_154,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 32, "shortcut": "none"},
)
@register(
    "plain44",
    task="classification",
    params=658_586,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 44, "shortcut": "none"},
)
@register(
    "plain56",
    task="classification",
    params=853_018,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 56, "shortcut": "none"},
)
@register(
    "plain110",
    task="classification",
    params=1_727_962,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 110, "shortcut": "none"},
)
@register(
    "resnet20",
    task="classification",
    params=269_722,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 20},
)
@register(
    "resnet32",
    task="classification",
    params=464_154,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 32},
)
@register(
    "resnet44",
    task="classification",
    params=658_586,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 44},
)
@register(
    "resnet56",
    task="classification",
    params=853_018,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 56},
)
@register(
    "resnet110",
    task="classification",
    params=1_727_962,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 110},
)
@register(
    "resnet1202",
    task="classification",
    params=19_421_274,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.125, "depth": 8},
    paper="He et al. 2016",
    year=2016,
    options={"depth": 1202},
    space={"width": {"choices": [0.5, 1.0, 2.0]}},
)
def resnet_cifar(
    input_shape=(32, 32, 3),
    num_classes=10,
    depth=20,
    shortcut="A",
    preactivation=False,
    bottleneck=False,
    strided="1x1",
    width=1.0,
    activation="relu",
    batch_norm=True,
):
    """The networks of section 4.2: a 3x3 convolution, then three stages of as many blocks with 16, 32 and 64 maps.

    Args:
        depth: weight layers, 6n + 2; with bottlenecks 9n + 2, as 164 and 1001 in table 4 of "Identity mappings".
        bottleneck: blocks of three convolutions instead of two.

    The other arguments, input, output and errors are those of `resnet`; the stem is the small one.
    """
    each, example = (9, 164) if need_flag("bottleneck", bottleneck) else (6, 20)
    if need_count("depth", depth, each + 2) % each != 2:
        with_ = " with bottlenecks" if bottleneck else ""
        raise ValueError(f"depth must be {each}n + 2{with_}, as {example} is; got {depth}")
    block, blocks = bottleneck_block if bottleneck else basic_block, (depth // each,) * len(CIFAR_FILTERS)
    return _network(
        input_shape,
        num_classes,
        depth,
        block,
        blocks,
        CIFAR_FILTERS,
        shortcut,
        preactivation,
        strided,
        "small",
        width,
        activation,
        batch_norm,
    )


def _network(
    input_shape, num_classes, depth, block, blocks, filters, shortcut, preactivation, strided, stem, width, activation, batch_norm
):
    input_shape = need_image(input_shape)
    need_count("num_classes", num_classes, 2)
    need_flag("preactivation", preactivation)
    need_shortcut(shortcut, preactivation)
    need_choice("strided", strided, STRIDED)
    need_positive("width", width)
    need_activation(activation)
    need_flag("batch_norm", batch_norm)
    form = {"activation": activation, "batch_norm": batch_norm}
    options = {**form, "shortcut": shortcut, "preactivation": preactivation}
    if block is bottleneck_block:
        options["strided"] = strided

    image = keras.Input(input_shape, name="image")
    x = norm_act(stem_conv(image, scaled(filters[0], width), stem, bias=not batch_norm), number=1, **form)
    if stem == "imagenet":
        x = stem_pool(x)
    steps = []
    for stage, (many, maps) in enumerate(zip(blocks, filters, strict=True), 2):
        for number in range(1, many + 1):
            strides = 2 if number == 1 and stage > 2 else 1
            named = {"name": f"conv{stage}_{number}", "activated": not steps}
            steps.append(partial(block, filters=scaled(maps, width), strides=strides, **named, **options))
    x = chain(x, steps, LONGEST_BLOCK)
    if preactivation:
        x = norm_act(x, **form)
    name = f"{'plain' if shortcut == 'none' else 'resnet'}{depth}"
    return keras.Model(image, head(x, num_classes), name=name)

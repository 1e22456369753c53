"""DenseNet: Huang, Liu, van der Maaten & Weinberger 2017, "Densely connected convolutional networks", CVPR, section 3 and table 1.

`densenet121`, `densenet169` and `densenet201` are table 1's, for 224x224x3: DenseNet-BC with growth rate 32. `densenet_cifar`
is section 3's form for 32x32, growth rate and depth free; its default is DenseNet-BC of depth 100 and growth rate 12, in table 2.
The blocks are in keras_models/dense_blocks.py, initialisation and padding in keras_models/convolutions.py.

Differs on purpose:
- the output is logits;
- stem "small" is a choice of ours for images of 28 to 64 px: the first convolution of the form for 32x32, and no pooling.
"""

import keras

from keras_models.blocks import STEMS
from keras_models.checks import need_activation, need_choice, need_count, need_flag, need_image, need_share
from keras_models.convolutions import chain, head, norm_act, stem_conv, stem_pool
from keras_models.dense_blocks import dense_steps, longest_layer, need_compression, transition
from keras_models.record import register
from keras_models.room import Window, need_room

# Table 1: layers of each block
IMAGENET = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}

# Section 3: three blocks with as many layers each; in all, L = 3n + 4 weight layers, with bottlenecks 6n + 4
CIFAR_BLOCKS = 3
CIFAR_FILTERS = 16  # of the first convolution of a DenseNet without bottlenecks or compression; of any other, twice the growth rate


@register(
    "densenet121",
    task="classification",
    params=7_978_856,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "growth_rate": 1},
    paper="Huang et al. 2017",
    year=2017,
    options={"depth": 121},
)
@register(
    "densenet169",
    task="classification",
    params=14_149_480,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "growth_rate": 1},
    paper="Huang et al. 2017",
    year=2017,
    options={"depth": 169},
)
@register(
    "densenet201",
    task="classification",
    params=20_013_928,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "growth_rate": 1, "compression": 0.1},
    paper="Huang et al. 2017",
    year=2017,
    options={"depth": 201},
    space={"dropout": {"choices": [0.0, 0.2]}, "compression": {"choices": [0.5, 1.0]}},
)
def densenet(
    input_shape=(224, 224, 3),
    num_classes=1000,
    depth=121,
    growth_rate=32,
    compression=0.5,
    bottleneck=True,
    dropout=0.0,
    stem="imagenet",
    activation="relu",
    batch_norm=True,
):
    """The networks of table 1: four blocks.

    Args:
        depth: 121, 169 or 201 weight layers.
        growth_rate: maps that a layer adds; the first convolution has twice as many.
        compression: share of its maps that a transition keeps, above 0 and at most 1.
        bottleneck: a 1x1 convolution before each 3x3; without it there are fewer layers than `depth` says.
        dropout: rate after each convolution but the first, from 0 and below 1.
        stem: "imagenet" (7x7 convolution with stride 2, normalisation, activation, 3x3 pooling with stride 2) or "small" (3x3
            convolution).
        activation: a Keras name.
        batch_norm: without it, convolutions have biases.

    Input: float32 (batch, height px, width px, channels), normalised pixels; sides from 29 px, with the small stem from 8.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for a side that a transition would leave without pixels, fewer than 2 classes, another depth or choice, a
        number out of its range or an unknown activation.
    """
    if depth not in IMAGENET:
        raise ValueError(f"depth must be one of {', '.join(map(str, IMAGENET))}; got {depth!r}")
    need_choice("stem", stem, STEMS)
    filters = 2 * need_count("growth_rate", growth_rate)
    name = f"densenet{depth}"
    layer = {"bottleneck": bottleneck, "dropout": dropout, "activation": activation, "batch_norm": batch_norm}
    return _network(input_shape, num_classes, IMAGENET[depth], growth_rate, compression, filters, stem, name, layer)


@register(
    "densenet_cifar",
    task="classification",
    params=769_162,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "depth": 22, "growth_rate": 4},
    paper="Huang et al. 2017",
    year=2017,
    space={"growth_rate": {"choices": [12, 24]}, "dropout": {"choices": [0.0, 0.2]}, "compression": {"choices": [0.5, 1.0]}},
)
def densenet_cifar(
    input_shape=(32, 32, 3),
    num_classes=10,
    depth=100,
    growth_rate=12,
    compression=0.5,
    bottleneck=True,
    dropout=0.0,
    activation="relu",
    batch_norm=True,
):
    """The form for 32x32: a 3x3 convolution, then three blocks of as many layers.

    Table 2 has, as DenseNet (bottleneck=False, compression=1), depth 40 and growth rate 12, 100 and 12, 100 and 24; as DenseNet-BC
    100 and 12, 250 and 24, 190 and 40; dropout 0.2 without augmentation.

    Args:
        depth: weight layers, 6n + 4; without bottlenecks 3n + 4.

    The other arguments, output and errors are those of `densenet`; the stem is the small one, and sides are from 4 px.
    """
    each = 6 if need_flag("bottleneck", bottleneck) else 3
    if need_count("depth", depth, each + 4) % each != 4 % each:
        without = "" if bottleneck else " without bottlenecks"
        raise ValueError(f"depth must be {each}n + 4{without}, as {100 if bottleneck else 40} is; got {depth}")
    need_count("growth_rate", growth_rate)
    filters = CIFAR_FILTERS if compression == 1 and not bottleneck else 2 * growth_rate
    blocks = ((depth - 4) // each,) * CIFAR_BLOCKS
    layer = {"bottleneck": bottleneck, "dropout": dropout, "activation": activation, "batch_norm": batch_norm}
    return _network(input_shape, num_classes, blocks, growth_rate, compression, filters, "small", "densenet_cifar", layer)


def _network(input_shape, num_classes, blocks, growth_rate, compression, filters, stem, name, layer):
    input_shape = need_image(input_shape)
    need_count("num_classes", num_classes, 2)
    need_compression(compression)
    need_flag("bottleneck", layer["bottleneck"])
    need_share("dropout", layer["dropout"])
    need_activation(layer["activation"])
    need_flag("batch_norm", layer["batch_norm"])
    windows = [Window("conv1", 7, 2, 3), Window("pool1", 3, 2, 1)] if stem == "imagenet" else []
    windows += [Window(f"transition{number}_pool", 2, 2) for number in range(1, len(blocks))]
    need_room(input_shape, windows, "stem small takes smaller ones" if stem == "imagenet" else "")
    form = {key: layer[key] for key in ("activation", "batch_norm")}

    image = keras.Input(input_shape, name="image")
    x = stem_conv(image, filters, stem, bias=not layer["batch_norm"])
    if stem == "imagenet":
        x = stem_pool(norm_act(x, number=1, **form))
    steps = []
    for number, depth in enumerate(blocks, 1):
        steps += dense_steps(depth, growth_rate, name=f"dense{number}", **layer)
        if number < len(blocks):
            steps.append(_transition(number, compression, layer["dropout"], form))
    x = norm_act(chain(x, steps, longest_layer(layer["dropout"])), **form)
    return keras.Model(image, head(x, num_classes), name=name)


def _transition(number, compression, dropout, form):
    return lambda x: transition(x, compression, name=f"transition{number}", dropout=dropout, **form)

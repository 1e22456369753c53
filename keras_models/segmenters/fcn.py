"""Fully convolutional networks: Long, Shelhamer & Darrell 2015, "Fully convolutional networks for semantic segmentation", CVPR,
sections 3 and 4, on VGG-16: its dense layers are convolutions, classes are scored where the poolings left maps, and transposed
convolutions bring the scores to the image's size.

The network that the authors released is this one with `padding: published`: 100 px around the image, and what that is too much cut
off where it lies. Differs on purpose: logits for softmax outputs; pixels are normalised by the layer before.
"""

import keras
from keras import layers

from keras_models import blocks, checks
from keras_models.convolutions import activated
from keras_models.layers.bilinear import Bilinear
from keras_models.record import register
from keras_models.surroundings import added, cut_off, lacking
from keras_models.vgg_stages import INITIALIZERS, SIXTEEN, UNITS, convolution

AROUND = 100  # px
STRIDES = (32, 16, 8)  # px of the image between two scores before they are enlarged in one step
OFFSETS = {"pool4": 5, "pool3": 9, 32: 19, 16: 27, 8: 31}  # where what is kept begins, with AROUND px around: of a skip, of scores


@register(
    "fcn32s",
    task="segmentation",
    params=134_346_581,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.02, "kernel": 2, "padding": "same", "activation": "elu"},
    paper="Long et al. 2015",
    year=2015,
    options={"stride": 32},
)
@register(
    "fcn16s",
    task="segmentation",
    params=134_364_410,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.02, "kernel": 2, "padding": "same", "activation": "elu"},
    paper="Long et al. 2015",
    year=2015,
    options={"stride": 16},
)
@register(
    "fcn8s",
    task="segmentation",
    params=134_376_863,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "width": 0.02, "kernel": 2, "padding": "same", "activation": "elu"},
    paper="Long et al. 2015",
    year=2015,
    aliases=("fcn",),
    options={"stride": 8},
    space={"dropout": {"choices": [0.2, 0.5]}, "batch_norm": {"choices": [False, True]}},
)
def fcn(
    input_shape=(500, 500, 3),
    num_classes=21,
    stride=8,
    padding="published",
    kernel=7,
    width=1.0,
    activation="relu",
    batch_norm=False,
    dropout=0.5,
    initializer="he",
):
    """VGG-16's convolutions and poolings, fc6 and fc7 as convolutions, scores, and their way up.

    Args:
        stride: 32, 16 or 8 px: scores of the last layer alone, with those of pool4, or with those of pool4 and pool3.
        padding: "published": 100 px of zeros around; "same": no more than what the sides lack to a multiple of 32 px.
        kernel: side of fc6, px: as many as pool5 had in a VGG-16 that weights are to come from, 7 with 224 px.
        width: times as many maps, rounded; a number above 0.
        activation: of VGG-16's layers, a Keras name.
        batch_norm: batch normalization of VGG-16's convolutions.
        dropout: share of fc6's and fc7's outputs that is dropped in training, from 0 to below 1.
        initializer: of VGG-16's layers, "he" (He et al. 2015) or "published" (Glorot & Bengio 2010, uniform). Scores start at 0,
            and enlarging as bilinear interpolation: the last step stays that, those before are learned (section 4.3).

    Input: float32 (batch, height px, width px, channels), normalised pixels, any size.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, num_classes), logits.
    Raises: ValueError for fewer than 2 classes or an option out of its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    if stride not in STRIDES or isinstance(stride, bool):
        raise ValueError(f"stride must be 32, 16 or 8; got {stride!r}")
    is_published = checks.need_choice("padding", padding, ("published", "same")) == "published"
    checks.need_count("kernel", kernel)
    checks.need_positive("width", width)
    checks.need_activation(activation)
    checks.need_flag("batch_norm", batch_norm)
    checks.need_share("dropout", dropout)
    start = INITIALIZERS[checks.need_choice("initializer", initializer, tuple(INITIALIZERS))]

    image = keras.Input(input_shape, name="image")
    around = ((AROUND, AROUND),) * 2 if is_published else lacking(input_shape, STRIDES[0])
    x, pooled = added(image, around), {}
    for stage, many in enumerate(SIXTEEN, 1):
        for number in range(1, many + 1):
            at_edge = is_published and stage == number == 1  # of the 100 px one is the first convolution's own
            x = convolution(x, stage, number, 3, width, activation, batch_norm, start, "valid" if at_edge else "same")
        x = pooled[f"pool{stage}"] = layers.MaxPooling2D(2, padding="same", name=f"pool{stage}")(x)
    if is_published and min(x.shape[1:3]) < kernel:
        raise ValueError(f"kernel must be at most {min(x.shape[1:3])}, the side of pool5 here; got {kernel!r}")
    for number, side in ((6, kernel), (7, 1)):
        options = {"activation": activation, "batch_norm": False, "kernel_initializer": start}
        sides = "valid" if is_published else "same"
        x = activated(x, layers.Conv2D, blocks.scaled(UNITS, width), side, padding=sides, **options, name=f"fc{number}")
        x = blocks.dropped(x, dropout, f"drop{number}")
    x = _scores(x, num_classes, "fr")
    for skip in ("pool4", "pool3")[: STRIDES.index(stride)]:
        x = _enlarged(x, 2, is_published, f"up_to_{skip}")
        skipped = _scores(pooled[skip], num_classes, skip)
        if is_published:
            skipped = _from(skipped, OFFSETS[skip], x.shape[1:3], f"crop_{skip}")
        x = layers.Add(name=f"with_{skip}")([x, skipped])
    x = _enlarged(x, stride, is_published, f"up{stride}", dtype="float32", trainable=False)
    x = _from(x, OFFSETS[stride], input_shape, "inside") if is_published else cut_off(x, around)
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(image, logits, name=f"fcn{stride}s")


def _scores(x, num_classes, name):
    return layers.Conv2D(num_classes, 1, kernel_initializer="zeros", name=f"score_{name}")(x)


def _enlarged(x, factor, is_published, name, **options):
    """Unpadded, as published, the result is larger by `factor`."""
    sides = "valid" if is_published else "same"
    options |= {"kernel_initializer": Bilinear(), "use_bias": False}
    return layers.Conv2DTranspose(x.shape[-1], 2 * factor, factor, sides, **options, name=name)(x)


def _from(x, offset, sides, name):
    """So many rows and columns, from the same place on."""
    amounts = tuple((offset, have - offset - want) for have, want in zip(x.shape[1:3], sides, strict=False))
    return layers.Cropping2D(amounts, name=name)(x)

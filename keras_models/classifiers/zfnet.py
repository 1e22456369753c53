"""ZFNet: Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", ECCV, section 3 and figure 3.

AlexNet ungrouped, with smaller steps at the start, conv1 of 7 x 7 px and stride 2, conv2 of stride 2, and normalization after
pooling. The figure's sides, 110, 55, 26, 13 and 6, settle the padding, which the text leaves out. Differs on purpose:
- contrast normalization is AlexNet's local response normalization: the paper gives no other formula;
- weights start as in He et al. 2015 unless `initializer` says otherwise: from the paper's 0.01, which suits its width, narrow
  networks did not start to learn small images. "Initialized to 10^-2" is read as the deviation of a normal distribution;
- no kernel is scaled back to a root mean square of 0.1 during training;
- dropout scales what it keeps during training (Keras); logits for softmax outputs; pixels are normalised by the layer before.
Batch normalization (Ioffe & Szegedy 2015, before the activation, instead of the convolution's bias) is younger than the paper.
"""

import keras
from keras import layers

from keras_models import blocks, checks
from keras_models.convolutions import activated
from keras_models.layers.local_response import LocalResponseNormalization
from keras_models.record import register
from keras_models.room import Window, need_room

MAPS = (96, 256, 384, 384, 256)
CONVS = {  # stem -> size px, stride px, padding (zeros on each side, px, where it is a number)
    "imagenet": ((7, 2, 1), (5, 2, "valid"), *((3, 1, "same"),) * 3),
    "small": ((3, 1, "same"), (5, 1, "same"), *((3, 1, "same"),) * 3),
}
POOLED = {1: "same", 2: "same", 5: "valid"}  # convolution that a pooling follows -> its padding
NORMALIZED = (1, 2)
UNITS = 4096  # of fc6 and fc7
INITIALIZERS = {"he": "he_normal", "published": blocks.normal(0.01)}


@register(
    "zfnet",
    task="classification",
    params=62_357_608,
    tiny={"input_shape": (16, 16, 1), "num_classes": 2, "stem": "small", "width": 0.02, "dropout": 0.1},
    paper="Zeiler & Fergus 2014",
    year=2014,
    space={"dropout": {"choices": [0.2, 0.5]}, "batch_norm": {"choices": [False, True]}},
)
def zfnet(
    input_shape=(224, 224, 3),
    num_classes=1000,
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
        stem: "imagenet", conv1 of 7 x 7 px with stride 2 and conv2 with stride 2, or "small", conv1 of 3 x 3 px, both with stride
            1 and padded, which suits 28 or 32 px.
        width: times as many maps and units, rounded; a number above 0.
        activation: of every layer but the last, a Keras name.
        pooling: "overlapping" as published, "max", "average" or "strided", a convolution; see `blocks.pool_window`.
        batch_norm: batch normalization of every convolution.
        lrn: local response normalization after the first two poolings.
        dropout: share of fc6's and fc7's outputs that is dropped in training, from 0 to below 1.
        initializer: "he" (He et al. 2015) or "published" (normal, deviation 0.01); biases start at 0.

    Input: float32 (batch, height px, width px, channels), normalised pixels; more pixels give fc6 more weights, not a larger map.
    Returns: uncompiled functional model -> float32 (batch, num_classes), logits.
    Raises: ValueError for an image of which nothing is left, fewer than 2 classes or an option out of its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    convs = CONVS[checks.need_choice("stem", stem, blocks.STEMS)]
    checks.need_positive("width", width)
    checks.need_activation(activation)
    checks.need_choice("pooling", pooling, tuple(blocks.POOLINGS))
    checks.need_flag("batch_norm", batch_norm)
    checks.need_flag("lrn", lrn)
    checks.need_share("dropout", dropout)
    kernel = INITIALIZERS[checks.need_choice("initializer", initializer, tuple(INITIALIZERS))]
    path = []  # each convolution and the pooling after it, None where there is none
    for number, conv in enumerate(convs, 1):
        pool = blocks.pool_window(f"pool{number}", pooling, POOLED[number]) if number in POOLED else None
        path.append((Window(f"conv{number}", *conv), pool))
    windows = [window for pair in path for window in pair if window]
    need_room(input_shape, windows, "" if stem == "small" else blocks.SMALLER)

    x = image = keras.Input(input_shape, name="image")
    start = {"activation": activation, "kernel_initializer": kernel}
    for number, ((conv, pool), maps) in enumerate(zip(path, MAPS, strict=True), 1):
        x = _conv(x, conv, blocks.scaled(maps, width), batch_norm=batch_norm, **start)
        if pool:
            x = blocks.downsample(x, pool, pooling, **start)
        if lrn and number in NORMALIZED:
            x = LocalResponseNormalization(name=f"norm{number}")(x)
    logits = blocks.dense_head(x, blocks.scaled(UNITS, width), num_classes, activation, dropout, kernel)
    return keras.Model(image, logits, name="zfnet")


def _conv(x, window, maps, **start):
    name, size, stride, padding = window
    if isinstance(padding, int):
        x, padding = layers.ZeroPadding2D(padding, name=f"{name}_pad")(x), "valid"
    return activated(x, layers.Conv2D, maps, size, stride, padding, **start, name=name)

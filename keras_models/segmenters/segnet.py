"""SegNet: Badrinarayanan, Kendall & Cipolla 2017, "SegNet: a deep convolutional encoder-decoder architecture for image
segmentation", IEEE TPAMI 39(12), section 3: the thirteen convolutions of VGG-16, and their mirror image over unpooled maps.

Differs on purpose: logits for softmax outputs; normalisation takes the place of the convolutions' biases; pixels are normalised by
the layer before, not by local contrast; a side that is no multiple of 32 px gets zeros around.
"""

import keras
from keras import layers

from keras_models import blocks, checks
from keras_models.convolutions import activated
from keras_models.layers.unpooling import PoolingIndices, Unpooling
from keras_models.record import register
from keras_models.surroundings import added, cut_off, lacking
from keras_models.vgg_stages import INITIALIZERS, MAPS, SIXTEEN, convolution

POOL = 2  # px


@register(
    "segnet",
    task="segmentation",
    params=29_441_419,
    tiny={"input_shape": (32, 32, 1), "num_classes": 2, "width": 0.02, "activation": "elu"},
    paper="Badrinarayanan et al. 2017",
    year=2017,
    space={"batch_norm": {"choices": [False, True]}},
)
def segnet(input_shape=(360, 480, 3), num_classes=11, width=1.0, activation="relu", batch_norm=True, initializer="he"):
    """Five stages of 3x3 convolutions, each ended by a pooling, and the same backwards, each begun by putting values where the
    pooling's maxima lay.

    Args:
        width: times as many maps, rounded; a number above 0.
        activation: of every layer but the last, a Keras name.
        batch_norm: batch normalization of every convolution but the last, as published.
        initializer: "he" (He et al. 2015) as published, or "published", VGG's (Glorot & Bengio 2010, uniform).

    Input: float32 (batch, height px, width px, channels), normalised pixels, any size.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, num_classes), logits.
    Raises: ValueError for fewer than 2 classes or an option out of its range.
    """
    input_shape = checks.need_image(input_shape)
    checks.need_count("num_classes", num_classes, 2)
    checks.need_positive("width", width)
    checks.need_activation(activation)
    checks.need_flag("batch_norm", batch_norm)
    start = INITIALIZERS[checks.need_choice("initializer", initializer, tuple(INITIALIZERS))]

    image = keras.Input(input_shape, name="image")
    around = lacking(input_shape, POOL ** len(SIXTEEN))
    x, lay = added(image, around), []
    for stage, many in enumerate(SIXTEEN, 1):
        for number in range(1, many + 1):
            x = convolution(x, stage, number, 3, width, activation, batch_norm, start)
        lay.append(PoolingIndices(POOL, name=f"indices{stage}")(x))
        x = layers.MaxPooling2D(POOL, name=f"pool{stage}")(x)
    for stage in range(len(SIXTEEN), 0, -1):
        x = Unpooling(POOL, name=f"unpool{stage}")([x, lay[stage - 1]])
        for number in range(SIXTEEN[stage - 1], 0, -1):
            if stage == number == 1:
                continue  # the classes are its maps
            maps = MAPS[stage - 1 if number > 1 else stage - 2]
            options = {"activation": activation, "batch_norm": batch_norm, "kernel_initializer": start}
            name = f"deconv{stage}_{number}"
            x = activated(x, layers.Conv2D, blocks.scaled(maps, width), 3, padding="same", **options, name=name)
    x = layers.Conv2D(num_classes, 3, padding="same", kernel_initializer=start, dtype="float32", name="deconv1_1")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(cut_off(x, around))
    return keras.Model(image, logits, name="segnet")

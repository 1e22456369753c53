"""A code between an image and the classes of its pixels: the convolutional autoencoder, of the papers that
keras_models.autoencoders.convolutional names, whose last layer scores classes. Noh, Hong & Han 2015, "Learning deconvolution
network for semantic segmentation", ICCV, do so with a code of VGG-16.

Its encoder is a `conv_autoencoder`'s, by its names, so that it may start from one that was trained without a mask.
"""

import keras

from keras_models.checks import need_activation, need_choice, need_count, need_counts, need_image
from keras_models.conv_coders import UPSAMPLINGS, conv_decoder, conv_encoder
from keras_models.record import register


@register(
    "encoder_decoder",
    task="segmentation",
    params=214_370,
    tiny={"input_shape": (9, 9, 1), "num_classes": 2, "code_size": 4, "filters": (4, 6)},
    paper="Noh et al. 2015",
    year=2015,
    space={"code_size": {"choices": [32, 64, 128]}, "upsampling": {"choices": ["transposed", "resize"]}},
)
def encoder_decoder(
    input_shape=(28, 28, 1),
    num_classes=2,
    code_size=64,
    filters=(16, 32),
    activation="elu",
    upsampling="transposed",
    pooling="strided",
):
    """Image -> code -> scores of the image's size, any size.

    Args:
        code_size, filters, activation, upsampling, pooling: as of `conv_autoencoder`.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, num_classes), logits. Its sub-models: encoder:
        image -> float32 (batch, code_size), unbounded; logits: code -> the logits.
    Raises: ValueError for fewer than 2 classes, a size or number under 1, no stage, or an unknown activation, upsampling or
        pooling.
    """
    input_shape, filters = need_image(input_shape), need_counts("filters", filters, 1)
    need_count("num_classes", num_classes, 2)
    need_count("code_size", code_size)
    need_activation(activation)
    need_choice("upsampling", upsampling, UPSAMPLINGS)
    need_choice("pooling", pooling, ("strided", "max"))
    encoder = conv_encoder(input_shape, code_size, filters, activation, pooling)
    image, size = keras.Input(input_shape, name="image"), (*input_shape[:2], num_classes)
    scores = conv_decoder(size, code_size, filters, activation, upsampling, "logits", "scores", "linear")
    return keras.Model(image, scores(encoder(image)), name="encoder_decoder")

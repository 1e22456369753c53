"""Convolutional autoencoder: Masci, Meier, Ciresan & Schmidhuber 2011, "Stacked convolutional auto-encoders", ICANN, section 3.

Up-sampling by transposed convolution is from Zeiler, Krishnan, Taylor & Fergus 2010, "Deconvolutional networks", CVPR;
nearest-neighbour resizing followed by a convolution, which leaves no checkerboard, from Odena, Dumoulin & Olah 2016, Distill.

Differs on purpose from Masci et al.: strided convolutions unless asked for maximum pooling, a dense linear code of chosen size, a
decoder with weights of its own (theirs are the encoder's, flipped), trained end to end instead of layer by layer, ELU (Clevert et
al. 2016) instead of scaled tanh, and no noise on the input.
"""

import keras

from keras_models.checks import need_activation, need_choice, need_count, need_counts, need_image
from keras_models.conv_coders import UPSAMPLINGS, conv_decoder, conv_encoder
from keras_models.record import register


@register(
    "conv_autoencoder",
    task="reconstruction",
    params=113_841,
    tiny={"input_shape": (9, 7, 1), "code_size": 3, "filters": (2, 4)},
    paper="Masci et al. 2011",
    year=2011,
    aliases=("convolutional_autoencoder",),
    space={
        "code_size": {"choices": [16, 32, 64]},
        "filters": {"choices": [[16, 32], [32, 64]]},
        "upsampling": {"choices": ["transposed", "resize"]},
    },
)
def conv_autoencoder(
    input_shape=(28, 28, 1), code_size=32, filters=(16, 32), activation="elu", upsampling="transposed", pooling="strided"
):
    """Image -> code -> image of the same size, any size.

    Args:
        code_size: numbers in the code.
        filters: maps of each stage of the encoder, first to last; a stage is one 3x3 convolution and halves the sides, rounding
            up. The decoder mirrors them and crops what the rounding added.
        activation: of every layer but the code, which is linear, and the last, a sigmoid; a Keras name.
        upsampling: "transposed" (transposed convolution) or "resize" (nearest-neighbour, then a convolution).
        pooling: what halves the sides: "strided", the convolution itself, or "max", the largest of each 2x2 values of its maps.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, within [0, 1].
        Its sub-models: encoder: image -> float32 (batch, code_size), unbounded; decoder: code -> image.
    Raises: ValueError for a size or number under 1, no stage, or an unknown activation, upsampling or pooling.
    """
    input_shape, filters = need_image(input_shape), need_counts("filters", filters, 1)
    need_count("code_size", code_size)
    need_activation(activation)
    need_choice("upsampling", upsampling, UPSAMPLINGS)
    need_choice("pooling", pooling, ("strided", "max"))
    encoder = conv_encoder(input_shape, code_size, filters, activation, pooling)
    decoder = conv_decoder(input_shape, code_size, filters, activation, upsampling)
    image = keras.Input(input_shape, name="image")
    return keras.Model(image, decoder(encoder(image)), name="conv_autoencoder")

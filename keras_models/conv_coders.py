"""The convolutional encoder and decoder that several autoencoders share, by the papers that `conv_autoencoder` names."""

import keras
from keras import layers

KERNEL = 3  # px
STRIDE = 2
UPSAMPLINGS = ("transposed", "resize")


def conv_encoder(input_shape, code_size, filters, activation, pooling="strided"):
    """The sub-model `encoder` of `conv_autoencoder`; arguments as there."""
    x = image = keras.Input(input_shape, name="image")
    for stage, maps in enumerate(filters, 1):
        step = STRIDE if pooling == "strided" else 1
        x = layers.Conv2D(maps, KERNEL, step, "same", activation=activation, name=f"down{stage}")(x)
        if pooling == "max":
            x = layers.MaxPooling2D(STRIDE, padding="same", name=f"pool{stage}")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(image, layers.Dense(code_size, dtype="float32", name="code")(x), name="encoder")


def conv_decoder(
    input_shape, code_size, filters, activation, upsampling, name="decoder", last="reconstruction", last_activation="sigmoid"
):
    """The sub-model `decoder` of `conv_autoencoder`; arguments as there.

    Args:
        last, last_activation: name and activation of the last layer, which has the channels of input_shape.
    """
    sides = [input_shape[:2]]  # before each stage, and after the last
    for _ in filters:
        sides.append(tuple(-(-side // STRIDE) for side in sides[-1]))
    code = keras.Input((code_size,), name="code")
    height, width = sides[-1]
    x = layers.Dense(height * width * filters[-1], activation=activation, name="grow")(code)
    x = layers.Reshape((height, width, filters[-1]), name="unflatten")(x)
    for stage in range(len(filters), 0, -1):
        maps = filters[max(stage - 2, 0)]
        x = _double(x, maps, activation, upsampling, f"up{stage}")
        x = _crop(x, sides[stage - 1], f"crop{stage}")
    image = layers.Conv2D(input_shape[-1], KERNEL, padding="same", activation=last_activation, dtype="float32", name=last)(x)
    return keras.Model(code, image, name=name)


def _double(x, maps, activation, upsampling, name):
    """Twice the sides, `maps` maps."""
    if upsampling == "transposed":
        return layers.Conv2DTranspose(maps, KERNEL, STRIDE, "same", activation=activation, name=name)(x)
    x = layers.UpSampling2D(STRIDE, name=f"{name}_resize")(x)
    return layers.Conv2D(maps, KERNEL, padding="same", activation=activation, name=name)(x)


def _crop(x, to, name):
    """Without the last row or column where doubling a side that was rounded up gave one too many."""
    extra = tuple((0, have - want) for have, want in zip(x.shape[1:3], to, strict=True))
    return x if extra == ((0, 0), (0, 0)) else layers.Cropping2D(extra, name=name)(x)

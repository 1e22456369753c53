"""Encoders and decoders of the autoencoders with a penalty or noise: dense or convolutional, images of any size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import layers

from keras_models.checks import need_activation, need_choice, need_count, need_counts, need_flag, need_image
from keras_models.conv_coders import UPSAMPLINGS, conv_decoder, conv_encoder
from keras_models.layers.pixel_loss import PixelLoss
from keras_models.layers.transposed_dense import TiedDense, TransposedDense

FORMS = ("dense", "convolutional")


@dataclass(frozen=True)
class Coders:
    """How an image becomes a code and a code an image. Decoders end in a sigmoid.

    Args:
        input_shape: (height px, width px, channels).
        code_size: numbers in the code, k; it may be larger than the image.
        form: "dense" or "convolutional".
        hidden: dense: units of layers between image and code, first to last; the decoder mirrors them.
        filters, upsampling: convolutional: as of `conv_autoencoder`.
        activation: of layers other than the code and the image, a Keras name.
        code_activation: of the code.
        tied: the decoder's kernel is the encoder's, transposed; dense without hidden layers alone.

    Raises:
        ValueError: for a number under 1, a name that is unknown, or `tied` where there is more than one layer each way.
    """

    input_shape: Sequence[int]
    code_size: int
    form: str
    hidden: Sequence[int]
    filters: Sequence[int]
    activation: str
    code_activation: str
    upsampling: str
    tied: bool = False

    def __post_init__(self):
        need_image(self.input_shape)
        need_count("code_size", self.code_size)
        need_choice("form", self.form, FORMS)
        need_counts("hidden", self.hidden)
        need_counts("filters", self.filters, 1)
        need_activation(self.activation)
        need_activation(self.code_activation, "code_activation")
        need_choice("upsampling", self.upsampling, UPSAMPLINGS)
        if need_flag("tied", self.tied) and (self.form != "dense" or self.hidden):
            raise ValueError(f"tied needs form dense without hidden layers; got form {self.form}, hidden {tuple(self.hidden)}")

    def encoder(self, last: layers.Layer | None = None) -> keras.Model:
        """The sub-model `encoder`: image -> float32 (batch, k).

        Args:
            last: what stands behind the code's activation.
        """
        if self.form == "dense":
            x = image = keras.Input(self.input_shape, name="image")
            x = layers.Flatten(name="flatten")(x)
            for number, units in enumerate(self.hidden, 1):
                x = layers.Dense(units, activation=self.activation, name=f"down{number}")(x)
            kind = TiedDense if self.tied else layers.Dense
            code = kind(self.code_size, activation=self.code_activation, dtype="float32", name="code")(x)
        else:
            plain = conv_encoder(self.input_shape, self.code_size, self.filters, self.activation)
            image, code = plain.input, plain.output
            code = layers.Activation(self.code_activation, dtype="float32", name="code_activation")(code)
        return keras.Model(image, code if last is None else last(code), name="encoder")

    def decoder(self, encoder: keras.Model) -> keras.Model:
        """The sub-model `decoder`: code -> image float32 within [0, 1]; of an encoder made by these."""
        if self.form == "convolutional":
            return conv_decoder(self.input_shape, self.code_size, self.filters, self.activation, self.upsampling)
        x = code = keras.Input((self.code_size,), name="code")
        for number in range(len(self.hidden), 0, -1):
            x = layers.Dense(self.hidden[number - 1], activation=self.activation, name=f"up{number}")(x)
        values = math.prod(self.input_shape)
        last = TransposedDense(encoder.get_layer("code"), dtype="float32", name="pixels") if self.tied else None
        x = (last or layers.Dense(values, dtype="float32", name="pixels"))(x)
        x = layers.Reshape(self.input_shape, dtype="float32", name="reconstruction")(x)
        # last: Keras notes logits on what an activation returns, and no operation behind it hands the note on
        return keras.Model(code, layers.Activation("sigmoid", dtype="float32", name="sigmoid")(x), name="decoder")

    def net(self, name: str, loss: str, last: layers.Layer | None = None) -> tuple[keras.Model, keras.KerasTensor]:
        """Image -> image, with both as sub-models and its PixelLoss, and the code's tensor in it.

        Args:
            loss: kind of the PixelLoss.
            last: as of `encoder`.
        """
        encoder = self.encoder(last)
        image = keras.Input(self.input_shape, name="image")
        code = encoder(image)
        return keras.Model(image, PixelLoss(loss)(self.decoder(encoder)(code)), name=name), code

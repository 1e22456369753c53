"""Denoising autoencoder: Vincent, Larochelle, Bengio & Manzagol 2008, "Extracting and composing robust features with denoising
autoencoders", ICML, sections 2.2 and 2.3; Vincent, Larochelle, Lajoie, Bengio & Manzagol 2010, "Stacked denoising autoencoders",
JMLR 11, section 3.

Noise is the data's (the config's `augment`), not the network's, and what is served sees images as they are.

Differs on purpose from Vincent et al.: one autoencoder, not a stack of them under a classifier; Keras's own initial weights and any
optimizer; hidden layers and the convolutional form.
"""

from keras_models.coders import Coders
from keras_models.record import register


@register(
    "denoising_autoencoder",
    task="reconstruction.denoising",
    params=1_569_784,
    tiny={"input_shape": (9, 7, 1), "code_size": 4, "form": "convolutional", "filters": (2, 4)},
    paper="Vincent et al. 2008",
    year=2008,
    space={"code_size": {"choices": [250, 500, 1000]}},
)
def denoising_autoencoder(
    input_shape=(28, 28, 1),
    code_size=1000,
    form="dense",
    hidden=(),
    tied=False,
    filters=(16, 32),
    activation="relu",
    code_activation="sigmoid",
    upsampling="transposed",
    loss="bernoulli",
):
    """Image -> code -> image of the same size, any size. The code may be larger than the image: noise keeps the net from copying.

    Args:
        code_size: numbers in the code.
        form: "dense" or "convolutional".
        hidden: dense: units of layers between image and code, first to last; the decoder mirrors them.
        tied: dense without hidden layers: the decoder's kernel is the encoder's, transposed, as an option in the paper.
        filters: convolutional: maps of each stage of the encoder, each of which halves the sides.
        activation: of hidden layers and stages.
        code_activation: of the code.
        upsampling: convolutional: "transposed" or "resize".
        loss: summed over pixels: "bernoulli", the cross-entropy (equation 2), or "squared_error", or "gaussian".

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, within [0, 1].
        Its sub-models: encoder: image -> float32 (batch, code_size); decoder: code -> image.
    Raises: ValueError for a size or number under 1, or an unknown name.
    """
    coders = Coders(input_shape, code_size, form, hidden, filters, activation, code_activation, upsampling, tied)
    return coders.net("denoising_autoencoder", loss)[0]

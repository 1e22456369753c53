"""Sparse coding: Olshausen & Field 1996, "Emergence of simple-cell receptive field properties by learning a sparse code for natural
images", Nature 381, and 1997, "Sparse coding with an overcomplete basis set: a strategy employed by V1?", Vision Research 37(23).

The encoder has no weights of its own: a code is the minimum of the objective of an image under the decoder's dictionary
(keras_models/layers/sparse_inference.py). The dictionary learns by gradient with the codes held fixed, in alternation, as in the
papers.

Differs on purpose: L1 as a choice beside the paper's log(1 + a^2); norms of basis images bounded by 1 (as Lee, Battle, Raina & Ng
2007, "Efficient sparse coding algorithms", NIPS) in the place of a gain that adapts to the codes' variance; the mean training image
taken off in the place of whitening; whole images, which on large photographs want to be patches.
"""

import keras

from keras_models import auxiliary
from keras_models.auxiliary import Term
from keras_models.checks import need_image
from keras_models.layers.pixel_loss import PixelLoss
from keras_models.layers.sparse_inference import Dictionary, SparseInference
from keras_models.record import register


@register(
    "sparse_coding",
    task="reconstruction.sparse_coding",
    params=200_704,
    tiny={"input_shape": (5, 4, 1), "atoms": 6, "penalty": 0.05},
    paper="Olshausen & Field 1996",
    year=1996,
    space={"atoms": {"choices": [64, 128, 256]}, "penalty": {"min": 0.1, "max": 1.0, "sampling": "log"}},
)
def sparse_coding(input_shape=(28, 28, 1), atoms=256, penalty=0.5, sparsity="l1", scale=1.0):
    """Image -> sparse code -> image of the same size, any size; learns pixels / 255, so transform.normalize must be unit.

    Args:
        atoms: numbers in the code; more than pixels, and the dictionary is overcomplete.
        penalty: lambda in |x - a D|^2 + lambda * sum S(a), where pixels are in 0..1 (scikit-learn's alpha is half of it).
        sparsity: S, "l1", |a|, or "log", log(1 + (a / scale)^2), whose codes are small but not 0.
        scale: sigma of "log".

    Input: float32 (batch, height px, width px, channels), pixels / 255.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, not held within [0, 1].
        Its sub-models: encoder: image -> float32 (batch, atoms), signed; decoder: code -> image, linear.
    Raises: ValueError for a number under 1, a penalty or scale that is not above 0, or another sparsity.
    """
    input_shape = need_image(input_shape)
    dictionary = Dictionary(atoms, input_shape)
    infer = SparseInference(dictionary, penalty, sparsity, scale, name="code")
    seen, code = keras.Input(input_shape, name="image"), keras.Input((atoms,), name="code")
    encoder = keras.Model(seen, infer(seen), name="encoder")
    decoder = keras.Model(code, dictionary(code), name="decoder")
    image = keras.Input(input_shape, name="image")
    codes = encoder(image)
    net = keras.Model(image, PixelLoss()(decoder(codes)), name="sparse_coding")
    auxiliary.attach(net, terms=[Term("sparsity", penalty, infer.cost, [codes])])
    return net

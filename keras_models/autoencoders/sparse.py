"""Sparse autoencoders: a code that may be larger than the image, of which few units are active.

- l1, log: the penalties of Olshausen & Field 1996, "Emergence of simple-cell receptive field properties by learning a sparse code
  for natural images", Nature 381, on the code of an encoder instead of one that is inferred.
- kl: Ng 2011, "Sparse autoencoder", CS294A lecture notes, section 3: each unit's mean activity is drawn to a target rate.
- k_sparse: Makhzani & Frey 2014, "k-sparse autoencoders", ICLR: no penalty, the k largest activities alone are kept.

Under l1 and log, the decoder's weights of a unit have a norm of at most 1 (Olshausen & Field hold it near a constant): otherwise a
code ever smaller, under a decoder ever larger, would cost nothing.

Differs on purpose from Ng: the mean over a batch, not over the training split, and no weight decay unless the optimizer has it;
from Makhzani & Frey: k does not fall during training, and the decoder has weights of its own.
"""

import keras

from keras_models import auxiliary, penalties
from keras_models.auxiliary import Term
from keras_models.checks import need_choice, need_count, need_positive, need_share
from keras_models.coders import Coders
from keras_models.layers.k_sparse import KSparse
from keras_models.record import register

ACTIVATIONS = {"l1": "relu", "log": "linear", "kl": "sigmoid", "k_sparse": "linear"}  # of the code, by penalty


@register(
    "sparse_autoencoder",
    task="reconstruction.sparse",
    params=1_569_784,
    tiny={"input_shape": (9, 7, 1), "code_size": 6, "form": "convolutional", "filters": (2, 4)},
    paper="Ng 2011",
    year=2011,
    space={
        "code_size": {"choices": [250, 500, 1000]},
        "weight": {"min": 0.01, "max": 1.0, "sampling": "log", "when": {"penalty": ["kl", "l1", "log", None]}},
        "rate": {"min": 0.01, "max": 0.2, "sampling": "log", "when": {"penalty": ["kl", None]}},
        "k": {"choices": [4, 8, 16], "when": {"penalty": "k_sparse"}},
    },
)
def sparse_autoencoder(
    input_shape=(28, 28, 1),
    code_size=1000,
    penalty="kl",
    weight=0.1,
    rate=0.05,
    k=None,
    warmup=0,
    form="dense",
    hidden=(),
    filters=(16, 32),
    activation="relu",
    upsampling="transposed",
    loss="squared_error",
):
    """Image -> sparse code -> image of the same size, any size.

    Args:
        code_size: units of the code; it may be larger than the image.
        penalty: "l1" (of rectified units), "log" (of linear ones), "kl" (of sigmoid ones) or "k_sparse" (of linear ones).
        weight: lambda, beta: what the penalty, summed over units, counts for beside the loss, summed over pixels. Not of k_sparse.
        rate: kl: the mean activity that each unit shall have.
        k: k_sparse: units that are kept; None: the share `rate` of them.
        warmup: epochs over which the weight rises linearly.
        form, hidden, filters, activation, upsampling, loss: as of `denoising_autoencoder`.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, within [0, 1], with the
        penalty as its term. Its sub-models: encoder: image -> float32 (batch, code_size), its last layer "k_sparse" where that is
        the penalty; decoder: code -> image.
    Raises: ValueError for a size, number or weight that is not above 0, a rate that is not between 0 and 1, a k above code_size, or
        an unknown name.
    """
    need_choice("penalty", penalty, ACTIVATIONS)
    need_positive("weight", weight)
    need_positive("rate", need_share("rate", rate))
    need_count("warmup", warmup, 0)
    if k is not None:
        need_count("k", k)
    coders = Coders(input_shape, code_size, form, hidden, filters, activation, ACTIVATIONS[penalty], upsampling)
    if penalty == "k_sparse":
        kept = max(1, round(rate * code_size)) if k is None else k
        return coders.net("sparse_autoencoder", loss, KSparse(kept, dtype="float32", name="k_sparse"))[0]
    net, code = coders.net("sparse_autoencoder", loss)
    if penalty != "kl":
        first = next(layer for layer in net.get_layer("decoder").layers if layer.weights)
        first.kernel.constraint = keras.constraints.MaxNorm(1.0, axis=1)  # of the weights that a unit is multiplied by
    value = {"l1": penalties.l1, "log": penalties.log, "kl": penalties.Divergence(rate)}[penalty]
    auxiliary.attach(net, terms=[Term(penalty, weight, value, [code], warmup)])
    return net

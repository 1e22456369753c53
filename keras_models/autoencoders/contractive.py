"""Contractive autoencoders: Rifai, Vincent, Muller, Glorot & Bengio 2011, "Contractive auto-encoders: explicit invariance during
feature extraction", ICML, equations 3 to 5. With `hessian_weight`, CAE+H: Rifai, Mesnil, Vincent, Muller, Bengio, Dauphin & Glorot
2011, "Higher order contractive auto-encoder", ECML, equations 4 to 6.

The twin, attached as a head, is the same network without the penalty: it learns from the same batches, at the same rate, for as
many epochs, and is what the task compares the contraction with. It is neither counted nor served.

Differs on purpose from Rifai et al.: Keras's own initial weights and any optimizer; hidden layers and the convolutional form, whose
Jacobian is found by automatic differentiation. Tied weights, which the paper has, are an option of the dense form without hidden
layers, and its default: without them, a code that shrinks under a decoder that grows contracts nothing and costs nothing.
"""

import keras
from keras import layers

from keras_models import auxiliary
from keras_models.auxiliary import Term
from keras_models.checks import need_count, need_positive
from keras_models.coders import Coders
from keras_models.jacobian import Jacobian
from keras_models.layers import pixel_loss
from keras_models.record import register

TWIN = "twin"  # a sub-model of what is trained


@register(
    "contractive_autoencoder",
    task="reconstruction.contractive",
    params=785_784,
    tiny={"input_shape": (5, 4, 1), "code_size": 3},
    paper="Rifai et al. 2011",
    year=2011,
    space={"code_size": {"choices": [250, 500, 1000]}, "weight": {"min": 0.01, "max": 1.0, "sampling": "log"}},
)
def contractive_autoencoder(
    input_shape=(28, 28, 1),
    code_size=1000,
    weight=0.1,
    hessian_weight=0.0,
    hessian_stddev=0.1,
    hessian_samples=1,
    form="dense",
    hidden=(),
    tied=True,
    filters=(16, 32),
    activation="sigmoid",
    code_activation="sigmoid",
    upsampling="transposed",
    loss="bernoulli",
):
    """Image -> code -> image of the same size, any size, a code that moves little where the image is not.

    Args:
        code_size: numbers in the code; it may be larger than the image.
        weight: lambda, of ||J_f(x)||_F^2.
        hessian_weight: gamma, of the mean of ||J_f(x) - J_f(x + e)||_F^2, e normal; 0: not computed. In validation e is 0.
        hessian_stddev: sigma, the deviation of e, in units of the network's input.
        hessian_samples: n_c, draws of e for each image and step.
        tied: the decoder's kernel is the encoder's, transposed; false wherever there is more than one layer each way.
        form, hidden, filters, activation, code_activation, upsampling, loss: as of `denoising_autoencoder`. One dense layer with a
            sigmoid or tanh has a Jacobian in closed form; any other encoder costs code_size passes and back each step.

    Input: float32 (batch, height px, width px, channels), normalised pixels.
    Returns: uncompiled functional model -> float32 (batch, height px, width px, channels), pixels / 255, within [0, 1], with the
        penalties as its terms and its twin as head. Its sub-models: encoder: image -> float32 (batch, code_size); decoder: code ->
        image.
    Raises: ValueError for a size, number, weight or deviation that is not above 0 (hessian_weight may be 0), tied where that cannot
        be, or an unknown name.
    """
    need_positive("weight", weight)
    need_positive("hessian_stddev", hessian_stddev)
    need_count("hessian_samples", hessian_samples)
    if hessian_weight != 0:
        need_positive("hessian_weight", hessian_weight)
    coders = Coders(input_shape, code_size, form, hidden, filters, activation, code_activation, upsampling, tied)
    net, _ = coders.net("contractive_autoencoder", loss)
    twin, _ = coders.net(TWIN, loss)
    image, jacobian = net.input, Jacobian(net.get_layer("encoder"))
    terms = [Term("contraction", weight, jacobian.squared_norm, [image])]
    if hessian_weight:
        noisy = [layers.GaussianNoise(hessian_stddev, name=f"moved{n}")(image) for n in range(hessian_samples)]
        terms.append(Term("curvature", hessian_weight, _mean_of(jacobian.squared_distance), [image, *noisy]))
    auxiliary.attach(net, [twin(image)], 1.0, terms, called=TWIN, head_loss=pixel_loss.LossOf(twin.get_layer(pixel_loss.NAME)))
    return net


def _mean_of(distance):
    def mean(image, *others):
        return keras.ops.mean(keras.ops.stack([distance(image, other) for other in others]), axis=0)

    return mean

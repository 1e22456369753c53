"""Codes that move little when the image does."""

import tensorflow as tf

from components.tasks.reconstruction.task import Task as Autoencoder
from components.tasks.reconstruction.task import of_no_narrower
from keras_models import auxiliary, normalize
from keras_models.autoencoders.contractive import TWIN
from keras_models.jacobian import Jacobian

NORM = "jacobian_norm"


class Task(Autoencoder):
    """Models as of reconstruction; what is trained has their twin, without the penalty, as a sub-model named `twin`.

    A Jacobian is with respect to what the network is given: pixels / 255 under `normalize: unit`.
    """

    def doubts(self, model):
        return of_no_narrower(
            model,
            "so it is held against PCA of as many components as units are active; a contraction alone seldom leaves so few active "
            "that it beats that, and otherwise the model is not blessed; lower model.options.code_size, or take a sparse model",
        )

    def beside(self, model):
        """The twin's encoder."""
        return {TWIN: auxiliary.learner(model).get_layer("net").get_layer(TWIN).get_layer("encoder")}

    def figures(self, model, card):
        encoder = normalize.inner(model).get_layer("encoder")
        others, of_pixels = super().figures(model, card), norms(encoder, model.get_layer("normalize"))
        return lambda pixels: {**others(pixels), NORM: of_pixels(pixels)}


def norms(encoder, normalized):
    """||J_f(x)||_F of pixels in 0..255, float32 [N]."""
    jacobian = Jacobian(encoder)
    return lambda pixels: tf.sqrt(jacobian.squared_norm(normalized(pixels)))

"""Codes that move little when the image does: judged against the same network without the penalty, which was trained beside it."""

import numpy as np
import tensorflow as tf

from components import keys
from components.tasks.base import Comparison
from components.tasks.reconstruction import task as reconstruction
from components.trainer import artifact
from keras_models import auxiliary, normalize
from keras_models.autoencoders.contractive import TWIN
from keras_models.jacobian import Jacobian

NORM, TWIN_NORM = "jacobian_norm", "twin_jacobian_norm"


class Task(reconstruction.Task):
    """Models as of reconstruction; what is trained has their twin, without the penalty, as a sub-model named `twin`.

    A Jacobian is with respect to what the network is given: pixels / 255 under `normalize: unit`.
    """

    metrics = {**reconstruction.Task.metrics, NORM: reconstruction.mean_of(NORM, "less")}
    compared = ("mse", NORM)

    def doubts(self, model):
        return reconstruction.of_no_narrower(
            model,
            "so it is held against PCA of as many components as units are active; a contraction alone seldom leaves so few active "
            "that it beats that, and otherwise the model is not blessed; lower model.options.code_size, or take a sparse model",
        )

    def beside(self, model):
        """The twin's encoder."""
        return {TWIN: auxiliary.learner(model).get_layer("net").get_layer(TWIN).get_layer("encoder")}

    def figures(self, model, card):
        encoder = normalize.inner(model).get_layer("encoder")
        others, norms = super().figures(model, card), _norms(encoder, model.get_layer("normalize"))
        return lambda pixels: {**others(pixels), NORM: norms(pixels)}

    def compare(self, model, card, images):
        kept = str(model.parent)
        norms = tf.function(_norms(artifact.load(kept, TWIN), artifact.load(kept).get_layer("normalize")), reduce_retracing=True)
        each = np.concatenate([norms(pixels) for pixels, _ in images(keys.TEST)])
        words = "its twin, which was trained beside it without the penalty"
        return [*super().compare(model, card, images), Comparison(NORM, float(each.mean()), words, TWIN_NORM, each={NORM: each})]


def _norms(encoder, normalized):
    """||J_f(x)||_F of pixels in 0..255, float32 [N]."""
    jacobian = Jacobian(encoder)
    return lambda pixels: tf.sqrt(jacobian.squared_norm(normalized(pixels)))

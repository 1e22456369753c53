"""Codes that move little when the image does: judged against the same network without the penalty, which was trained beside it."""

import numpy as np
import tensorflow as tf

from components.tasks import reconstruction
from components.tasks.base import Comparison
from keras_models import auxiliary, normalize
from keras_models.autoencoders.contractive import TWIN
from keras_models.jacobian import Jacobian

NORM, TWIN_NORM = "jacobian_norm", "twin_jacobian_norm"


class Task(reconstruction.Task):
    """Models as of reconstruction; what is trained has their twin, without the penalty, as a sub-model named `twin`.

    A Jacobian is with respect to what the network is given: pixels / 255 under `normalize: unit`.
    """

    metrics = {**reconstruction.Task.metrics, NORM: reconstruction.mean_of(NORM, "less")}

    def calibrate(self, model, data, card):
        """The mean over the validation split of the twin's figure, for the card."""
        twin = auxiliary.learner(model).get_layer("net").get_layer(TWIN)
        norms = _norms(twin, model.get_layer("normalize"))
        each = [norms(pixels) for pixels, _ in data.validation]
        return {TWIN_NORM: float(np.mean(np.concatenate(each)))}

    def figures(self, model, card):
        others, norms = super().figures(model, card), _norms(normalize.inner(model), model.get_layer("normalize"))
        return lambda pixels: {**others(pixels), NORM: norms(pixels)}

    def compare(self, model, card, images):
        words = "its twin without the penalty, in the mean over the validation split"
        return [*super().compare(model, card, images), Comparison(NORM, card.calibrated[TWIN_NORM], words, TWIN_NORM)]


def _norms(net, normalized):
    """||J_f(x)||_F of pixels in 0..255, float32 [N]."""
    jacobian = Jacobian(net.get_layer("encoder"))
    return lambda pixels: tf.sqrt(jacobian.squared_norm(normalized(pixels)))

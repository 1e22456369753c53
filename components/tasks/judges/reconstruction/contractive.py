"""Contractive autoencoders, judged also against the same network without the penalty, which was trained beside it."""

import numpy as np
import tensorflow as tf

from components import keys
from components.tasks.judges.base import Comparison
from components.tasks.judges.reconstruction.judge import Judge as OfAutoencoders
from components.tasks.judges.reconstruction.metrics import mean_of
from components.tasks.reconstruction.contractive import NORM, norms
from components.trainer import artifact
from keras_models.autoencoders.contractive import TWIN

TWIN_NORM = "twin_jacobian_norm"


class Judge(OfAutoencoders):
    """By the Jacobian's norm too."""

    metrics = {**OfAutoencoders.metrics, NORM: mean_of(NORM, "less")}
    compared = ("mse", NORM)

    def compare(self, model, card, images):
        kept = str(model.parent)
        of_pixels = tf.function(norms(artifact.load(kept, TWIN), artifact.load(kept).get_layer("normalize")), reduce_retracing=True)
        each = np.concatenate([of_pixels(pixels) for pixels, _ in images(keys.TEST)])
        words = "its twin, which was trained beside it without the penalty"
        return [*super().compare(model, card, images), Comparison(NORM, float(each.mean()), words, TWIN_NORM, each={NORM: each})]

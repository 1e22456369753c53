"""Images by few units of many."""

import tensorflow as tf

from components.tasks.reconstruction.figures import active
from components.tasks.reconstruction.names import ACTIVE
from components.tasks.reconstruction.task import Task as Autoencoder
from keras_models import auxiliary, normalize
from keras_models.layers.k_sparse import KSparse
from keras_models.penalties import Divergence

RATE = "rate"
FIGURE, TARGET = "figure", "target"  # on the card, among what is calibrated


class Task(Autoencoder):
    """Models as of reconstruction. Those with a target have a term whose value is a penalties.Divergence, or a KSparse layer at the
    encoder's end."""

    against_active = False

    def calibrate(self, model, data, card):
        """The target, for the card: the mean activity of a unit, or how many units are active."""
        net = normalize.inner(model)
        last = net.get_layer("encoder").layers[-1]
        rates = [term.value.rate for term in auxiliary.terms(model) if isinstance(term.value, Divergence)]
        if isinstance(last, KSparse):
            return {FIGURE: ACTIVE, TARGET: last.k}
        return {FIGURE: RATE, TARGET: rates[0]} if rates else {}

    def figures(self, model, card):
        others = super().figures(model, card)

        def figures(pixels):
            codes = self.codes(model, pixels)
            return {**others(pixels), ACTIVE: active(codes), RATE: tf.reduce_mean(tf.abs(codes), axis=1)}

        return figures

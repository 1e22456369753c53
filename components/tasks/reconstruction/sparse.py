"""Images by few units of many: judged against PCA with as many components as units are active, and by the rate asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import keys
from components.tasks import reconstruction
from components.tasks.base import Comparison
from components.trainer.card import Card
from keras_models import auxiliary, normalize
from keras_models.layers import KSparse
from keras_models.penalties import Divergence

ACTIVE, RATE, RATE_OFF = "active", "rate", "rate_off"
SHARE = 0.1  # of the image's largest activity: a unit that is above it is active, whatever the code's scale
TOLERANCE = 0.25  # of the target: how far off what is reached may be
FIGURE, TARGET = "figure", "target"  # on the card, among what is calibrated


class Task(reconstruction.Task):
    """Models as of reconstruction. Those with a target have a term whose value is a penalties.Divergence, or a KSparse layer at the
    encoder's end."""

    metrics = {
        **reconstruction.Task.metrics,
        ACTIVE: reconstruction.mean_of(ACTIVE, "less"),
        RATE: reconstruction.mean_of(RATE, "less"),
    }
    measured = {**reconstruction.Task.measured, RATE_OFF: "less"}

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
            sizes = tf.abs(self.codes(model, pixels))
            is_active = sizes > SHARE * tf.reduce_max(sizes, axis=1, keepdims=True)
            found = {ACTIVE: tf.reduce_sum(tf.cast(is_active, tf.float32), axis=1), RATE: tf.reduce_mean(sizes, axis=1)}
            return {**others(pixels), **found}

        return figures

    def measure(self, model, card, images):
        return {**super().measure(model, card, images), **rate_off(model, card, images)}

    def compare(self, model, card, images):
        active = max(1, round(_mean(model, images, ACTIVE)))
        principal = reconstruction.principal(images, active)
        words = f"PCA of {active}, the number of units that are active in a test image, fitted on the training split"
        found = [Comparison("mse", principal.mean_squared_error(reconstruction.unit(images(keys.TEST))), words, "active_pca_mse")]
        if card.calibrated:
            what = "active units" if card.calibrated[FIGURE] == ACTIVE else "a mean activity"
            words = f"what is tolerated, as a share of the target of {card.calibrated[TARGET]:g} {what}"
            found.append(Comparison(RATE_OFF, TOLERANCE, words))
        return found


def rate_off(model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> dict[str, float]:
    """How far the test split is from the target, as a share of it; nothing where there is none. Arguments as of `compare`."""
    if not card.calibrated:
        return {}
    reached, target = _mean(model, images, card.calibrated[FIGURE]), card.calibrated[TARGET]
    return {RATE_OFF: abs(reached - target) / target}


def _mean(model: Path, images: Callable[[str], tf.data.Dataset], figure: str) -> float:
    """Of a figure over the test split."""
    answer = tf.saved_model.load(str(model)).signatures[f"{reconstruction.FIGURES}_{keys.PIXELS}"]
    return float(np.mean(np.concatenate([answer(pixels=pixels)[figure] for pixels, _ in images(keys.TEST)])))

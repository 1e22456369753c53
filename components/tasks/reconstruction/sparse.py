"""Images by few units of many: judged against PCA with as many components as units are active, and by the rate asked for."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from components.evaluator.intervals import Figure
from components.tasks.base import Comparison
from components.tasks.reconstruction import task as reconstruction
from components.tasks.reconstruction.figures import active
from components.tasks.reconstruction.task import ACTIVE
from components.trainer.card import Card
from keras_models import auxiliary, normalize
from keras_models.layers import KSparse
from keras_models.penalties import Divergence

RATE, RATE_OFF = "rate", "rate_off"
TOLERANCE = 0.25  # of the target: how far off what is reached may be, where the config has no threshold for it
FIGURE, TARGET = "figure", "target"  # on the card, among what is calibrated


class Task(reconstruction.Task):
    """Models as of reconstruction. Those with a target have a term whose value is a penalties.Divergence, or a KSparse layer at the
    encoder's end."""

    metrics = {**reconstruction.Task.metrics, RATE: reconstruction.mean_of(RATE, "less")}
    measured = {**reconstruction.Task.measured, RATE_OFF: "less"}
    compared = ("mse", RATE_OFF)

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

    def measure(self, model, card, images):
        return {**super().measure(model, card, images), **rate_off(model, card, images)}

    def compare(self, model, card, images):
        found = [reconstruction.beside_active(model, images)]
        if FIGURE in card.calibrated:
            what = "active units" if card.calibrated[FIGURE] == ACTIVE else "a mean activity"
            words = f"what is tolerated, as a share of the target of {card.calibrated[TARGET]:g} {what}"
            found.append(Comparison(RATE_OFF, TOLERANCE, words, yields=True))
        return found


def rate_off(model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> dict[str, float]:
    """How far the test split is from the target, as a share of it; nothing where there is none. Arguments as of `compare`."""
    if FIGURE not in card.calibrated:
        return {}
    reached, target = reconstruction.mean_figure(model, images, card.calibrated[FIGURE]), card.calibrated[TARGET]
    off = [abs(end - target) / target for end in reached.interval or ()]
    is_inside = reached.interval and reached.interval[0] <= target <= reached.interval[1]
    interval = (0.0 if is_inside else min(off), max(off)) if off else None
    return {RATE_OFF: Figure(abs(reached - target) / target, interval)}

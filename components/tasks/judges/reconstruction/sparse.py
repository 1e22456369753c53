"""Sparse autoencoders, judged against PCA with as many components as units are active, and by the rate asked for."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from components.evaluator.intervals import Figure
from components.tasks.judges.base import Comparison
from components.tasks.judges.reconstruction.judge import Judge as OfAutoencoders
from components.tasks.judges.reconstruction.metrics import mean_of
from components.tasks.judges.reconstruction.principal import beside_active, mean_figure
from components.tasks.reconstruction.names import ACTIVE
from components.tasks.reconstruction.sparse import FIGURE, RATE, TARGET
from components.trainer.card import Card

RATE_OFF = "rate_off"
TOLERANCE = 0.25  # of the target: how far off what is reached may be, where the config has no threshold for it


class Judge(OfAutoencoders):
    """By the rate too, where there is a target."""

    metrics = {**OfAutoencoders.metrics, RATE: mean_of(RATE, "less")}
    measured = {**OfAutoencoders.measured, RATE_OFF: "less"}
    compared = ("mse", RATE_OFF)

    def measure(self, model, card, images):
        return {**super().measure(model, card, images), **rate_off(model, card, images)}

    def compare(self, model, card, images):
        comparisons = [beside_active(model, images)]
        if FIGURE in card.calibrated:
            what = "active units" if card.calibrated[FIGURE] == ACTIVE else "a mean activity"
            words = f"what is tolerated, as a share of the target of {card.calibrated[TARGET]:g} {what}"
            comparisons.append(Comparison(RATE_OFF, TOLERANCE, words, yields=True))
        return comparisons


def rate_off(model: Path, card: Card, images: Callable[[str], tf.data.Dataset]) -> dict[str, float]:
    """How far the test split is from the target, as a share of it; nothing where there is none. Arguments as of `compare`."""
    if FIGURE not in card.calibrated:
        return {}
    reached, target = mean_figure(model, images, card.calibrated[FIGURE]), card.calibrated[TARGET]
    off = [abs(end - target) / target for end in reached.interval or ()]
    is_inside = reached.interval and reached.interval[0] <= target <= reached.interval[1]
    interval = (0.0 if is_inside else min(off), max(off)) if off else None
    return {RATE_OFF: Figure(abs(reached - target) / target, interval)}

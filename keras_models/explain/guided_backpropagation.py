"""Guided backpropagation: Springenberg, Dosovitskiy, Brox & Riedmiller 2015, "Striving for simplicity: the all convolutional
net", ICLR workshop, section 3.4: a gradient that passes a ReLU only where the ReLU was on and what comes back is positive."""

import numpy as np
import tensorflow as tf

from keras_models.explain import attribution, backwards
from keras_models.explain.base import IMAGES, Answer, Asked, Unsuited
from keras_models.explain.network import Network, Target, gradients

ORDER = 51
TITLE = "Guided backpropagation"
PAPER = "Springenberg, Dosovitskiy, Brox & Riedmiller 2015"
TELLS = "Which details of the image a unit is made of, sharply."
HIDES = (
    "Why one class and not another: it shows much the same whatever is asked and, found Adebayo et al. 2018 and Nie et al. 2018, "
    "comes near to recovering the image whatever was learned."
)
NEEDS = frozenset({IMAGES})
RULE = backwards.rule(lambda made, coming: tf.nn.relu(coming) * tf.cast(made > 0, coming.dtype))


def attribute(network: Network, images: np.ndarray, target: Target) -> np.ndarray:
    """What comes back to the pixels, float32 [N, height, width, channels].

    Raises:
        Unsuited: for a network without ReLUs.
    """
    kinds = set(backwards.activations(network).values())
    if not kinds & set(backwards.RECTIFIERS):
        has = f"its activations are {', '.join(sorted(kinds))}" if kinds else "it has no activations"
        raise Unsuited(f"{network.model.name} has no ReLU to be guided at: {has}.", "Its saliency is the same thing.")
    return gradients(network, images, target, RULE)


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited as `attribute`."""
    others = sorted(set(backwards.activations(network).values()) - {*backwards.RECTIFIERS})
    notes = [f"Of {', '.join(others)} the plain gradient is passed back."] if others else []
    return attribution.answer(network, asked, attribute, False, notes)

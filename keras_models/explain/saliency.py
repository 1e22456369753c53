"""Saliency: Simonyan, Vedaldi & Zisserman 2014, "Deep inside convolutional networks: visualising image classification models
and saliency maps", ICLR workshop, section 3: the gradient of a class's score by the pixels. Of the logit, not of the
probability, as there; shown is the largest size over the channels."""

import numpy as np

from keras_models.explain import attribution
from keras_models.explain.base import IMAGES, Answer, Asked
from keras_models.explain.network import Network, Target, gradients

ORDER = 60
TITLE = "Saliency"
PAPER = "Simonyan, Vedaldi & Zisserman 2014"
TELLS = "Which pixels would change the answer most if they changed a little."
HIDES = "What made the answer: where a unit is saturated its gradient is nothing, and noise of the gradient looks like texture."
NEEDS = frozenset({IMAGES})


def attribute(network: Network, images: np.ndarray, target: Target) -> np.ndarray:
    """The gradient of the target, float32 [N, height, width, channels], per step of a pixel of 0..255."""
    return gradients(network, images, target)


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited where no gradient comes back."""
    return attribution.answer(network, asked, attribute, False, drawn=largest, kind="strength")


def largest(attribution: np.ndarray) -> np.ndarray:
    """The largest size over the channels: [height, width, channels] -> [height, width, 1]."""
    return np.abs(attribution).max(-1, keepdims=True)

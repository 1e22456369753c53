"""Integrated gradients: Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks", ICML, section 3: the
gradient's mean along the straight line from a baseline to the image, times how far each pixel is from the baseline. They sum to
the difference of the unit's value between the two (completeness, proposition 1).

Differs on purpose: the baseline is the image's background, the median colour of its border, where the paper has black; for a
digit on black that is black. The integral is a sum at the middles of STEPS equal parts.
"""

import numpy as np

from keras_models.explain import attribution
from keras_models.explain.base import IMAGES, Answer, Asked
from keras_models.explain.network import BACKGROUND, Network, Target, background, gradients, scores

ORDER = 62
TITLE = "Integrated gradients"
PAPER = "Sundararajan, Taly & Yan 2017"
TELLS = "How much of the answer each pixel accounts for, against an empty image; the parts sum to the whole, see gap."
HIDES = "Pixels of the baseline's colour, which get nothing whatever they mean; another baseline tells another story."
NEEDS = frozenset({IMAGES})
STEPS = 50  # the paper has 20 to 300


def attribute(
    network: Network, images: np.ndarray, target: Target, steps: int = STEPS, baseline: np.ndarray | None = None
) -> np.ndarray:
    """The share of each value of a pixel, float32 [N, height, width, channels].

    Args:
        baseline: float32, broadcast to the images; None: the background of each.
    """
    base = np.broadcast_to(background(images) if baseline is None else baseline, images.shape)
    shares = ((np.arange(steps, dtype="float32") + 0.5) / steps).reshape(1, -1, 1, 1, 1)
    between = (base[:, None] + shares * (images - base)[:, None]).reshape(-1, *images.shape[1:])
    slopes = gradients(network, between.astype("float32"), target.repeated(steps))
    return (images - base) * slopes.reshape(len(images), steps, *images.shape[1:]).mean(1)


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited where no gradient comes back."""
    note = f"The baseline is an image of one colour: {BACKGROUND}. {STEPS} steps."
    made = attribution.answer(network, asked, attribute, True, [note])
    target = attribution.target_of(network, asked, asked.images)
    whole = scores(network, asked.images, target)
    whole = whole - scores(network, np.broadcast_to(background(asked.images), asked.images.shape), target)
    sums = attribute(network, asked.images, target).sum((1, 2, 3))
    figures = [
        {**row, "difference": float(full), "gap": float(part - full)}
        for row, full, part in zip(made.figures, whole, sums, strict=False)
    ]
    return Answer(made.strips, figures, made.notes)

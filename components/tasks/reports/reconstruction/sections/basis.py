"""What an image is a sum of, where the decoder has one layer of weights."""

import numpy as np

from components.codes import activity
from components.reporter import strips
from components.tasks.reconstruction.names import DECODE
from components.tasks.reports.reconstruction.looked import Looked
from keras_models import normalize
from keras_models.basis import basis
from reports.run.blocks import Pictures, Section

ORDER = 70
SHOWN = 64


def section(looked: Looked) -> Section | None:
    if DECODE not in looked.signatures:
        return None
    images = basis(normalize.inner(looked.material.model).get_layer("decoder"))
    if images is None:
        return None
    units = activity.of_units(looked.codes)
    weight = np.linalg.norm(images.reshape(len(images), -1), axis=1) * np.sqrt(units.variance)
    order = np.argsort(-weight, kind="stable")[: min(SHOWN, max(1, int((weight > 0).sum())))]  # the others move none
    pictures = [
        strips.strip(
            [strips.signed(images[unit])],
            f"Basis image of unit {unit}, active in {units.active[unit]:.0%} of the test images",
            f"unit {unit} · {units.active[unit]:.0%}",
        )
        for unit in order
    ]
    about = (
        "The decoder has one layer of weights, so that each image is a weighted sum of these, and of a mean, before an activation "
        "that may stand last. Middle grey is 0, white more and black less, each image to its own largest weight."
    )
    caption = "Basis images, those that move the test images most first, with the share of test images in which the unit is active"
    return Section("basis", "Basis images", about, [Pictures(pictures, caption, more=len(images) - len(order))])

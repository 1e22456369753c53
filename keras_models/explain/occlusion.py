"""Occlusion: Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", ECCV, section 4.2: cover a patch of
the image and see how far the answer falls.

Differs on purpose: patches have the colour of the image's background, where the paper has grey; what a patch costs is shared
among its pixels, and of patches that overlap a pixel has the mean.
"""

import numpy as np

from keras_models.explain import attribution
from keras_models.explain.base import IMAGES, Answer, Asked
from keras_models.explain.network import BACKGROUND, Network, Target, background, scores

ORDER = 63
TITLE = "Occlusion"
PAPER = "Zeiler & Fergus 2014, section 4.2"
TELLS = "What the answer loses without a part of the image; it needs no gradient, so it holds for any network."
HIDES = "What two parts can each do alone: either may be covered. And a covered patch is no image that the network learned from."
NEEDS = frozenset({IMAGES})
PARTS = 8  # of the image's shorter side that a patch covers one; patches overlap by half


def attribute(
    network: Network,
    images: np.ndarray,
    target: Target,
    size: int | None = None,
    stride: int | None = None,
    baseline: np.ndarray | None = None,
) -> np.ndarray:
    """How much of the target each value of a pixel bears, float32 [N, height, width, channels]; negative where covering raises it.

    Args:
        size, stride: of patches, px; None: an eighth of the shorter side, at least 1, and half of that. The last are moved inside.
        baseline: float32, broadcast to the images, what patches show; None: the background of each.
    """
    height, width, channels = images.shape[1:]
    size = size or max(1, round(min(height, width) / PARTS))
    stride = stride or max(1, size // 2)
    tops, lefts = (sorted({*range(0, side - size + 1, stride), side - size}) for side in (height, width))
    masks = np.zeros((len(tops) * len(lefts), height, width, 1), "float32")
    for place, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        masks[place, top : top + size, left : left + size] = 1
    base = np.broadcast_to(background(images) if baseline is None else baseline, images.shape)
    whole, made = scores(network, images, target), []
    for place, (image, empty) in enumerate(zip(images, base, strict=True)):
        covered = scores(network, image + masks * (empty - image), target.part([place]).repeated(len(masks)))
        falls = (whole[place] - covered) / (size * size * channels)
        made.append(np.tensordot(falls, masks, 1) / masks.sum(0))
    return np.repeat(np.stack(made), channels, -1).astype("float32")


def show(network: Network, asked: Asked) -> Answer:
    """See base."""
    side = max(1, round(min(network.shape[:2]) / PARTS))
    note = f"Patches of {side} x {side} px, {max(1, side // 2)} px apart, of one colour: {BACKGROUND}."
    return attribution.answer(network, asked, attribute, True, [note])

"""SmoothGrad: Smilkov, Thorat, Kim, Viégas & Wattenberg 2017, "SmoothGrad: removing noise by adding noise", arXiv 1706.03825,
section 3: the mean gradient over noisy copies of an image; the noise's deviation is a share of the image's range."""

import numpy as np

from keras_models.explain import attribution, saliency
from keras_models.explain.base import IMAGES, Answer, Asked
from keras_models.explain.network import Network, Target, gradients

ORDER = 61
TITLE = "SmoothGrad"
PAPER = "Smilkov, Thorat, Kim, Viégas & Wattenberg 2017"
TELLS = "What saliency tells, with less noise: pixels that matter to an image and to those around it."
HIDES = "The same as saliency; and what is smooth is not for that reason true."
NEEDS = frozenset({IMAGES})
COPIES = 16
NOISE = 0.15  # of the image's range: the paper has 10 to 20 % sharp and quiet
SEED = 0


def attribute(network: Network, images: np.ndarray, target: Target, copies: int = COPIES, noise: float = NOISE) -> np.ndarray:
    """The mean gradient, float32 [N, height, width, channels], per step of a pixel. The noise is the same in each call."""
    draw = np.random.default_rng(SEED).normal(0, 1, (copies, *images.shape[1:])).astype("float32")
    ranges = np.ptp(images, axis=(1, 2, 3)).reshape(-1, 1, 1, 1, 1)
    noisy = (images[:, None] + noise * ranges * draw).reshape(-1, *images.shape[1:]).astype("float32")
    return gradients(network, noisy, target.repeated(copies)).reshape(len(images), copies, *images.shape[1:]).mean(1)


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited where no gradient comes back."""
    note = f"Mean of {COPIES} copies with noise of {NOISE:.0%} of the image's range."
    return attribution.answer(network, asked, attribute, False, [note], drawn=saliency.largest, kind="strength")

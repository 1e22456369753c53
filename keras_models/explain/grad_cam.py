"""Grad-CAM: Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra 2017, "Grad-CAM: visual explanations from deep networks via
gradient-based localization", ICCV, section 3, equations 1 and 2: the maps of the last convolution, each weighted by the mean
over its places of the class's gradient, summed and rectified. Enlarged to the image by linear interpolation, divided by the
pixels of a place so that infidelity can take it for shares."""

import numpy as np
import tensorflow as tf

from keras_models.explain import attribution
from keras_models.explain.base import IMAGES, Answer, Asked, Unsuited
from keras_models.explain.network import BATCH, Network, Target

ORDER = 50
TITLE = "Grad-CAM"
PAPER = "Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra 2017"
TELLS = "Where in the image the evidence for a class lies, as coarsely as the maps of the last convolution are."
HIDES = "Details within a place of these maps, what speaks against a class, and evidence whose parts cancel out in the mean."
NEEDS = frozenset({IMAGES})


def heat(network: Network, images: np.ndarray, target: Target, maps: str | None = None) -> np.ndarray:
    """Equation 2 as it stands: float32 [N, rows, columns] of the maps.

    Args:
        maps: path of the layer that is weighted; None: the last maps before the target.

    Raises:
        Unsuited: where there are no maps, or no gradient comes back to them.
    """
    maps, parts = maps or network.maps(target.path), []
    for first in range(0, len(images), BATCH):
        some = slice(first, first + BATCH)
        x = tf.constant(images[some], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)  # whatever is computed from it is recorded, frozen layers too
            values = network.run(x)
            score = target.part(some).of(values)
        gradient = tape.gradient(score, values[maps])
        if gradient is None:
            of, to = network.short(target.path), network.short(maps)
            raise Unsuited(f"No gradient passes from {of} of {network.model.name} back to {to}.", "Occlusion needs none.")
        weights = tf.reduce_mean(gradient, [1, 2], keepdims=True)
        parts.append(tf.nn.relu(tf.reduce_sum(weights * values[maps], -1)).numpy())
    return np.concatenate(parts)


def attribute(network: Network, images: np.ndarray, target: Target) -> np.ndarray:
    """The same for each value of a pixel, float32 [N, height, width, channels], at least 0. Raises Unsuited as `heat`."""
    made = heat(network, images, target)
    height, width, channels = images.shape[1:]
    enlarged = tf.image.resize(made[..., None], (height, width)).numpy() * made[0].size / (height * width * channels)
    return np.repeat(enlarged, channels, -1)


def show(network: Network, asked: Asked) -> Answer:
    """See base. Raises Unsuited as `heat`."""
    target = attribution.target_of(network, asked, asked.images)
    maps = network.maps(target.path)
    height, width, many = network.parts[maps].shape
    note = f"Of the {many} maps of {network.short(maps)}, {height} x {width} places."
    return attribution.answer(network, asked, attribute, True, [note], kind="strength")

"""What stands beside an autoencoder's own figures: PCA's, and what its codes know of classes that it was never told."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator import probes
from components.evaluator.intervals import Figure, of_mean
from components.evaluator.probes import Codes
from components.evaluator.psnr import decibels
from components.evaluator.sample import evenly
from components.tasks.reconstruction import figures
from components.tasks.reconstruction.pca import Principal

PROBED = 5_000  # labelled images of the training split whose codes probes learn from, at most
JUDGED = 10_000  # of the test split, on which they are judged, at most


def of_principal(exact: Principal, test: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """`pca_mse`, `pca_psnr`, `pca_ssim` and, where the size allows, `pca_ms_ssim` of each image: float [N].

    Args:
        test: batches of images and of what is projected in their place, which is the same but for noise: [N, height, width,
            channels], in 0..1 without the noise.
    """
    batches = []
    for images, inputs in test:
        images = images.astype(np.float32)
        given = exact.images(exact.codes(inputs)).reshape(images.shape).astype(np.float32)
        of_batch = {f"pca_{name}": values.numpy() for name, values in figures.of_pairs(images, given).items()}
        batches.append(of_batch | {"pca_psnr": decibels(of_batch["pca_mse"])})
    return {name: np.concatenate([of_batch[name] for of_batch in batches]) for name in batches[0]}


def means(each: Mapping[str, np.ndarray], which: np.ndarray | slice = slice(None)) -> dict[str, Figure]:
    """Over images, or those of a mask."""
    return {name: of_mean(values[which]) for name, values in each.items()}


def of_codes(
    encode: Callable[[np.ndarray], np.ndarray], exact: Principal, images: Callable[[str], tf.data.Dataset]
) -> dict[str, float]:
    """The figures of `probes` and, beside them, those of PCA's codes; none where labels are missing.

    Args:
        encode: float32 pixels [N, height, width, channels] in 0..255 -> codes [N, k].
        exact: PCA of pixels in 0..1.
        images: as for Judge.compare. Images without a label are left out.
    """

    def both(pixels, labels):
        return encode(pixels), exact.codes(pixels / 255.0), labels

    train, test = evenly(_labelled(images(keys.TRAIN)), PROBED, both), evenly(_labelled(images(keys.TEST)), JUDGED, both)
    if not train or not test:
        return {}
    ours = probes.figures(Codes(train[0], train[2]), Codes(test[0], test[2]))
    beside = probes.figures(Codes(train[1], train[2]), Codes(test[1], test[2]))
    return ours | {f"pca_{name}": value for name, value in beside.items()}


def _labelled(batches: tf.data.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for pixels, targets in batches.as_numpy_iterator():
        known = targets[keys.LABEL] >= 0
        yield pixels[known], targets[keys.LABEL][known]

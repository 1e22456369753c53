"""What pixels count for in a loss: by their class, and by how near they are to two things at once."""

from collections.abc import Iterable

import numpy as np

from components.targets import VOID


def of_classes(masks: Iterable[np.ndarray], classes: int, how: str) -> list[float]:
    """What a pixel of each class counts for; 1 where no mask has the class.

    Args:
        masks: int [N, height, width, 1] each, of a split's images; VOID counts nowhere.
        how: "balanced": n / (K n_c) for n pixels, n_c of which are of the class, K classes that occur (scikit-learn's name);
            "median_frequency": the median of all f by f_c, the share that a class has of the pixels of the images that have it,
            Eigen & Fergus 2015, ICCV, section 6.3.2.
    """
    counts, beside = np.zeros(classes), np.zeros(classes)
    for batch in masks:
        for mask in batch:
            of_image = np.bincount(mask[mask != VOID].ravel(), minlength=classes)[:classes]
            counts += of_image
            beside += (of_image > 0) * of_image.sum()
    there = counts > 0
    if how == "median_frequency":
        frequency = np.divide(counts, beside, out=np.ones(classes), where=there)
        weights = np.median(frequency[there]) / frequency if there.any() else frequency
    else:
        weights = np.divide(counts.sum(), there.sum() * counts, out=np.ones(classes), where=there)
    return np.where(there, weights, 1.0).tolist()


def of_borders(masks: np.ndarray, weight: float, sigma: float) -> np.ndarray:
    """weight * exp(-(d1 + d2)^2 / (2 sigma^2)) for pixels of the background, 0 for all others: Ronneberger, Fischer & Brox 2015,
    MICCAI, equation 2, without the class's own weight. d1 and d2 are the distances, px, to the nearest thing and the next.

    A thing is what hangs together, by sides of pixels and not by corners, of one class other than the first, the background: two
    that touch and are of one class are one. Where an image has fewer than two there is no border.

    Args:
        masks: int [N, height, width, 1], places of classes and VOID.

    Returns:
        float32, of the same shape.
    """
    from scipy import ndimage

    made = np.zeros(masks.shape, np.float32)
    for mask, weights in zip(masks[..., 0], made[..., 0], strict=True):
        nearest = np.full((2, *mask.shape), np.inf)
        for of_class in np.unique(mask[(mask != 0) & (mask != VOID)]):
            labelled, many = ndimage.label(mask == of_class)
            for thing in range(1, many + 1):
                away = ndimage.distance_transform_edt(labelled != thing)
                nearest = np.sort(np.stack([*nearest, away]), 0)[:2]
        ground = mask == 0
        weights[ground] = weight * np.exp(-(nearest.sum(0)[ground] ** 2) / (2 * sigma**2))
    return made

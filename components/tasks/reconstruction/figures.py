"""What is said of single images and codes, computed in the graph that is served: float32 [N] each."""

import numpy as np
import tensorflow as tf

from components.codes.limits import SHARE

WINDOW, DEVIATION = 11, 1.5  # px
STABLE = 0.01**2, 0.03**2  # what keeps the quotients of SSIM finite: Wang et al. 2004, equations 7 and 9
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales of MS-SSIM, finest first: Wang et al. 2003, section 3.2
MULTISCALE = WINDOW * 2 ** (len(WEIGHTS) - 1)  # px: a side that the window still fits at the coarsest scale


def of_images(images: tf.Tensor, given: tf.Tensor, codes: tf.Tensor) -> dict[str, tf.Tensor]:
    """What every autoencoder is judged by, ms_ssim and sparsity where they can be had.

    Args:
        images: [N, height, width, channels] in 0..1. given: what is there in their place. codes: [N, k].
    """
    figures = of_pairs(images, given)
    return {**figures, "sparsity": sparsity(codes)} if codes.shape[-1] > 1 else figures


def of_pairs(images: tf.Tensor, given: tf.Tensor) -> dict[str, tf.Tensor]:
    """Those of them that need no code. Arguments as of `of_images`."""
    figures = {"mse": mean_squared_error(images, given), "ssim": ssim(images, given)}
    return {**figures, "ms_ssim": ms_ssim(images, given)} if min(images.shape[1:3]) >= MULTISCALE else figures


def mean_squared_error(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Over all values of an image."""
    return tf.reduce_mean(tf.square(images - given), axis=[1, 2, 3])


def ssim(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Of values in 0..1: Wang et al. 2004, section III-B; its Gaussian window of 11 px, or the largest odd one that fits."""
    side = min(WINDOW, *images.shape[1:3])
    whole, _ = _similarity(tf.cast(images, tf.float64), tf.cast(given, tf.float64), side - (side + 1) % 2)
    return tf.cast(tf.reduce_mean(whole, -1), tf.float32)


def ms_ssim(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Of values in 0..1, sides of MULTISCALE or more: Wang, Simoncelli & Bovik 2003, equation 7; a negative factor is 0."""
    images, given, product = tf.cast(images, tf.float64), tf.cast(given, tf.float64), 1.0
    for scale, weight in enumerate(WEIGHTS, 1):
        whole, contrast = _similarity(images, given, WINDOW)
        product *= tf.nn.relu(whole if scale == len(WEIGHTS) else contrast) ** weight
        images, given = (tf.nn.avg_pool2d(batch, 2, 2, "SAME") for batch in (images, given))
    return tf.cast(tf.reduce_mean(product, -1), tf.float32)


def _similarity(images: tf.Tensor, given: tf.Tensor, window: int) -> tuple[tf.Tensor, tf.Tensor]:
    """SSIM, and its factors of contrast and structure alone: float64 [N, channels], the means over all places of the window.

    In float64, because a variance is a small difference of large squares: of images of 176 px, Keras and an exported graph were
    5e-6 apart in float32 (tf.image.ssim), half of what the served-equals-trained gate allows, and 3e-8 here.
    """
    (x, y), (luminance, contrast) = (_blurred(batch, window) for batch in (images, given)), STABLE
    xx, yy, xy = (
        _blurred(a * b, window) - c for a, b, c in ((images, images, x * x), (given, given, y * y), (images, given, x * y))
    )
    structure = (2 * xy + contrast) / (xx + yy + contrast)
    whole = structure * (2 * x * y + luminance) / (x * x + y * y + luminance)
    return tf.reduce_mean(whole, [1, 2]), tf.reduce_mean(structure, [1, 2])


def _blurred(images: tf.Tensor, window: int) -> tf.Tensor:
    """By a Gaussian of DEVIATION, where the window lies within the image."""
    places = np.arange(window) - (window - 1) / 2
    weights = np.exp(-np.square(places) / (2 * DEVIATION**2))
    column = np.tile((weights / weights.sum())[:, None, None, None], (1, 1, images.shape[-1], 1))
    for kernel in (column, column.transpose(1, 0, 2, 3)):
        images = tf.nn.depthwise_conv2d(images, kernel, [1, 1, 1, 1], "VALID")
    return images


def sparsity(codes: tf.Tensor) -> tf.Tensor:
    """Of [N, k], k at least 2: (sqrt(k) - L1 / L2) / (sqrt(k) - 1), Hoyer 2004, JMLR 5, section 3.1.

    0 where all numbers of a code are equally far from 0, 1 where all but one are 0; of a code of nothing but zeros 0.
    """
    root = float(codes.shape[-1]) ** 0.5
    largest = tf.reduce_max(tf.abs(codes), axis=-1, keepdims=True)
    scaled = tf.math.divide_no_nan(codes, largest)  # whose squares are neither lost nor infinite
    ratio = tf.math.divide_no_nan(tf.norm(scaled, 1, axis=-1), tf.norm(scaled, 2, axis=-1))
    return tf.where(largest[:, 0] > 0, (root - ratio) / (root - 1.0), 0.0)


def active(codes: tf.Tensor) -> tf.Tensor:
    """How many numbers of a code are active, of [N, k]."""
    sizes = tf.abs(codes)
    is_active = sizes > SHARE * tf.reduce_max(sizes, axis=1, keepdims=True)
    return tf.reduce_sum(tf.cast(is_active, tf.float32), axis=1)

"""What is said of single images and codes, computed in the graph that is served: float32 [N] each."""

import tensorflow as tf

WINDOW = 11  # px
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales of MS-SSIM, finest first: Wang et al. 2003, section 3.2
MULTISCALE = WINDOW * 2 ** (len(WEIGHTS) - 1)  # px: a side that the window still fits at the coarsest scale


def mean_squared_error(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Over all values of an image."""
    return tf.reduce_mean(tf.square(images - given), axis=[1, 2, 3])


def ssim(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Of values in 0..1: Wang et al. 2004, section III-B; its Gaussian window of 11 px, or the largest odd one that fits."""
    side = min(WINDOW, *images.shape[1:3])
    return tf.image.ssim(images, given, max_val=1.0, filter_size=side - (side + 1) % 2)


def ms_ssim(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """Of values in 0..1, sides of MULTISCALE or more: Wang, Simoncelli & Bovik 2003, equation 7; a negative factor is 0."""
    return tf.image.ssim_multiscale(images, given, max_val=1.0, power_factors=WEIGHTS, filter_size=WINDOW)


def sparsity(codes: tf.Tensor) -> tf.Tensor:
    """Of [N, k], k at least 2: (sqrt(k) - L1 / L2) / (sqrt(k) - 1), Hoyer 2004, JMLR 5, section 3.1.

    0 where all numbers of a code are equally far from 0, 1 where all but one are 0; of a code of nothing but zeros 0.
    """
    root = float(codes.shape[-1]) ** 0.5
    largest = tf.reduce_max(tf.abs(codes), axis=-1, keepdims=True)
    scaled = tf.math.divide_no_nan(codes, largest)  # whose squares are neither lost nor infinite
    ratio = tf.math.divide_no_nan(tf.norm(scaled, 1, axis=-1), tf.norm(scaled, 2, axis=-1))
    return tf.where(largest[:, 0] > 0, (root - ratio) / (root - 1.0), 0.0)

"""Noise to be judged by: its draws are constants, so that an image always gets the same and an exported graph draws nothing."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep

PATTERNS = 64  # draws for a whole image, among which each image has its own
NUMBERS = 2**20  # of all patterns together, at most (4 MiB in each graph): large images share fewer
SEED = 0


def noise(steps: Sequence[AugmentStep], shape: tuple[int, int, int]) -> Callable[[tf.Tensor], tf.Tensor]:
    """What takes from images what augmentation's noise would.

    Args:
        steps: of components/transform/augment/noise.py.
        shape: (height px, width px, channels).

    Returns:
        float32 pixels [N, *shape] in 0..255 -> the same with noise, as training has it where a task `cleans`: not cut to the range.
        Which pattern an image gets is a function of its pixels, rounded to whole numbers.
    """
    needs = augment.draws(steps, shape)
    patterns = max(1, min(PATTERNS, NUMBERS // needs))
    random = np.random.default_rng(SEED)
    bank = 2 * random.random((patterns, needs), np.float32) - 1
    hashing = random.integers(2**32, size=np.prod(shape))

    def noisy(pixels):
        values = tf.cast(tf.round(tf.reshape(pixels, [-1, len(hashing)])), tf.int64)
        pattern = tf.bitwise.right_shift(tf.reduce_sum(values * hashing, axis=1), 16) % patterns
        return augment.apply(steps, pixels, tf.gather(bank, pattern), clips_noise=False)

    return noisy

"""Peak signal-to-noise ratio of values in [0, 1]."""

import numpy as np

SMALLEST = 1e-12  # an error below counts as this: 120 dB


def decibels(error):
    """-10 log10 of a mean squared error, or of an array of them."""
    return -10.0 * np.log10(np.maximum(error, SMALLEST))

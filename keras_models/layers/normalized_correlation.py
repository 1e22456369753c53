"""Pattern matching by normalised cross-correlation: Lewis 1995, "Fast template matching", Vision Interface, eq. (2)."""

import keras
import numpy as np
from keras import ops

from keras_models import filters
from keras_models.layers.fixed_filters import FixedFilters

FLAT = 1e-6  # of a window's mean square: less variance than this is rounding of float32


@keras.saving.register_keras_serializable(package="hubel")
class NormalizedCorrelation(FixedFilters):
    """Pearson's correlation of each pattern with each window of each map: -1 to 1, whatever the window's brightness and contrast.

    Shapes, borders and strides are those of FixedFilters. A window without contrast answers 0: one whose variance is below 1e-6 of
    its mean square.

    Args:
        patterns: numbers (patterns, rows, columns).

    Raises:
        ValueError: as FixedFilters, and for a pattern without contrast.
    """

    def __init__(self, patterns, border="reflect", strides=(1, 1), **kwargs):
        self.patterns = np.asarray(patterns, "float64")
        kernels = filters.matching(self.patterns) if self.patterns.ndim == 3 else self.patterns
        norms = np.sqrt(np.square(kernels).sum((-2, -1), keepdims=True))
        if not norms.all():
            raise ValueError("a pattern that is the same everywhere correlates with nothing")
        super().__init__(kernels / norms, border, strides, **kwargs)

    def call(self, inputs):
        x = self.surrounded(inputs)
        values, maps = int(np.prod(self.size)), inputs.shape[-1]
        ones = ops.ones((*self.size, 1), inputs.dtype)
        sums, squares = self.correlate(x, ones), self.correlate(ops.square(x), ones)
        spread = squares - ops.square(sums) / values
        seen = spread > FLAT * squares
        norms = ops.where(seen, ops.sqrt(ops.where(seen, spread, 1)), 1)
        responses = self.correlate(x, ops.cast(self.kernel, inputs.dtype))
        return responses * ops.repeat(ops.where(seen, 1 / norms, 0), responses.shape[-1] // maps, axis=-1)

    def multiply_adds(self, input_shape, output_shape):
        """Those of the patterns, and of the sum and the sum of squares of each window; see keras_models.connections."""
        return super().multiply_adds(input_shape, output_shape) * (len(self.kernels) + 2) // len(self.kernels)

    def get_config(self):
        config = {**super().get_config(), "patterns": self.patterns.tolist()}
        del config["kernels"]
        return config

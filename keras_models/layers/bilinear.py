"""A start for transposed convolutions: enlarging by bilinear interpolation, of each map by itself."""

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="hubel")
class Bilinear(keras.initializers.Initializer):
    """Of a kernel (rows, columns, maps out, maps in) of Conv2DTranspose: the tent of Long, Shelhamer & Darrell 2015, CVPR, section
    3.3, which weighs what lies between two pixels by how near it is; maps of another number get nothing."""

    def __call__(self, shape, dtype=None):
        rows, columns, out, given = shape
        tent = np.outer(_tent(rows), _tent(columns))[:, :, None, None]
        return keras.ops.cast(tent * np.eye(out, given), dtype or keras.config.floatx())

    def get_config(self):
        return {}


def _tent(size):
    factor = (size + 1) // 2
    return 1 - np.abs(np.arange(size) - (factor - 1 if size % 2 else factor - 0.5)) / factor

"""Blocks of cells: Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", CVPR, section 6.4."""

import keras
from keras import layers, ops

from keras_models.receptive import window

EPSILON = 1e-5  # as in scikit-image; gradients are of the scale of the pixels
CLIP = 0.2  # Lowe 2004, IJCV 60(2), section 6.1


def _l1(x):
    return x / (_sum(ops.abs(x)) + EPSILON)


def _l1_sqrt(x):
    x = _l1(x)
    return ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1)), 0)  # the root of 0 has no derivative


def _l2(x):
    return x / ops.sqrt(_sum(ops.square(x)) + EPSILON**2)


def _l2_hys(x):
    return _l2(ops.minimum(_l2(x), CLIP))


def _sum(x):
    return ops.sum(x, axis=-1, keepdims=True)


NORMS = {"l1": _l1, "l1_sqrt": _l1_sqrt, "l2": _l2, "l2_hys": _l2_hys}


@keras.saving.register_keras_serializable(package="hubel")
class BlockNormalization(layers.Layer):
    """Squares of cells that overlap, one beginning at each cell, each normalised over all its values.

    Input: float (batch, rows, columns, values of a cell), at least 0. Output: float (batch, rows - block + 1, columns - block + 1,
    block^2 * values), cells row by row. No weights.

    Args:
        block: side, cells.
        norm: "l1": divided by the sum; "l1_sqrt": the root of that; "l2": divided by the root of the sum of squares; "l2_hys": l2,
            nothing above 0.2, l2 again.

    Raises:
        ValueError: for another norm.
    """

    def __init__(self, block=2, norm="l2_hys", **kwargs):
        super().__init__(**kwargs)
        if norm not in NORMS:
            raise ValueError(f"norm must be {' or '.join(NORMS)}; got {norm!r}")
        self.block = block
        self.norm = norm

    def call(self, inputs):
        _, rows, columns, _ = self.compute_output_shape(inputs.shape)
        steps = range(self.block)
        cells = [inputs[:, down : down + rows, right : right + columns] for down in steps for right in steps]
        return NORMS[self.norm](ops.concatenate(cells, axis=-1))

    def compute_output_shape(self, input_shape):
        batch, rows, columns, values = input_shape
        less = self.block - 1
        return batch, rows and rows - less, columns and columns - less, self.block**2 * values

    def multiply_adds(self, input_shape, output_shape):
        """None: a normalisation; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return (window(self.block),) * 2

    def get_config(self):
        return {**super().get_config(), "block": self.block, "norm": self.norm}

"""Convolution with weights that are given and never trained, with the borders of scipy.ndimage."""

import math

import keras
import numpy as np
from keras import layers, ops

from keras_models.receptive import window

# what lies around an image, by scipy.ndimage's name -> how NumPy calls it; abcd is continued as
BORDERS = {
    "reflect": "symmetric",  # dcba abcd dcba
    "mirror": "reflect",  # dcb abcd cba
    "nearest": "edge",  # aaa abcd ddd
    "wrap": "wrap",  # abcd abcd abcd
    "constant": "constant",  # 000 abcd 000
}
VALID = "valid"  # nothing: the filters stay inside


@keras.saving.register_keras_serializable(package="hubel")
class FixedFilters(layers.Layer):
    """Cross-correlation of each map with each kernel: scipy.ndimage.correlate.

    Input: float (batch, height, width, maps), sides fixed. Output: float (batch, height, width, maps * kernels), all kernels of the
    first map, then those of the next; with border "valid" sides are floor((side - kernel's side) / stride) + 1, else
    ceil(side / stride). A kernel of even size has its centre at size // 2. The kernels are fixed weights (rows, columns, kernels).

    Args:
        kernels: numbers (kernels, rows, columns), as of keras_models.filters.
        border: one of BORDERS, or "valid".
        strides: (down, right), px.

    Raises:
        ValueError: for kernels of another shape, another border, or, when built, sides that are not fixed.
    """

    def __init__(self, kernels, border="reflect", strides=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self.kernels = np.asarray(kernels, "float64")
        self.border = border
        self.strides = tuple(strides)
        if self.kernels.ndim != 3:
            raise ValueError(f"kernels must be numbers of shape (kernels, rows, columns); got shape {self.kernels.shape}")
        if border not in (*BORDERS, VALID):
            raise ValueError(f"border must be {' or '.join((*BORDERS, VALID))}; got {border!r}")

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the kernels."""
        return self.kernels.shape[1:]

    def build(self, input_shape):
        if None in input_shape[1:3]:
            raise ValueError(f"the sides of {self.name}'s input must be fixed; got {input_shape[1]} x {input_shape[2]}")
        kernel = np.moveaxis(self.kernels, 0, -1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel.shape,
            initializer=lambda shape, dtype: ops.convert_to_tensor(kernel, dtype),
            trainable=False,
        )

    def call(self, inputs):
        return self.correlate(self.surrounded(inputs), ops.cast(self.kernel, inputs.dtype))

    def surrounded(self, x):
        """The maps with what their border adds."""
        for axis, amounts in enumerate(self._amounts(), 1):
            if not any(amounts):
                continue
            if self.border == "constant":
                x = ops.pad(x, [amounts if at == axis else (0, 0) for at in range(4)])
            else:  # by place: TensorFlow has not all of these borders, and none that is wider than the image
                x = ops.take(x, np.pad(np.arange(x.shape[axis]), amounts, BORDERS[self.border]), axis=axis)
        return x

    def correlate(self, x, kernel):
        """Each map on its own with each kernel (rows, columns, kernels): one convolution, with the maps among the images."""
        height, width, maps = x.shape[1:]
        x = ops.reshape(ops.transpose(x, (0, 3, 1, 2)), (-1, height, width, 1))
        x = ops.conv(x, kernel[:, :, None], self.strides, "valid", "channels_last")
        x = ops.reshape(x, (-1, maps, *x.shape[1:]))
        return ops.reshape(ops.transpose(x, (0, 2, 3, 1, 4)), (-1, *x.shape[2:4], maps * x.shape[4]))

    def compute_output_shape(self, input_shape):
        batch, *sides, maps = input_shape
        full = [side and side + sum(amounts) for side, amounts in zip(sides, self._amounts(), strict=True)]
        made = [side and (side - size) // stride + 1 for side, size, stride in zip(full, self.size, self.strides, strict=True)]
        return batch, *made, maps * len(self.kernels)

    def multiply_adds(self, input_shape, output_shape):
        """Those of the convolution; see keras_models.connections."""
        return math.prod(output_shape) * math.prod(self.size)

    def sees(self, input_shape, output_shape):
        befores = [before for before, _ in self._amounts()]
        return tuple(map(window, self.size, self.strides, befores))

    def get_config(self):
        own = {"kernels": self.kernels.tolist(), "border": self.border, "strides": self.strides}
        return {**super().get_config(), **own}

    def _amounts(self):
        """Pixels (before, after) that the border adds along each axis."""
        if self.border == VALID:
            return [(0, 0)] * 2
        return [(size // 2, (size - 1) // 2) for size in self.size]

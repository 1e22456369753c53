"""Grid generators and the bilinear sampler of spatial transformers: Jaderberg et al. 2015, NIPS, sections 3.2 and 3.3.

Positions are (x, y), x to the right and y down, with -1 and 1 at the centres of an image's first and last pixels, whatever its
size. A grid generator turns parameters theta into the positions in the input at which each pixel of the output is read.
"""

import math

import keras
import numpy as np
from keras import layers, ops

from keras_models.receptive import Sees

HORIZON = 1e-6  # of a homogeneous coordinate: nearer to 0, a place is infinitely far away
FAR = 1e6  # where such a place is read: outside of any image


def targets(size: tuple[int, int]) -> np.ndarray:
    """float64 (height * width, 2): positions of the output's pixels, row by row."""
    rows, columns = (np.linspace(-1, 1, side) for side in size)
    x, y = np.meshgrid(columns, rows)
    return np.stack([x.ravel(), y.ravel()], axis=-1)


class Grid(layers.Layer):
    """theta -> positions. Input: float (batch, parameters). Output: float (batch, height, width, 2).

    A subclass has `identity`, float64 (parameters,), the theta that moves nothing, and `sources(theta)`, the positions as float
    (batch, height * width, 2).

    Args:
        size: (height px, width px) of the output.
    """

    weighs = False  # it multiplies coordinates; see keras_models.connections

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, theta):
        return ops.reshape(self.sources(theta), (-1, *self.size, 2))

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.size, 2

    def multiply_adds(self, input_shape, output_shape):
        """Each parameter once for each position; see keras_models.connections."""
        return math.prod(self.size) * input_shape[-1]

    def sees(self, input_shape, output_shape):
        return Sees.ALL

    def get_config(self):
        return {**super().get_config(), "size": self.size}

    def _homogeneous(self, dtype):
        """(3, height * width): x, y and 1 of each target."""
        xy = targets(self.size).T
        return ops.convert_to_tensor(np.concatenate([xy, np.ones_like(xy[:1])]), dtype)


@keras.saving.register_keras_serializable(package="hubel")
class AffineGrid(Grid):
    """Eq. (1): theta are the rows of the 2 x 3 matrix that maps (x, y, 1) of the output to (x, y) in the input."""

    identity = np.eye(2, 3).ravel()

    def sources(self, theta):
        matrices = ops.reshape(theta, (-1, 2, 3))
        return ops.transpose(ops.matmul(matrices, self._homogeneous(theta.dtype)), (0, 2, 1))


@keras.saving.register_keras_serializable(package="hubel")
class ProjectiveGrid(Grid):
    """theta are the first 8 values, row by row, of the 3 x 3 matrix whose last one is 1; it maps homogeneous positions.

    What it maps to the horizon, where the third coordinate is 0, lies outside of the image and has no gradient.
    """

    identity = np.eye(3).ravel()[:8]

    def sources(self, theta):
        matrices = ops.reshape(ops.concatenate([theta, ops.ones_like(theta[:, :1])], axis=1), (-1, 3, 3))
        mapped = ops.transpose(ops.matmul(matrices, self._homogeneous(theta.dtype)), (0, 2, 1))
        xy, w = mapped[..., :2], mapped[..., 2:]
        is_far = ops.abs(w) < HORIZON
        return ops.where(is_far, FAR, xy / ops.where(is_far, 1.0, w))  # a quotient by 0 in either branch has the gradient NaN


@keras.saving.register_keras_serializable(package="hubel")
class ThinPlateSplineGrid(Grid):
    """The smoothest map that moves control points as asked: Bookstein 1989, IEEE PAMI 11(6).

    theta are the positions (x, y) in the input of points_per_side^2 control points, row by row, which in the output stand on a
    regular grid from -1 to 1. The spline is linear in them, so that its system is solved once, in NumPy, and not for each image.

    Raises:
        ValueError: for fewer than 2 points a side.
    """

    def __init__(self, size, points_per_side=4, **kwargs):
        super().__init__(size, **kwargs)
        if points_per_side < 2:
            raise ValueError(f"a thin-plate spline needs at least 2 control points a side; got {points_per_side!r}")
        self.points_per_side = points_per_side
        self._matrix = _spline(targets((points_per_side,) * 2), targets(self.size))

    @property
    def identity(self):
        return targets((self.points_per_side,) * 2).ravel()

    def sources(self, theta):
        points = ops.reshape(theta, (-1, self.points_per_side**2, 2))
        return ops.matmul(ops.convert_to_tensor(self._matrix, theta.dtype), points)

    def get_config(self):
        return {**super().get_config(), "points_per_side": self.points_per_side}


def _spline(controls, at):
    """(positions, controls): times what the controls are moved to, where the spline moves the positions `at` to."""

    def bent(a, b):
        squared = np.square(a[:, None] - b[None]).sum(-1)
        return squared * np.log(np.where(squared > 0, squared, 1))  # r^2 log r^2, which is 0 at 0

    def flat(a):
        return np.concatenate([np.ones((len(a), 1)), a], axis=1)

    many = len(controls)
    system = np.zeros((many + 3, many + 3))
    system[:many, :many], system[:many, many:], system[many:, :many] = bent(controls, controls), flat(controls), flat(controls).T
    return np.concatenate([bent(at, controls), flat(at)], axis=1) @ np.linalg.inv(system)[:, :many]


@keras.saving.register_keras_serializable(package="hubel")
class BilinearSampler(layers.Layer):
    """Eq. (5): reads an image at any positions, between four pixels; around the image all is `ground`.

    Args:
        ground: a number for each channel; None: 0. What black became where the image is normalised (keras_models.normalize).

    Input: [image float (batch, height, width, channels), positions float (batch, rows, columns, 2)].
    Output: float (batch, rows, columns, channels). Differentiable in the image and in the positions (eqs. 6 and 7).
    """

    weighs = False  # it multiplies by distances; see keras_models.connections

    def __init__(self, ground=None, **kwargs):
        super().__init__(**kwargs)
        self.ground = None if ground is None else tuple(ground)

    def call(self, inputs):
        image, positions = inputs
        _, height, width, channels = image.shape
        left, right = _neighbours(positions[..., 0], width)
        top, bottom = _neighbours(positions[..., 1], height)
        padded = ops.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)])
        if self.ground is not None:
            around = np.pad(np.zeros((height, width)), 1, constant_values=1)[..., None] * np.asarray(self.ground)
            padded += ops.convert_to_tensor(around, padded.dtype)
        pixels = ops.reshape(padded, (-1, channels))
        first = ops.arange(ops.shape(image)[0], dtype="int32") * ((height + 2) * (width + 2))  # of each image, among all pixels
        first = ops.reshape(first, (-1, 1, 1))
        return sum(
            ops.expand_dims(above * beside, -1) * ops.take(pixels, first + row * (width + 2) + column, axis=0)
            for row, above in (top, bottom)
            for column, beside in (left, right)
        )

    def compute_output_shape(self, input_shape):
        image, positions = input_shape
        return *positions[:3], image[-1]

    def get_config(self):
        return {**super().get_config(), "ground": self.ground}

    def multiply_adds(self, input_shape, output_shape):
        """Four pixels for each value; see keras_models.connections."""
        return 4 * math.prod(output_shape)

    def sees(self, input_shape, output_shape):
        return Sees.ALL


def _neighbours(position, side):
    """The two pixels around each position, as int32 places in a side with the ground at both ends, and their weights."""
    pixel = ops.clip((position + 1) * ((side - 1) / 2), -1, side)  # from there on all is ground
    before = ops.clip(ops.floor(pixel), -1, side - 1)
    share = pixel - before
    place = ops.clip(ops.cast(before, "int32") + 1, 0, side)  # a NaN has any place
    return (place, 1 - share), (place + 1, share)

"""Operations that move pixels. Each gives a matrix or a field of displacements from output to input coordinates, both centred on
the image, so that a whole list of them is one resampling, not a blur for each. What moves in from outside is the Border's."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.transform.augment import color


class Border(NamedTuple):
    """What stands around an image: as configs.schema.augment.Border has it; a `value` for each channel, or one for all."""

    mode: str = "mirror"
    value: float | Sequence[float] = 0.0


FILL_MODES = {"mirror": "REFLECT", "constant": "CONSTANT", "edge": "NEAREST"}  # TensorFlow's names


def translate(step, drawn, height, width):
    return matrix([[1, 0, drawn[:, 0] * step.width * width], [0, 1, drawn[:, 1] * step.height * height], [0, 0, 1]])


def rotate(step, drawn, height, width):
    return turn(drawn[:, 0] * math.radians(step.degrees))


def zoom(step, drawn, height, width):
    scale = 1 / (1 + drawn[:, 0] * step.factor)
    return matrix([[scale, 0, 0], [0, scale, 0], [0, 0, 1]])


def shear(step, drawn, height, width):
    return matrix([[1, tf.tan(drawn[:, 0] * math.radians(step.degrees)), 0], [0, 1, 0], [0, 0, 1]])


def flip(step, drawn, height, width):
    across, down = tf.unstack(tf.where(drawn < 0, -1.0, 1.0), axis=1)  # tf.sign has a third value, 0
    unchanged = tf.ones_like(across)
    return matrix([[across if step.horizontal else unchanged, 0, 0], [0, down if step.vertical else unchanged, 0], [0, 0, 1]])


def crop(step, drawn, height, width):
    """A random patch of the image padded by `pad` px: `1 - share` of each side, enlarged again (Krizhevsky 2012, section 4.1)."""
    scale = 1 - step.share
    right, down = (drawn[:, axis] * step.share * side / 2 for axis, side in ((0, width), (1, height)))
    if step.pad:  # whole px, each of them as likely
        right, down = (
            way + tf.floor((drawn[:, axis] + 1) / 2 * (2 * step.pad + 1)) - step.pad for axis, way in ((0, right), (1, down))
        )
    return matrix([[scale, 0, right], [0, scale, down], [0, 0, 1]])


def elastic(step, drawn, height, width):
    """Each pixel goes its own way, its neighbours nearly the same one: uniform noise under a Gaussian (Simard 2003, section 2).

    Simard's alpha multiplies the smoothed noise, and so means less with a larger sigma and more in a larger image; here it is the
    root mean square of the way. Simard's 34 with a sigma of 4 px, in images of 29 px, is {alpha: 0.048, sigma: 0.14}.

    Returns: float32 [N, height, width, 2], px to the right and down.
    """
    side = min(height, width)
    noise = tf.reshape(drawn, [-1, height, width, 2]) * (math.sqrt(3) * step.alpha * side)  # the variance of [-1, 1) is 1/3
    down, across = (_smoothing(length, step.sigma * side) for length in (height, width))
    return tf.einsum("yi,nijc,xj->nyxc", down, noise, across)


def elastic_grid(step, drawn, height, width):
    """A few ways, each of a point of a coarse grid over the image, normally distributed; between them by bicubic interpolation:
    Ronneberger, Fischer & Brox 2015, MICCAI, section 3.1, with 3 x 3 points and 10 px.

    Returns: float32 [N, height, width, 2], px to the right and down.
    """
    ways = step.sigma * color.normal(tf.reshape(drawn, [-1, step.points, step.points, 2]))
    down, across = (_cubic(length, step.points) for length in (height, width))
    return tf.einsum("yi,nijc,xj->nyxc", down, ways, across)


def _cubic(length, points):
    """float32 [length, points]: what each point adds at each place; the outer points lie at both ends. Keys 1981, "Cubic
    convolution interpolation for digital image processing", IEEE TASSP 29(6), a = -1/2; beyond an end its point is repeated."""
    at = np.linspace(0, points - 1, length) if length > 1 else np.full(1, (points - 1) / 2)
    weights = np.zeros((length, points))
    for place in range(-1, points + 1):
        away = np.abs(at - place)
        near, far = 1.5 * away**3 - 2.5 * away**2 + 1, -0.5 * away**3 + 2.5 * away**2 - 4 * away + 2
        weights[:, min(max(place, 0), points - 1)] += np.where(away <= 1, near, np.where(away < 2, far, 0.0))
    return weights.astype(np.float32)


def _smoothing(length, sigma):
    """float32 [length, length]: a Gaussian around each place, scaled to keep the variance of white noise, also at the border."""
    place = tf.range(length, dtype=tf.float32)
    weights = tf.exp(-0.5 * tf.square((place[:, None] - place) / sigma))
    return weights / tf.norm(weights, axis=1, keepdims=True)


def way(parts: Sequence[tuple], rows: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Where the pixels of the output come from after all of `parts`, (operation, parameters, drawn) each, the first one done first.

    Returns:
        float32: [N, 3, 3], a matrix between homogeneous coordinates (x, y, 1) in px from the upper left corner, or, where a part is
        no matrix, [N, height, width, 2], x and y.
    """
    made = [operation(step, drawn, height, width) for operation, step, drawn in parts]
    to_centre, from_centre = (_shift(sign * (width - 1) / 2, sign * (height - 1) / 2, rows) for sign in (-1, 1))
    if all(move.shape.rank == 3 for move in made):
        whole = from_centre
        for move in made:
            whole = whole @ move
        return whole @ to_centre
    x, y = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
    places = tf.tile(tf.stack([x, y], -1)[None], [rows, 1, 1, 1])
    for move in reversed(made):
        if move.shape.rank == 3:
            whole = from_centre @ move @ to_centre
            places = tf.einsum("nab,nyxb->nyxa", whole[:, :2, :2], places) + whole[:, None, None, :2, 2]
        else:
            places += _at(move, places, "BILINEAR")
    return places


class Move:
    """What a `way` does to the targets that are moved with images of height and width px: see components.targets.Move."""

    def __init__(self, way: tf.Tensor, border: Border, height: int, width: int):
        self._way, self._border, self._height, self._width = way, border, height, width

    def nearest(self, maps: tf.Tensor) -> tf.Tensor:
        """See components.targets."""
        return resample(maps, self._way, "NEAREST", Border(self._border.mode))

    def boxes(self, boxes: tf.Tensor) -> tf.Tensor:
        """See components.targets. A way is from the output's pixels to the input's, so boxes go by its inverse; what is around a
        turned box is larger than it. Raises ValueError for a field of displacements, which has none."""
        if self._way.shape.rank != 3:
            raise ValueError("boxes have no way through a field of displacements")  # refused before: steps.check
        forward = tf.linalg.inv(self._way)
        top, left, bottom, right = tf.unstack(boxes - 0.5, axis=-1)  # edges of pixels, of which a way has the centres
        corners = tf.stack(
            [tf.stack([x, y, tf.ones_like(x)], -1) for x in (left, right) for y in (top, bottom)], -2
        )  # [N, M, 4, 3]
        x, y, _ = tf.unstack(tf.einsum("nab,nmcb->nmca", forward, corners) + 0.5, axis=-1)
        ends = [reduce(axis, -1) for reduce in (tf.reduce_min, tf.reduce_max) for axis in (y, x)]
        return tf.clip_by_value(tf.stack(ends, -1), 0.0, tf.constant([self._height, self._width] * 2, tf.float32))


def resample(images: tf.Tensor, way: tf.Tensor, interpolation: str, border: Border = Border()) -> tf.Tensor:  # noqa: B008 frozen
    """Images along a `way`; interpolation is "BILINEAR", or "NEAREST" for maps, whose values must not mix.

    Between the last pixel and a constant beside it, bilinear values are between the two, as SciPy's "grid-constant" has them.
    """
    if border.mode == "constant" and border.value != 0:  # TensorFlow's has one value for all channels
        return resample(images - border.value, way, interpolation, Border("constant")) + border.value
    if way.shape.rank == 4:
        return _at(images, way, interpolation, border.mode)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.reshape(way, [-1, 9])[:, :8],
        output_shape=list(images.shape[1:3]),
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode=FILL_MODES[border.mode],
    )


def _at(images, places, interpolation, mode="mirror"):
    """Values of images [N, height, width, channels] at places [N, height, width, 2], x and y in px; outside as `mode` says, a
    constant being 0."""
    if interpolation == "NEAREST":
        return _pixels(images, tf.round(places), mode)
    corner = tf.floor(places)
    right, down = tf.split(places - corner, 2, axis=-1)

    def row(step):
        left, beside = (_pixels(images, corner + tf.constant([across, step]), mode) for across in (0.0, 1.0))
        return left * (1 - right) + beside * right

    return row(0.0) * (1 - down) + row(1.0) * down


def _pixels(images, places, mode):
    _, height, width, channels = images.shape
    wanted = [tf.cast(places[..., axis], tf.int32) for axis in (0, 1)]
    inside = _mirrored if mode == "mirror" else _clamped
    x, y = (inside(place, length) for place, length in zip(wanted, (width, height), strict=True))
    flat = tf.reshape(images, [-1, height * width, channels])
    gathered = tf.gather(flat, tf.reshape(y * width + x, [-1, height * width]), batch_dims=1)
    gathered = tf.reshape(gathered, [-1, height, width, channels])
    if mode != "constant":
        return gathered
    is_inside = (x == wanted[0]) & (y == wanted[1])
    return tf.where(is_inside[..., None], gathered, 0.0)


def _mirrored(place, length):
    place = tf.math.floormod(place, 2 * length)
    return tf.minimum(place, 2 * length - 1 - place)


def _clamped(place, length):
    return tf.clip_by_value(place, 0, length - 1)


def turn(angle: tf.Tensor) -> tf.Tensor:
    """Matrices of a rotation; `angle` [N] in radians."""
    cos, sin = tf.cos(angle), tf.sin(angle)
    return matrix([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def _shift(right, down, rows):
    return matrix([[1, 0, tf.fill([rows], right)], [0, 1, tf.fill([rows], down)], [0, 0, 1]])


def matrix(rows) -> tf.Tensor:
    """float32 [N, 3, 3] from entries that are numbers or [N] tensors."""
    count = next(tf.shape(entry)[0] for row in rows for entry in row if isinstance(entry, tf.Tensor))
    full = [[tf.broadcast_to(tf.cast(entry, tf.float32), [count]) for entry in row] for row in rows]
    return tf.transpose(tf.stack([tf.stack(row) for row in full]), [2, 0, 1])

"""Gradients that vote for their orientation: Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", CVPR,
sections 6.2 and 6.3; Lowe 2004, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), section 6.1."""

import keras
import numpy as np
from keras import layers, ops

from keras_models.receptive import window


@keras.saving.register_keras_serializable(package="hubel")
class OrientationVotes(layers.Layer):
    """At each pixel the length of the gradient, in the map of its orientation.

    Input: float (batch, height, width, channels). Output: float (batch, height, width, orientations), at least 0.

    The gradient is [-1, 0, 1] along x and y, 0 along the sides of the image, as in scikit-image; of several channels the one with
    the longest counts. Angles are from x, to the right, towards y, down. Map k is for those around k + origin steps; a step is half
    a turn / orientations, or a whole turn / orientations where they are signed.

    Args:
        signed: whether opposite directions differ.
        interpolate: whether a gradient is shared linearly between the two maps nearest to its angle; else the nearest has all of
            it, and the one further round in a draw.
        origin: middle of the first map, in steps: 0.5 (maps begin at angle 0, as in scikit-image) or 0 (Lowe 2004).

    Raises:
        ValueError: for fewer than 3 orientations.
    """

    def __init__(self, orientations, signed=False, interpolate=False, origin=0.5, **kwargs):
        super().__init__(**kwargs)
        if orientations < 3:
            raise ValueError(f"orientations must be at least 3; got {orientations}")
        self.orientations = orientations
        self.signed = signed
        self.interpolate = interpolate
        self.origin = origin

    def call(self, inputs):
        x = inputs
        right = ops.pad(x[:, :, 2:] - x[:, :, :-2], ((0, 0), (0, 0), (1, 1), (0, 0)))
        down = ops.pad(x[:, 2:] - x[:, :-2], ((0, 0), (1, 1), (0, 0), (0, 0)))
        squared = ops.square(right) + ops.square(down)
        if inputs.shape[-1] > 1:
            longest = ops.one_hot(ops.argmax(squared, axis=-1), inputs.shape[-1], dtype=inputs.dtype)
            right, down, squared = (ops.sum(longest * of_all, axis=-1, keepdims=True) for of_all in (right, down, squared))
        there = squared > 0  # the root and the angle of nothing have no derivative
        length = ops.where(there, ops.sqrt(ops.where(there, squared, 1)), 0)
        share = self._shared(ops.where(there, right, 1), down) if self.interpolate else self._nearest(right, down)
        return length * share

    def _shared(self, right, down):
        turn = 2 * np.pi if self.signed else np.pi
        place = ops.arctan2(down, right) * (self.orientations / turn) - self.origin
        apart = ops.mod(place - np.arange(self.orientations, dtype="float32"), self.orientations)
        return ops.relu(1 - ops.minimum(apart, self.orientations - apart))

    def _nearest(self, right, down):
        """By which side of each limit between maps a gradient lies on. Without angles, whose last digit would decide at the limits,
        where gradients of whole numbers often lie."""
        many = self.orientations if self.signed else 2 * self.orientations
        limits = (np.arange(many + 1) + self.origin - 0.5) * 2 * np.pi / many
        cosines, sines = (np.round(f(limits), 12).astype("float32") for f in (np.cos, np.sin))
        beyond = down * cosines - right * sines >= 0
        share = ops.cast(beyond[..., :-1] & ~beyond[..., 1:], right.dtype)
        return share if self.signed else share[..., : many // 2] + share[..., many // 2 :]

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], self.orientations

    def multiply_adds(self, input_shape, output_shape):
        """None: differences are not weighed; see keras_models.connections."""
        return 0

    def sees(self, input_shape, output_shape):
        return (window(3, before=1),) * 2

    def get_config(self):
        own = {"orientations": self.orientations, "signed": self.signed, "interpolate": self.interpolate, "origin": self.origin}
        return {**super().get_config(), **own}

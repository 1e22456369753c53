"""Losses of a class for each pixel: of logits [N, height, width, K] and places of classes [N, height, width] or [.., 1], VOID where
there is none. A network that answers for the middle of an image is held against the middle of its mask."""

import keras
from keras import ops

VOID = 255  # of no class: in no loss


class PixelLoss(keras.losses.Loss):
    """One number a batch, over all its pixels that are of a class; 0 where none is."""

    def call(self, y_true, y_pred):
        truth = ops.cast(middle(_flat(y_true), y_pred.shape[1:3]), "int32")
        known = ops.cast(truth != VOID, "float32")
        return self.of_pixels(ops.where(truth == VOID, 0, truth), known, ops.cast(y_pred, "float32"))

    def of_pixels(self, truth, known, logits):
        """A scalar.

        Args:
            truth: int32 [N, height, width], places of classes; 0 where `known` is.
            known: float32, the same, 1 or 0.
            logits: float32 [N, height, width, K].
        """
        raise NotImplementedError


class CrossEntropy(PixelLoss):
    """Mean over pixels of -log softmax of their class."""

    def of_pixels(self, truth, known, logits):
        of_pixels = ops.sparse_categorical_crossentropy(truth, logits, from_logits=True)
        return ops.sum(of_pixels * known) / ops.maximum(ops.sum(known), 1.0)


def middle(values, sides):
    """[N, height, width, ...] -> the same of fewer rows and columns, as many off on both sides."""
    for axis, (have, want) in enumerate(zip(values.shape[1:3], sides, strict=True), 1):
        before = (have - want) // 2
        values = ops.take(values, ops.arange(before, before + want), axis) if have != want else values
    return values


def _flat(truth):
    return truth[..., 0] if len(truth.shape) == 4 else truth

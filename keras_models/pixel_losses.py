"""Losses of a class for each pixel, of logits float [N, height, width, K].

Masks are places of classes, [N, height, width, 1], VOID where there is none, or [N, height, width, 2] with what each pixel counts
for behind. A network that answers for the middle of an image is held against the middle of its mask. Each is one number a batch,
over all its pixels that are of a class; 0 where none is.
"""

from collections.abc import Sequence

import keras
from keras import ops

VOID = 255  # of no class: in no loss
TINY = 1e-7  # what is divided by is never less: of a class that is nowhere


class PixelLoss(keras.losses.Loss):
    """Finds out what counts."""

    def call(self, y_true, y_pred):
        inside = middle(y_true, y_pred.shape[1:3])
        truth = ops.cast(inside[..., 0], "int32")
        known = ops.cast(ops.not_equal(truth, VOID), "float32")
        weight = ops.cast(inside[..., 1], "float32") if inside.shape[-1] > 1 else 1.0
        return self.of_pixels(ops.where(truth == VOID, 0, truth), known, weight, ops.cast(y_pred, "float32"))

    def of_pixels(self, truth, known, weight, logits):
        """A scalar.

        Args:
            truth: int32 [N, height, width], places of classes; 0 where `known` is.
            known: float32, the same shape, 1 or 0.
            weight: what each counts for, float32 of the same shape, or 1.
            logits: float32 [N, height, width, K].
        """
        raise NotImplementedError


@keras.saving.register_keras_serializable(package="hubel")
class CrossEntropy(PixelLoss):
    """Mean over pixels of -w (1 - p)^gamma log p, p the softmax of their class.

    Args:
        class_weights: w of each class, K numbers; None: 1. A pixel's own weight is added to it, as in Ronneberger, Fischer & Brox
            2015, MICCAI, equation 2.
        gamma: 0 for cross-entropy; above, the focal loss of Lin, Goyal, Girshick, He & Dollar 2017, ICCV, equation 5, whose alpha
            are the classes' weights.
    """

    def __init__(self, class_weights: Sequence[float] | None = None, gamma: float = 0.0, name="cross_entropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.class_weights, self.gamma = class_weights and tuple(class_weights), gamma

    def of_pixels(self, truth, known, weight, logits):
        log = ops.log_softmax(logits, -1)
        mine = ops.one_hot(truth, logits.shape[-1])
        log_p = ops.sum(mine * log, -1)
        of_class = ops.sum(mine * ops.convert_to_tensor(self.class_weights, "float32"), -1) if self.class_weights else 1.0
        modulated = ops.power(ops.maximum(1 - ops.exp(log_p), TINY), self.gamma) if self.gamma else 1.0
        counts = of_class if isinstance(weight, float) else of_class + weight
        return ops.sum(-log_p * modulated * counts * known) / ops.maximum(ops.sum(known), 1.0)

    def get_config(self):
        return {**super().get_config(), "class_weights": self.class_weights, "gamma": self.gamma}


@keras.saving.register_keras_serializable(package="hubel")
class Overlap(PixelLoss):
    """1 less the mean of how well softmax p and mask g, 1 or 0, cover each other, over the classes that the batch's masks have.

    Args:
        of: "dice": 2 sum(p g) / (sum(p^2) + sum(g^2)), Milletari, Navab & Ahmadi 2016, "V-Net", 3DV, section 3; "jaccard":
            sum(p g) / sum(p + g - p g), Rahman & Wang 2016, "Optimizing intersection-over-union in deep neural networks for image
            segmentation", ISVC, equation 3. Sums are over all pixels of the batch.
    """

    def __init__(self, of: str, name="overlap", **kwargs):
        super().__init__(name=name, **kwargs)
        self.of = of

    def of_pixels(self, truth, known, weight, logits):
        known = known[..., None]
        ours, theirs = ops.softmax(logits, -1) * known, ops.one_hot(truth, logits.shape[-1]) * known
        both = ops.sum(ours * theirs, (0, 1, 2))
        if self.of == "dice":
            part, whole = 2 * both, ops.sum(ops.square(ours) + theirs, (0, 1, 2))
        else:
            part, whole = both, ops.sum(ours + theirs, (0, 1, 2)) - both
        there = ops.cast(ops.sum(theirs, (0, 1, 2)) > 0, "float32")
        return ops.sum(there * (1 - part / ops.maximum(whole, TINY))) / ops.maximum(ops.sum(there), 1.0)

    def get_config(self):
        return {**super().get_config(), "of": self.of}


def middle(values, sides):
    """[N, height, width, ...] -> the same of fewer rows and columns, as many off on both sides."""
    rows, columns = (
        slice((have - want) // 2, (have - want) // 2 + want) for have, want in zip(values.shape[1:3], sides, strict=True)
    )
    return values[:, rows, columns]

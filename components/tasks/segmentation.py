"""A class for each pixel: Long, Shelhamer & Darrell 2015, "Fully convolutional networks for semantic segmentation", CVPR.

A network whose output is smaller than its input answers for the middle of what it is given (Ronneberger, Fischer & Brox 2015,
MICCAI, figure 2). It is trained on that, and asked for the whole of an image part by part, what is beyond its edges mirrored.
"""

import itertools
from collections.abc import Sequence

import keras
import tensorflow as tf

from components import boundaries, keys, progress, targets
from components.tasks import base
from components.tasks.base import Signature
from components.trainer import pixel_weights
from configs.errors import UsageError
from configs.schema.train import LossConfig
from keras_models import normalize, transfer
from keras_models.pixel_losses import CrossEntropy, Overlap

MASKS, FRAMES = "masks", "frames"
FIGURES = "figures"  # the signature that is given the mask
INTERSECTION, UNION = "intersection", "union"  # px of each class: where mask and answer agree on it, and where either has it
TRUTH = "truth"  # px of each class that masks have
RIGHT, KNOWN = "right", "known"  # px: those answered right, of those that are of a class
BOUNDARY_F1, BOUNDARIES = "boundary_f1", "boundaries"  # 0 to 1; whether there are any, 0 or 1; see components.boundaries
VOID_MASKS, VOID_PIXELS = "void_masks", "void_pixels"  # shares
SHOWN = 5  # layers that a note names


class Task(base.Task):
    """Models map an image to K logits a pixel, float32 (batch, height, width, K), of its whole or of its middle; pixels of no class
    are not learned."""

    targets = (keys.MASK,)
    classes = 2
    losses = True

    loss: LossConfig = LossConfig()  # of the fit that is under way
    class_weights: Sequence[float] | None = None

    def fit(self, model, data, train, first_epoch, callbacks):
        self.loss, self.class_weights = train.loss or LossConfig(), None
        if self.loss.class_weights is not None:
            masks = (targets[keys.MASK].numpy() for _, targets in data.plain)
            self.class_weights = pixel_weights.of_classes(masks, len(data.info.class_names), self.loss.class_weights)
        super().fit(model, data, train, first_epoch, callbacks)

    def pair(self, pixels, targets):
        """With `train.loss.border`, float32 [N, height, width, 2]: what each pixel counts for stands behind its class."""
        mask, border = targets[keys.MASK], self.loss.border
        if border is None:
            return pixels, mask
        weights = tf.numpy_function(
            lambda values: pixel_weights.of_borders(values, border.weight, border.sigma), [mask], tf.float32
        )
        return pixels, tf.concat([tf.cast(mask, tf.float32), tf.ensure_shape(weights, mask.shape)], -1)

    def compile(self, model, make):
        if self.loss.name in ("dice", "jaccard"):
            loss = Overlap(self.loss.name)
        else:
            loss = CrossEntropy(self.class_weights, self.loss.gamma if self.loss.name == "focal" else 0.0)
        model.compile(make(), loss=loss)

    def start(self, model, earlier):
        """Layers of the same names in the two networks, such as an autoencoder's encoder or the convolutions of VGG-16."""
        net = normalize.inner(model)
        taken, left = transfer.take_over(net, normalize.inner(earlier))
        if not taken:
            raise UsageError(
                "model.initial has no layer of the name and size of one of this network's, so nothing can start from it.",
                "Start fcn and segnet from vgg16, encoder_decoder from conv_autoencoder of the same options, or a network from "
                "itself.",
            )
        new = f"; new are {', '.join(left[:SHOWN])}{', ...' if len(left) > SHOWN else ''}" if left else ""
        progress.emit("note", text=f"model.initial gives {len(taken)} of {len(taken) + len(left)} layers with weights{new}")
        return taken

    def signatures(self, model, card):
        def classes(pixels):
            return tf.argmax(logits(model, pixels), -1)

        def masks(pixels, frames):
            """With where each image lies in its mask, by which whoever shows it takes the bars of `resize: fit` away."""
            return {MASKS: classes(pixels)[..., None], FRAMES: frames}

        def figures(pixels, truth):
            return counts(classes(pixels), truth[..., 0], len(card.class_names))

        gives = {MASKS: "mask", FRAMES: "frame"}
        return {keys.SERVING_DEFAULT: Signature(masks, gives=gives, frame=True), FIGURES: Signature(figures, given=(keys.MASK,))}


def logits(model: keras.Model, pixels: tf.Tensor) -> tf.Tensor:
    """What a model answers for all of an image: float32 [N, height, width, K].

    Args:
        pixels: float32 [N, height, width, channels], of the model's input.
    """
    given, made = model.input_shape[1:3], model.output_shape[1:3]
    if given == made:
        return model(pixels, training=False)
    margins = [(whole - part) // 2 for whole, part in zip(given, made, strict=True)]
    around = tf.pad(pixels, [[0, 0], *([margin, margin] for margin in margins), [0, 0]], "REFLECT")
    rows, columns = (_starts(*sides) for sides in zip(given, made, strict=True))
    parts = [around[:, row : row + given[0], column : column + given[1]] for row, column in itertools.product(rows, columns)]
    answers = tf.split(model(tf.concat(parts, 0), training=False), len(parts))
    of_rows = [_joined(answers[at : at + len(columns)], columns, 2) for at in range(0, len(answers), len(columns))]
    return _joined(of_rows, rows, 1)


def _starts(whole: int, part: int) -> list[int]:
    """Where parts begin that cover a side, px; only the last one overlaps."""
    return [*range(0, whole - part, part), whole - part]


def _joined(parts: list[tf.Tensor], starts: list[int], axis: int) -> tf.Tensor:
    """Parts of an image along an axis, each without what the one before it has."""
    ends = [0, *(start + part.shape[axis] for start, part in zip(starts, parts, strict=True))]
    kept = [tf.split(part, [end - start, -1], axis)[1] for part, start, end in zip(parts, starts, ends, strict=False)]
    return tf.concat(kept, axis)


def counts(made: tf.Tensor, truth: tf.Tensor, classes: int) -> dict[str, tf.Tensor]:
    """What a confusion matrix of an image says, by which that of all images together is judged; pixels of no class are left out.

    Args:
        made, truth: int64 [N, height, width], places of classes; truth also targets.VOID.

    Returns:
        float32: INTERSECTION, UNION and TRUTH [N, classes], RIGHT and KNOWN [N, 1], px; BOUNDARY_F1 and
            BOUNDARIES [N, 1]; VOID_MASKS and VOID_PIXELS [N], 0 to 1.
    """
    known = tf.cast(truth != targets.VOID, tf.float32)
    ours, theirs = tf.one_hot(made, classes) * known[..., None], tf.one_hot(truth, classes)
    along, there = boundaries.f1(made, truth, classes)
    both, either = (tf.reduce_sum(part, [1, 2]) for part in (ours * theirs, tf.maximum(ours, theirs)))
    return {
        INTERSECTION: both,
        UNION: either,
        TRUTH: tf.reduce_sum(theirs, [1, 2]),
        RIGHT: tf.reduce_sum(both, -1, keepdims=True),
        KNOWN: tf.reduce_sum(known, [1, 2])[:, None],
        BOUNDARY_F1: along[:, None],
        BOUNDARIES: there[:, None],
        VOID_MASKS: 1 - tf.reduce_max(known, [1, 2]),
        VOID_PIXELS: 1 - tf.reduce_mean(known, [1, 2]),
    }

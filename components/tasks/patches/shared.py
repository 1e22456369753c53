"""What is far from the patches of normal images: what the detectors share, each a task in a file of this folder.

Models are another network's maps under a layer of keras_models.layers.patches. They say where an image is unlike those of training,
and components.tasks.anomaly, around them, which images are.
"""

import abc
from collections.abc import Iterator
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf
from scipy import ndimage

from components import progress
from components.tasks import base
from components.tasks.base import Signature
from components.tasks.reconstruction.names import ANOMALY_SCORE, FIGURES
from components.transform import placement
from keras_models import normalize, transfer

MEAN = "mean_distance"


class Patches(base.Task):
    """Models map an image to distances of its patches, float32 (batch, height, width, 1) of the first layer's maps; nothing is
    trained by gradient, and nothing augmented. Subclasses fill the head."""

    is_closed_form = True
    predicts = ANOMALY_SCORE
    anomaly_scores: ClassVar = ("feature_distance",)  # those of AnomalyConfig that it has

    def __init__(self):
        self._last = None

    @abc.abstractmethod
    def learn(self, head: keras.layers.Layer, features: Iterator[np.ndarray]) -> None:
        """Fill the head from float32 [N, height, width, channels], batch after batch of the training images."""

    @abc.abstractmethod
    def scored(self, head: keras.layers.Layer, maps: list[tf.Tensor], inside: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Distances of patches, float32 [N, height, width, 1], and the score of each image, float32 [N], or None where that is the
        largest value of the map.

        Args:
            inside: float32 [N, height, width] of patches, 1 where there is image.
        """

    def pair(self, pixels, targets):
        return pixels, pixels

    def compile(self, model, make):
        model.compile(loss="mean_absolute_error")  # Keras asks for one; `fit` minimises nothing

    def fit(self, model, data, train, first_epoch, callbacks):
        if first_epoch:
            return  # a killed run had finished this; its weights are restored
        head, under = head_of(model), _under(model)
        features = tf.function(lambda pixels: head.features(under(pixels)), reduce_retracing=True)
        progress.emit("note", text=f"patches of {data.info.train_images:,} images in the features of another network")
        self.learn(head, (features(pixels).numpy() for pixels, _ in data.plain))
        self.compile(model, lambda: None)
        answer = tf.function(lambda pixels: tf.reduce_mean(model(pixels, training=False), [1, 2, 3]), reduce_retracing=True)
        far = np.concatenate([answer(pixels).numpy() for pixels, _ in data.validation])
        events = keras.callbacks.CallbackList(callbacks, model=model, epochs=1, steps=data.steps)
        events.on_train_begin()
        events.on_epoch_begin(0)
        events.on_epoch_end(0, {"val_loss": float(far.mean())})
        events.on_train_end()

    def signatures(self, model, card):
        def anomaly_score(pixels, placed):
            return {ANOMALY_SCORE: self.distance(model, pixels, placed)}

        return {
            ANOMALY_SCORE: Signature(anomaly_score, gives={ANOMALY_SCORE: "anomaly_score"}, placement=True),
            FIGURES: Signature(self.figures(model, card)),
        }

    def figures(self, model: keras.Model, card):
        """Float32 pixels [N, height, width, channels] in 0..255 -> float32 [N] by name."""
        return lambda pixels: {MEAN: tf.reduce_mean(model(pixels, training=False), [1, 2, 3])}

    def strangeness(self, model: keras.Model, pixels: tf.Tensor, placed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The map, and where it is of the image, float32 [N, height, width, 1] each, of the size of the pixels: distances, enlarged
        bilinearly and filtered by a Gaussian."""
        smooth, inside, _ = self._answer(model, pixels, placed)
        return smooth, inside

    def drawn(self, distances: tf.Tensor, threshold: float) -> tf.Tensor:
        """The map as it is served, whose root is drawn (serving.answers.heat): twice the threshold is white."""
        return tf.square(tf.math.divide_no_nan(distances, 2 * threshold))

    def distance(self, model: keras.Model, pixels: tf.Tensor, placed: tf.Tensor) -> tf.Tensor:
        """The score, float32 [N]."""
        return self._answer(model, pixels, placed)[2]

    def _answer(self, model, pixels, placed):
        """Map, where it is, and score; asked twice about the same tensors, the network answers once."""
        key = (id(model), pixels.ref(), placed.ref())
        if self._last is None or self._last[0] != key:
            head = head_of(model)
            inside = placement.inside(placed, *pixels.shape[1:3])
            grid = head.output.shape[1:3]
            of_patches = tf.image.resize(inside, grid, "nearest")[..., 0]
            distances, scores = self.scored(head, _under(model)(pixels), of_patches)
            smooth = smoothed(tf.image.resize(distances, pixels.shape[1:3]), inside, head.smoothing)
            self._last = key, (smooth, inside, tf.reduce_max(smooth, [1, 2, 3]) if scores is None else scores)
        return self._last[1]


def head_of(model: keras.Model) -> keras.layers.Layer:
    """The layer that knows what patches of normal images are like."""
    return normalize.inner(model).get_layer(transfer.PATCHES)


def _under(model: keras.Model):
    """Pixels -> the maps that the head is given."""
    net = normalize.inner(model)
    cut = keras.Model(net.inputs[0], head_of(model).input)

    def maps(pixels):
        made = cut(model.get_layer("normalize")(pixels), training=False)
        return list(made) if isinstance(made, list | tuple) else [made]

    return maps


def smoothed(values: tf.Tensor, inside: tf.Tensor, deviation: float) -> tf.Tensor:
    """By a Gaussian, as scipy.ndimage.gaussian_filter does with its mirrored borders; of what lies inside the image alone, and 0
    elsewhere. float32 [N, height, width, 1] all."""
    if not deviation:
        return values * inside
    down, right = (ndimage.gaussian_filter1d(np.eye(side), deviation, axis=0).astype(np.float32) for side in values.shape[1:3])

    def blurred(what):
        return tf.einsum("hi,nijc,wj->nhwc", down, what, right)

    return tf.math.divide_no_nan(blurred(values * inside), blurred(inside)) * inside

"""Sparse codes under a dictionary: sparse coding and predictive sparse decomposition, judged by their objective, and by what codes
are predicted where they are.
"""

from collections.abc import Iterable

import keras
import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator import dictionary
from components.tasks.base import Comparison
from components.tasks.reconstruction import task as reconstruction
from components.tasks.reconstruction.task import mean_of, unit
from components.trainer import artifact
from configs.errors import UsageError
from keras_models import normalize
from keras_models.layers import OptimalCode, SparseInference

MARGIN = 0.05  # of the objective that scikit-learn's dictionary reaches
ACTIVE = 1e-3  # a number of a code that is larger than that, either way, counts; L1's others are 0


class Task(reconstruction.Task):
    """Models hold one SparseInference, whose dictionary is their decoder's.

    Figures are those of the optimal codes under the dictionary, `objective` and `active`, but mse, ssim and what is made of them,
    which are of what is served: where codes are predicted, of the prediction; `prediction` is its squared distance from the
    optimal codes.
    """

    metrics = {
        **reconstruction.Task.metrics,
        "objective": mean_of("objective", "less"),
        "active": mean_of("active", "less"),
        "prediction": mean_of("prediction", "less"),
    }
    compared = ("objective", "prediction")

    def fit(self, model, data, train, first_epoch, callbacks):
        """The mean image in closed form, then the gradient."""
        if not isinstance(model.get_layer("normalize"), keras.layers.Rescaling):
            raise UsageError("Sparse coding reconstructs what it is given, pixels / 255.", "Set transform.normalize: unit.")
        if not first_epoch:
            total = sum(tf.reduce_sum(pixels, 0) for pixels, _ in data.plain)
            _inference(model).dictionary.mean.assign(tf.reshape(total, [-1]) / (255.0 * data.facts.train_images))
        super().fit(model, data, train, first_epoch, callbacks)

    def figures(self, model, card):
        inference, of_images = _inference(model), super().figures(model, card)
        encoder, predicts = normalize.inner(model).get_layer("encoder"), isinstance(inference, OptimalCode)

        def figures(pixels):
            images = pixels / 255.0
            served = encoder(images, training=False)
            codes = inference.codes(images) if predicts else served
            found = of_images(pixels) | {
                "objective": inference.objective(images, codes),
                "active": tf.reduce_sum(tf.cast(tf.abs(codes) > ACTIVE, tf.float32), -1),
            }
            return found | ({"prediction": tf.reduce_sum(tf.square(codes - served), -1)} if predicts else {})

        return figures

    def compare(self, model, card, images):
        ours = _inference(artifact.load(str(model.parent)))
        learned = dictionary.fit(unit(images(keys.TRAIN)), ours.dictionary.atoms, ours.penalty)
        each = learned.objectives(unit(images(keys.TEST)), ours.penalty, ours.sparsity, ours.scale)
        words = f"scikit-learn's dictionary learning with {ours.dictionary.atoms} atoms and the same penalty"
        value = float(each.mean())
        found = [Comparison("objective", value, words, "dictionary_objective", margin=MARGIN, each={"objective": each})]
        if isinstance(ours, OptimalCode):
            words = "predicting for each image the same, the mean of the test images' optimal codes"
            found.append(Comparison("prediction", _spread(ours, unit(images(keys.TEST))), words, "mean_code_prediction"))
        return found


def _inference(model: keras.Model) -> SparseInference:
    return next(layer for layer in model._flatten_layers() if isinstance(layer, SparseInference))


def _spread(inference: SparseInference, batches: Iterable[np.ndarray]) -> float:
    """Mean squared distance of images' optimal codes from the mean code: what the best prediction without an image is off by."""
    optimal, count, total, squares = tf.function(inference.codes, reduce_retracing=True), 0, 0.0, 0.0
    for images in batches:
        codes = optimal(tf.constant(images, tf.float32)).numpy().astype(np.float64)
        count, total, squares = count + len(codes), total + codes.sum(0), squares + np.square(codes).sum()
    return float(squares / count - np.square(total / count).sum())

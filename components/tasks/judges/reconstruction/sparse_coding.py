"""Sparse codes, judged by their objective, and by what codes are predicted where they are."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
from scipy import sparse

from components import keys
from components.evaluator import dictionary
from components.tasks.judges.base import Comparison
from components.tasks.judges.reconstruction.judge import Judge as OfAutoencoders
from components.tasks.judges.reconstruction.metrics import mean_of
from components.tasks.reconstruction.pixels import unit
from components.tasks.reconstruction.sparse_coding import inference_of
from components.trainer import artifact
from keras_models.layers.sparse_inference import OptimalCode, SparseInference

MARGIN = 0.05  # of the objective that scikit-learn's dictionary reaches


class Judge(OfAutoencoders):
    """Against scikit-learn's dictionary learning, and predictions against the mean code."""

    metrics = {
        **OfAutoencoders.metrics,
        "objective": mean_of("objective", "less"),
        "active": mean_of("active", "less"),
        "prediction": mean_of("prediction", "less"),
    }
    compared = ("objective", "prediction")

    def compare(self, model, card, images):
        ours = inference_of(artifact.load(str(model.parent)))
        learned = dictionary.fit(unit(images(keys.TRAIN)), ours.dictionary.atoms, ours.penalty)
        each = learned.objectives(unit(images(keys.TEST)), ours.penalty, ours.sparsity, ours.scale)
        words = f"scikit-learn's dictionary learning with {ours.dictionary.atoms} atoms and the same penalty"
        value = float(each.mean())
        comparisons = [Comparison("objective", value, words, "dictionary_objective", margin=MARGIN, each={"objective": each})]
        if isinstance(ours, OptimalCode):
            words = "predicting for each image the same, the mean of the test images' optimal codes"
            apart = _from_mean(ours, unit(images(keys.TEST)))
            comparisons.append(
                Comparison("prediction", float(apart.mean()), words, "mean_code_prediction", each={"prediction": apart})
            )
        return comparisons


def _from_mean(inference: SparseInference, batches: Iterable[np.ndarray]) -> np.ndarray:
    """Squared distance of each image's optimal code from the mean of all: what the best prediction without an image is off by,
    float64 [N]. That the mean is of the same images changes the interval of their mean by a term of order 1/N alone: it is where
    the sum of the distances is least."""
    optimal, parts = tf.function(inference.codes, reduce_retracing=True), []
    for images in batches:
        parts.append(sparse.csr_array(optimal(tf.constant(images, tf.float32)).numpy().astype(np.float64)))  # most are 0
    codes = sparse.vstack(parts)
    mean = np.asarray(codes.mean(0)).ravel()
    return np.asarray(codes.multiply(codes).sum(1)).ravel() - 2 * (codes @ mean) + mean @ mean

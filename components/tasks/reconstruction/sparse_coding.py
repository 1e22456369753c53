"""Sparse codes under a dictionary: sparse coding and predictive sparse decomposition."""

import keras
import tensorflow as tf

from components.tasks.reconstruction.task import Task as Autoencoder
from configs.errors import UsageError
from keras_models import compat, normalize
from keras_models.layers.sparse_inference import OptimalCode, SparseInference

ACTIVE = 1e-3  # a number of a code that is larger than that, either way, counts; L1's others are 0


class Task(Autoencoder):
    """Models hold one SparseInference, whose dictionary is their decoder's.

    Figures are those of the optimal codes under the dictionary, `objective` and `active`, but mse, ssim and what is made of them,
    which are of what is served: where codes are predicted, of the prediction; `prediction` is its squared distance from the
    optimal codes.
    """

    against_active = False

    def check_config(self, normalize, augmented):
        if normalize != "unit":
            raise UsageError("Sparse coding reconstructs what it is given, pixels / 255.", "Set transform.normalize: unit.")

    def fit(self, model, data, train, first_epoch, callbacks):
        """The mean image in closed form, then the gradient."""
        if not first_epoch:
            total = sum(tf.reduce_sum(pixels, 0) for pixels, _ in data.plain)
            inference_of(model).dictionary.mean.assign(tf.reshape(total, [-1]) / (255.0 * data.info.train_images))
        super().fit(model, data, train, first_epoch, callbacks)

    def figures(self, model, card):
        inference, of_images = inference_of(model), super().figures(model, card)
        encoder, predicts = normalize.inner(model).get_layer("encoder"), isinstance(inference, OptimalCode)

        def figures(pixels):
            images = pixels / 255.0
            served = encoder(images, training=False)
            codes = inference.codes(images) if predicts else served
            figures = of_images(pixels) | {
                "objective": inference.objective(images, codes),
                "active": tf.reduce_sum(tf.cast(tf.abs(codes) > ACTIVE, tf.float32), -1),
            }
            return figures | ({"prediction": tf.reduce_sum(tf.square(codes - served), -1)} if predicts else {})

        return figures


def inference_of(model: keras.Model) -> SparseInference:
    """Its layer that finds codes."""
    return next(layer for layer in compat.layers_of(model) if isinstance(layer, SparseInference))

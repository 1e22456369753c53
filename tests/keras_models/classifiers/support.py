"""What tests of large classifiers share: the published size without its weights, and a few steps of a small one."""

import keras
import numpy as np

from keras_models import build
from keras_models.parameters import total_params, without_weights


def published(name, **options):
    """The model with its default sizes; its weights have shapes but no values."""
    with without_weights():
        return build(name, {}, options)


def params(builder, **options):
    """Trainable parameters of what a builder makes, counted without values for them, which take the time."""
    with without_weights():
        return total_params(builder(**options))


def losses(model, steps=12):
    """Loss of 16 images, 8 brighter on the left and 8 on the right, before training and after."""
    keras.utils.set_random_seed(0)
    labels = np.arange(16) % 2
    x = np.random.default_rng(0).normal(0, 0.3, (16, *model.input_shape[1:])).astype("float32")
    half = x.shape[2] // 2
    x[labels == 0, :, :half] += 1
    x[labels == 1, :, half:] += 1
    model.compile(keras.optimizers.Adam(3e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    before = model.test_on_batch(x, labels, return_dict=True)["loss"]
    for _ in range(steps):
        model.train_on_batch(x, labels)
    return float(before), float(model.test_on_batch(x, labels, return_dict=True)["loss"])

"""The image itself, through a narrow code: autoencoders, judged without labels against PCA of the same code size."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator import pca
from components.tasks import base
from components.tasks.base import Comparison, Metric, Signature
from keras_models import normalize

ENCODE, RECONSTRUCT, DECODE, ANOMALY_SCORE = "encode", "reconstruct", "decode", "anomaly_score"


class Task(base.Task):
    """Models map an image to an image in [0, 1] and have sub-models `encoder` and `decoder`; loss is the mean squared error."""

    signature = ANOMALY_SCORE
    metrics = {
        "mse": Metric("MeanOfOutput", "less", module="components.evaluator.metrics", config={"output": ANOMALY_SCORE}),
        "psnr": Metric("MeanPsnr", "more", module="components.evaluator.metrics", config={"output": ANOMALY_SCORE}),
    }

    def pair(self, pixels, targets):
        return pixels, targets.get(keys.CLEAN, pixels) / 255.0

    def compile(self, model, chosen):
        model.compile(chosen, loss="mean_squared_error")

    def signatures(self, model, card):
        normalized, net = model.get_layer("normalize"), normalize.inner(model)
        encoder, decoder = net.get_layer("encoder"), net.get_layer("decoder")

        def encode(pixels):
            return {"codes": encoder(normalized(pixels), training=False)}

        def reconstruct(pixels):
            return {"images": 255.0 * model(pixels, training=False)}

        def decode(codes):
            return {"images": 255.0 * decoder(codes, training=False)}

        def anomaly_score(pixels):
            error = tf.square(model(pixels, training=False) - pixels / 255.0)
            return {"anomaly_score": tf.reduce_mean(error, axis=[1, 2, 3])}

        return {
            RECONSTRUCT: Signature(reconstruct),
            ENCODE: Signature(encode),
            DECODE: Signature(decode, takes="codes", code_size=encoder.output_shape[-1]),
            ANOMALY_SCORE: Signature(anomaly_score),
        }

    def compare(self, model, card, images):
        code_size = _code_size(model)
        principal = pca.fit(_unit(images("train")), code_size)
        error = principal.mean_squared_error(_unit(images("test")))
        return [Comparison("mse", error, f"PCA with the same code size of {code_size}, fitted on the training split")]


def _unit(batches: tf.data.Dataset) -> Iterator[np.ndarray]:
    """Pixels in [0, 1]."""
    for pixels, _ in batches.as_numpy_iterator():
        yield pixels / 255.0


def _code_size(model) -> int:
    """Numbers in one code, read from the `encode` signature of a SavedModel."""
    loaded = tf.saved_model.load(str(model))
    return loaded.signatures[ENCODE].structured_outputs["codes"].shape[-1]

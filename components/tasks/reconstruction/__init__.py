"""The image itself, through a narrow code: autoencoders, judged without labels against PCA of the same code size.

The other files of this folder are families of autoencoders that learn, or are judged, by something else.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator import pca
from components.tasks import base
from components.tasks.base import Comparison, Metric, Signature
from components.trainer.card import Card
from keras_models import normalize
from keras_models.layers import pixel_loss

WINDOW = 11  # px
ENCODE, RECONSTRUCT, DECODE, ANOMALY_SCORE, FIGURES = "encode", "reconstruct", "decode", "anomaly_score", "figures"


def mean_of(output: str, better: Literal["more", "less"]) -> Metric:
    """The mean over images of what the signature `figures` says of each; not there where it says nothing."""
    return Metric("MeanOfOutput", better, module="components.evaluator.metrics", config={"output": output})


class Task(base.Task):
    """Models map an image to an image in [0, 1] and have sub-models `encoder` and `decoder`.

    Loss is that of the model's PixelLoss, summed over pixels, or, where it has none, the mean squared error.
    """

    signature = FIGURES
    metrics = {
        "mse": mean_of("mse", "less"),
        "psnr": Metric("MeanPsnr", "more", module="components.evaluator.metrics", config={"output": "mse"}),
        "ssim": mean_of("ssim", "more"),
    }

    def pair(self, pixels, targets):
        return pixels, targets.get(keys.CLEAN, pixels) / 255.0

    def compile(self, model, chosen):
        net = normalize.inner(model)
        has_loss = any(layer.name == pixel_loss.NAME for layer in net.layers)
        model.compile(chosen, loss=net.get_layer(pixel_loss.NAME).of if has_loss else "mean_squared_error")

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
            return {"anomaly_score": mean_squared_error(pixels / 255.0, model(pixels, training=False))}

        return {
            RECONSTRUCT: Signature(reconstruct),
            ENCODE: Signature(encode),
            DECODE: Signature(decode, takes="codes", code_size=decoder.input_shape[-1]),
            ANOMALY_SCORE: Signature(anomaly_score),
            FIGURES: Signature(self.figures(model, card)),
        }

    def figures(self, model: keras.Model, card: Card) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
        """What `metrics` are made of: float32 pixels [N, height, width, channels] in 0..255 -> float32 [N] by name."""

        def figures(pixels):
            images, given = pixels / 255.0, model(pixels, training=False)
            return {"mse": mean_squared_error(images, given), "ssim": ssim(images, given)}

        return figures

    def compare(self, model, card, images):
        code_size = size_of_code(model)
        principal = pca.fit(unit(images("train")), code_size)
        error = principal.mean_squared_error(unit(images("test")))
        return [Comparison("mse", error, f"PCA with the same code size of {code_size}, fitted on the training split", "pca_mse")]


def mean_squared_error(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """[N], over all values of an image."""
    return tf.reduce_mean(tf.square(images - given), axis=[1, 2, 3])


def ssim(images: tf.Tensor, given: tf.Tensor) -> tf.Tensor:
    """[N], of values in 0..1: Wang et al. 2004, section III-B; its Gaussian window of 11 px, or the largest odd one that fits."""
    side = min(WINDOW, *images.shape[1:3])
    return tf.image.ssim(images, given, max_val=1.0, filter_size=side - (side + 1) % 2)


def unit(batches: tf.data.Dataset) -> Iterator[np.ndarray]:
    """Pixels in [0, 1]."""
    for pixels, _ in batches.as_numpy_iterator():
        yield pixels / 255.0


def size_of_code(model) -> int:
    """Numbers in one code, read from the `encode` signature of a SavedModel."""
    loaded = tf.saved_model.load(str(model))
    return loaded.signatures[ENCODE].structured_outputs["codes"].shape[-1]

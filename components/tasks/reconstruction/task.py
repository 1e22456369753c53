"""The image itself, through a code: autoencoders. The other tasks of this folder are families that learn something else."""

import math
from collections.abc import Callable, Collection
from typing import ClassVar

import keras
import tensorflow as tf

from components import inpainting, keys, pooling
from components.tasks import base
from components.tasks.base import Signature
from components.tasks.reconstruction.figures import active, of_images
from components.tasks.reconstruction.names import ACTIVE, ANOMALY_SCORE, DECODE, ENCODE, FIGURES, IMAGES, INPAINT, RECONSTRUCT
from components.tasks.reconstruction.pixels import error_map
from components.trainer.card import Card
from keras_models import auxiliary, normalize
from keras_models.layers import pixel_loss

MSE = "mse"  # of an epoch, whatever its loss is: over pixels in 0..1


class Task(base.Task):
    """Models map an image to an image in [0, 1] and have sub-models `encoder` and `decoder`.

    Loss is that of the model's PixelLoss, summed over pixels, or, where it has none, the mean squared error.
    """

    cleans = True
    better = {**base.Task.better, MSE: "min"}
    predicts = ANOMALY_SCORE
    anomaly_scores: ClassVar[Collection[str]] = ("reconstruction_error", "latent_distance")  # those of AnomalyConfig that it has
    against_active: ClassVar[bool] = True  # whether PCA of as many components as units are active judges an overcomplete model

    def doubts(self, model):
        limits = [getattr(layer, "limits_code", False) for layer in normalize.inner(model).get_layer("encoder").layers]
        if auxiliary.terms(model) or any(limits) or not self.against_active:
            return []
        return of_no_narrower(
            model,
            "so it is held against PCA of as many components as units are active; unless few are, which takes a penalty, that "
            "leaves no error, and the model is not blessed; lower model.options.code_size, or take a sparse model",
        )

    def pair(self, pixels, targets):
        return pixels, targets.get(keys.CLEAN, pixels) / 255.0

    def compile(self, model, make):
        net = normalize.inner(model)
        has_loss = any(layer.name == pixel_loss.NAME for layer in net.layers)
        loss = net.get_layer(pixel_loss.NAME).of if has_loss else "mean_squared_error"
        plain = type(model).train_step is keras.Model.train_step  # a learner of one's own has figures of its own
        model.compile(make(), loss=loss, **({"metrics": [keras.metrics.MeanSquaredError(MSE)]} if plain else {}))

    def signatures(self, model, card):
        decoder = normalize.inner(model).get_layer("decoder")

        def encode(pixels):
            return {"codes": self.codes(model, pixels)}

        def reconstruct(pixels):
            return {"images": 255.0 * model(pixels, training=False)}

        def decode(codes):
            return {"images": 255.0 * decoder(codes, training=False)}

        def anomaly_score(pixels, placed):
            return {"anomaly_score": pooling.mean(*error_map(model, pixels, placed))}

        return {
            RECONSTRUCT: Signature(reconstruct, gives=IMAGES),
            ENCODE: Signature(encode, gives={"codes": "code"}),
            DECODE: Signature(decode, gives=IMAGES, takes="code", code_size=decoder.input_shape[-1]),
            ANOMALY_SCORE: Signature(anomaly_score, gives={ANOMALY_SCORE: "anomaly_score"}, placement=True),
            FIGURES: Signature(self.figures(model, card)),
            INPAINT: inpainting.signature(model, card),
        }

    def strangeness(self, model: keras.Model, pixels: tf.Tensor, placed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Where an image is unlike those of training, for components.tasks.anomaly: see pixels.error_map."""
        return error_map(model, pixels, placed)

    def drawn(self, errors: tf.Tensor, threshold: float) -> tf.Tensor:
        """The map as it is served, see serving.answers.heat."""
        return errors

    def codes(self, model: keras.Model, pixels: tf.Tensor) -> tf.Tensor:
        """float32 [N, k] of float32 pixels [N, height, width, channels] in 0..255, as they are served."""
        return normalize.inner(model).get_layer("encoder")(model.get_layer("normalize")(pixels), training=False)

    def figures(self, model: keras.Model, card: Card) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
        """What the metrics are made of: float32 pixels [N, height, width, channels] in 0..255 -> float32 [N] by name."""

        def figures(pixels):
            codes = self.codes(model, pixels)
            figures = of_images(pixels / 255.0, model(pixels, training=False), codes)
            return {**figures, ACTIVE: active(codes)} if codes.shape[-1] >= math.prod(model.input_shape[1:]) else figures

        return figures


def of_no_narrower(model: keras.Model, words: str) -> list[str]:
    """The sentence on a model whose code is no narrower than the image, which `words` end; none on another. See Task.doubts."""
    encoder = normalize.inner(model).get_layer("encoder")
    code, values = encoder.output_shape[-1], math.prod(encoder.input_shape[1:])
    return [f"the code of {code:,} numbers is no narrower than the image of {values:,}, {words}"] if code >= values else []

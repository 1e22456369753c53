"""The image itself, through a code: autoencoders, judged without labels against PCA of the same code size, or, where the code is no
narrower than the image, of as many components as units are active.

The other files of this folder are families of autoencoders that learn, or are judged, by something else.
"""

import functools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Literal

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from components import inpainting, keys, pooling, progress
from components.evaluator import kernel_pca, label_free, probes
from components.evaluator.intervals import Figure, of_mean
from components.evaluator.statistic import Decibels, Mean
from components.tasks import base
from components.tasks.base import Comparison, Metric, Signature
from components.tasks.reconstruction import pca
from components.tasks.reconstruction.figures import active, of_images
from components.trainer.card import Card
from components.transform import placement
from keras_models import auxiliary, normalize
from keras_models.layers import pixel_loss

ENCODE, RECONSTRUCT, DECODE, ANOMALY_SCORE, FIGURES = "encode", "reconstruct", "decode", "anomaly_score", "figures"
INPAINT = "inpaint"
ACTIVE = "active"


def mean_of(output: str, better: Literal["more", "less"]) -> Metric:
    """The mean over images of what the signature `figures` says of each; not there where it says nothing."""
    return Metric("MeanOfOutput", better, module="components.evaluator.metrics", config={"output": output}, statistic=Mean(output))


def psnr_of(output: str) -> Metric:
    """The mean over images of the peak signal-to-noise ratio of an output that is a squared error."""
    statistic = Decibels(output)
    return Metric("MeanPsnr", "more", module="components.evaluator.metrics", config={"output": output}, statistic=statistic)


class Task(base.Task):
    """Models map an image to an image in [0, 1] and have sub-models `encoder` and `decoder`.

    Loss is that of the model's PixelLoss, summed over pixels, or, where it has none, the mean squared error.
    """

    signature = FIGURES
    metrics = {
        "mse": mean_of("mse", "less"),
        "psnr": psnr_of("mse"),
        "ssim": mean_of("ssim", "more"),
        "ms_ssim": mean_of("ms_ssim", "more"),
        "sparsity": mean_of("sparsity", "more"),
        ACTIVE: mean_of(ACTIVE, "less"),
    }
    compared = ("mse",)
    measured = dict.fromkeys(probes.FIGURES, "more")
    cleans = True
    has_kernel_pca: ClassVar[bool] = True  # whether it stands beside the model; of no use to a linear one

    def doubts(self, model):
        is_judged_here = type(self).compare is Task.compare  # some families are not by their active units
        limits = [getattr(layer, "limits_code", False) for layer in normalize.inner(model).get_layer("encoder").layers]
        if auxiliary.terms(model) or any(limits) or not is_judged_here:
            return []
        return of_no_narrower(
            model,
            "so it is held against PCA of as many components as units are active; unless few are, which takes a penalty, that "
            "leaves no error, and the model is not blessed; lower model.options.code_size, or take a sparse model",
        )

    def pair(self, pixels, targets):
        return pixels, targets.get(keys.CLEAN, pixels) / 255.0

    def compile(self, model, chosen):
        net = normalize.inner(model)
        has_loss = any(layer.name == pixel_loss.NAME for layer in net.layers)
        model.compile(chosen, loss=net.get_layer(pixel_loss.NAME).of if has_loss else "mean_squared_error")

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
            RECONSTRUCT: Signature(reconstruct),
            ENCODE: Signature(encode),
            DECODE: Signature(decode, takes="codes", code_size=decoder.input_shape[-1]),
            ANOMALY_SCORE: Signature(anomaly_score, placement=True),
            FIGURES: Signature(self.figures(model, card)),
            INPAINT: inpainting.signature(model, card),
        }

    def codes(self, model: keras.Model, pixels: tf.Tensor) -> tf.Tensor:
        """float32 [N, k] of float32 pixels [N, height, width, channels] in 0..255, as they are served."""
        return normalize.inner(model).get_layer("encoder")(model.get_layer("normalize")(pixels), training=False)

    def figures(self, model: keras.Model, card: Card) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
        """What `metrics` are made of: float32 pixels [N, height, width, channels] in 0..255 -> float32 [N] by name."""

        def figures(pixels):
            codes = self.codes(model, pixels)
            found = of_images(pixels / 255.0, model(pixels, training=False), codes)
            return {**found, ACTIVE: active(codes)} if codes.shape[-1] >= math.prod(model.input_shape[1:]) else found

        return figures

    def pairs(self, card: Card, batches: tf.data.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Images, and what the model is given in their place: pixels / 255, [N, height, width, channels] each."""
        for batch in unit(batches):
            yield batch, batch

    def compare(self, model, card, images):
        is_overcomplete = size_of_code(model) >= math.prod(card.input_shape)
        return [(beside_active if is_overcomplete else beside_principal)(model, images)]

    def measure(self, model, card, images):
        """PCA's figures beside the model's, of the same inputs, and what its codes know of classes; docs/evaluation.md has the
        table."""
        code_size = size_of_code(model)
        exact = principal(images, code_size)
        encode = tf.saved_model.load(str(model)).signatures[f"{ENCODE}_{keys.PIXELS}"]
        found = label_free.means(label_free.of_principal(exact, self.pairs(card, images(keys.TEST))))
        progress.emit("note", text="judging codes by probes and clusters")
        found |= label_free.of_codes(lambda pixels: encode(pixels=tf.constant(pixels))["codes"].numpy(), exact, images)
        fitted = None
        if self.has_kernel_pca:
            progress.emit("note", text=f"fitting kernel PCA of {code_size:,} components")
            fitted = kernel_pca.fit(unit(images(keys.TRAIN)), code_size)
        if fitted:
            found["kernel_pca_mse"] = fitted.mean_squared_error(self.pairs(card, images(keys.TEST)))
        return found

    def measure_labels(self, model, card, images):
        """PCA's figures: a further pass over the test split."""
        each = label_free.of_principal(principal(images, size_of_code(model)), self.pairs(card, images(keys.TEST)))
        labels = np.concatenate([targets[keys.LABEL] for _, targets in images(keys.TEST).as_numpy_iterator()])
        return {int(label): label_free.means(each, labels == label) for label in np.unique(labels) if label >= 0}


def of_no_narrower(model: keras.Model, words: str) -> list[str]:
    """The sentence on a model whose code is no narrower than the image, which `words` end; none on another. See Task.doubts."""
    encoder = normalize.inner(model).get_layer("encoder")
    code, values = encoder.output_shape[-1], math.prod(encoder.input_shape[1:])
    return [f"the code of {code:,} numbers is no narrower than the image of {values:,}, {words}"] if code >= values else []


def beside_principal(model: Path, images: Callable[[str], tf.data.Dataset]) -> Comparison:
    """With PCA of the same code size. Arguments as of Task.compare."""
    code_size = size_of_code(model)
    exact = principal(images, code_size)
    words = f"{exact.name} with the same code size of {code_size}, fitted on the training split"
    return _beside(exact, images, words, "pca_mse")


def beside_active(model: Path, images: Callable[[str], tf.data.Dataset]) -> Comparison:
    """With PCA of as many components as units of the code are active, of which the signature `figures` has to speak."""
    components = max(1, round(mean_figure(model, images, ACTIVE)))
    exact = principal(images, components)
    words = f"{exact.name} of {components}, the number of units that are active in a test image, fitted on the training split"
    return _beside(exact, images, words, "active_pca_mse")


def _beside(exact: pca.Principal, images: Callable[[str], tf.data.Dataset], words: str, name: str) -> Comparison:
    errors = np.concatenate([exact.errors(batch) for batch in unit(images(keys.TEST))])
    return Comparison("mse", float(errors.mean()), words, name, each={"mse": errors})


def error_map(model: keras.Model, pixels: tf.Tensor, placed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Squared errors of pixels in [0, 1], the mean over channels, and where they are of the image: 1, and 0 in the bars beside it.

    Args:
        pixels: float32 [N, height, width, channels] in 0..255. placed: int32 [N, 4], as of components.transform.placement.

    Returns:
        float32 [N, height, width, 1] each.
    """
    errors = tf.reduce_mean(tf.square(pixels / 255.0 - model(pixels, training=False)), axis=3, keepdims=True)
    return errors, placement.inside(placed, *pixels.shape[1:3])


def mean_figure(model: Path, images: Callable[[str], tf.data.Dataset], name: str) -> Figure:
    """Of the test split."""
    answer = tf.saved_model.load(str(model)).signatures[f"{FIGURES}_{keys.PIXELS}"]
    return of_mean(np.concatenate([answer(pixels=pixels)[name] for pixels, _ in images(keys.TEST)]))


@functools.lru_cache(maxsize=2)
def principal(images: Callable[[str], tf.data.Dataset], code_size: int) -> pca.Principal:
    """PCA of the training split, in [0, 1]: one pass over it, whoever asks again. `images` as in Task.compare."""
    return pca.fit(unit(images(keys.TRAIN)), code_size)


def size_of_code(model: Path) -> int:
    """Numbers in one code, as the `encode` signature of a SavedModel says; the model is not loaded."""
    written = saved_model_pb2.SavedModel.FromString((model / "saved_model.pb").read_bytes())
    outputs = written.meta_graphs[0].signature_def[ENCODE].outputs
    return outputs["codes"].tensor_shape.dim[-1].size


def unit(batches: tf.data.Dataset) -> Iterator[np.ndarray]:
    """Pixels in [0, 1]."""
    for pixels, _ in batches.as_numpy_iterator():
        yield pixels / 255.0

"""Autoencoders, judged without labels against PCA of the same code size, or, where the code is no narrower than the image, of as
many components as units are active."""

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import tensorflow as tf

from components import keys, progress
from components.evaluator import kernel_pca, label_free, probes
from components.tasks.judges import base
from components.tasks.judges.reconstruction.metrics import mean_of, psnr_of
from components.tasks.judges.reconstruction.principal import beside_active, beside_principal, principal, size_of_code
from components.tasks.reconstruction.figures import of_pairs
from components.tasks.reconstruction.names import ACTIVE, ENCODE, FIGURES, RECONSTRUCT
from components.tasks.reconstruction.pixels import unit
from components.trainer.card import Card


class Judge(base.Judge):
    """Reads the signature `figures`: means over images of what it says of each."""

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
    may_lose = {"psnr": 0.5}  # dB: an eighth more squared error
    converted = ("mse", "psnr", "ssim", "ms_ssim")
    measured = dict.fromkeys(probes.FIGURES, "more")
    remade = RECONSTRUCT
    has_code: ClassVar[bool] = True
    has_kernel_pca: ClassVar[bool] = True  # whether it stands beside the model; of no use to a linear one

    def answered(self, outputs, pixels, labels):
        figures = of_pairs(tf.constant(pixels / 255.0), tf.constant(outputs["images"] / 255.0))
        return {name: values.numpy() for name, values in figures.items()}

    def pairs(self, card: Card, batches: tf.data.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Images, and what the model is given in their place: pixels / 255, [N, height, width, channels] each."""
        for batch in unit(batches):
            yield batch, batch

    def components(self, model, card) -> int:
        """Of the PCA whose error the scores of a detector are held against."""
        return size_of_code(model)

    def compare(self, model, card, images):
        is_overcomplete = size_of_code(model) >= math.prod(card.input_shape)
        return [(beside_active if is_overcomplete else beside_principal)(model, images)]

    def measure(self, model, card, images):
        """PCA's figures beside the model's, of the same inputs, and what its codes know of classes; docs/evaluation.md has the
        table."""
        code_size = size_of_code(model)
        exact = principal(images, code_size)
        encode = tf.saved_model.load(str(model)).signatures[f"{ENCODE}_{keys.PIXELS}"]
        figures = label_free.means(label_free.of_principal(exact, self.pairs(card, images(keys.TEST))))
        progress.emit("note", text="judging codes by probes and clusters")
        figures |= label_free.of_codes(lambda pixels: encode(pixels=tf.constant(pixels))["codes"].numpy(), exact, images)
        fitted = None
        if self.has_kernel_pca:
            progress.emit("note", text=f"fitting kernel PCA of {code_size:,} components")
            fitted = kernel_pca.fit(unit(images(keys.TRAIN)), code_size)
        if fitted:
            figures["kernel_pca_mse"] = fitted.mean_squared_error(self.pairs(card, images(keys.TEST)))
        return figures

    def measure_labels(self, model, card, images):
        """PCA's figures: a further pass over the test split."""
        each = label_free.of_principal(principal(images, size_of_code(model)), self.pairs(card, images(keys.TEST)))
        labels = np.concatenate([targets[keys.LABEL] for _, targets in images(keys.TEST).as_numpy_iterator()])
        return {int(label): label_free.means(each, labels == label) for label in np.unique(labels) if label >= 0}

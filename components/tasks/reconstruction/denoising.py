"""The image without the noise that was put on it: judged by what is left of the noise.

Images of the validation and test split get the noise of the config's augmentation with draws that are constants of the graph; see
components/transform/augment/constant.py.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator.psnr import decibels
from components.tasks.base import Comparison, Signature
from components.tasks.reconstruction import task as reconstruction
from components.tasks.reconstruction.figures import mean_squared_error, of_images
from components.trainer.card import Card
from components.transform.augment import constant
from configs.errors import UsageError
from configs.schema.augment import AugmentStep

DENOISE, SCORE = "denoise", "score"
NOISE = "noise"  # on the card, among what is calibrated
NOISY_ERROR = "mse_noisy"


class Task(reconstruction.Task):
    """Models and loss as of reconstruction; the target is the image without noise."""

    metrics = {
        **reconstruction.Task.metrics,
        "psnr_noisy": reconstruction.psnr_of(NOISY_ERROR),
    }

    compared = ("psnr",)

    def check(self, facts):
        if not facts.noise:
            raise UsageError(
                "A denoising autoencoder learns to take noise away, and this config puts none on.",
                "Add gaussian_noise: {stddev: 0.2}, salt_and_pepper: {share: 0.2} or mask: {share: 0.3} to augment.",
            )

    def fit(self, model, data, train, first_epoch, callbacks):
        """As by default, but that the best epoch is the one that denoises the validation split best."""
        noisy = constant.noise(data.facts.noise, data.facts.input_shape)
        validation = data.validation.map(lambda pixels, targets: (noisy(pixels), {**targets, keys.CLEAN: pixels}))
        super().fit(model, dataclasses.replace(data, validation=validation), train, first_epoch, callbacks)

    def calibrate(self, model, data, card):
        """The noise, for the card."""
        return {NOISE: [step.model_dump() for step in data.facts.noise]}

    def signatures(self, model, card):
        found = super().signatures(model, card)
        found[DENOISE] = found[reconstruction.RECONSTRUCT]
        stddev = _gaussian(card)
        if stddev:
            found[SCORE] = Signature(lambda pixels: {"score": score(pixels / 255.0, model(pixels, training=False), stddev)})
        return found

    def figures(self, model, card):
        noisy = _noise(card)

        def figures(pixels):
            images, seen = pixels / 255.0, noisy(pixels)
            found = of_images(images, model(seen, training=False), self.codes(model, seen))
            return {**found, NOISY_ERROR: mean_squared_error(images, seen / 255.0)}

        return figures

    def pairs(self, card, batches):
        """With noise is what the model is given, and PCA beside it."""
        noisy = _noise(card)
        for pixels, _ in batches:
            yield (pixels / 255.0).numpy(), (noisy(pixels) / 255.0).numpy()

    def compare(self, model, card, images):
        code_size = reconstruction.size_of_code(model)
        principal = reconstruction.principal(images, code_size)
        untouched, projected = [], []
        for pair in self.pairs(card, images(keys.TEST)):
            clean, seen = (batch.reshape(len(batch), -1) for batch in pair)
            for found, given in ((untouched, seen), (projected, principal.images(principal.codes(seen)))):
                found.append(np.mean(np.square(clean - given), axis=1))
        how = f"{principal.name} of the noisy images with the same code size of {code_size}, fitted on the training split"
        untouched, projected = np.concatenate(untouched), np.concatenate(projected)
        return [
            Comparison("psnr", float(decibels(untouched).mean()), "the noisy images as they are", each={"mse": untouched}),
            Comparison("psnr", float(decibels(projected).mean()), how, "pca_psnr", each={"mse": projected}),
        ]


def score(images: tf.Tensor, given: tf.Tensor, stddev: float) -> tf.Tensor:
    """(g(f(x)) - x) / sigma^2, an estimate of d log p(x) / d x.

    Alain & Bengio 2014, "What regularized auto-encoders learn from the data-generating distribution", JMLR 15, theorem 1: it is
    exact in the limit of little Gaussian noise, for a network that could be any function and has the least squared error.

    Args:
        images: x, pixels / 255. given: what the network makes of them. stddev: of the noise it was trained with, in the same units.
    """
    return (given - images) / stddev**2


def _gaussian(card: Card) -> float | None:
    """Deviation of the noise where it is Gaussian and nothing else; the theorem is of no other."""
    found = [step.operation for step in _steps(card)]
    return found[0][1].stddev if [name for name, _ in found] == ["gaussian_noise"] else None


def _noise(card: Card) -> Callable[[tf.Tensor], tf.Tensor]:
    return constant.noise(_steps(card), card.input_shape)


def _steps(card: Card) -> list[AugmentStep]:
    return [AugmentStep.model_validate(step) for step in card.calibrated[NOISE]]

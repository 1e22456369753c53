"""The image without the noise that was put on it.

Images of the validation and test split get the noise of the config's augmentation with draws that are constants of the graph; see
components/transform/augment/constant.py.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from components import keys
from components.tasks.base import Signature
from components.tasks.reconstruction.figures import mean_squared_error, of_images
from components.tasks.reconstruction.names import RECONSTRUCT
from components.tasks.reconstruction.task import Task as Autoencoder
from components.trainer.card import Card
from components.transform.augment import constant, steps
from configs.errors import UsageError
from configs.schema.augment import AugmentStep

DENOISE, SCORE = "denoise", "score"
NOISE = "noise"  # on the card, among what is calibrated
NOISY_ERROR = "mse_noisy"


class Task(Autoencoder):
    """Models and loss as of reconstruction; the target is the image without noise."""

    against_active = False

    def check_config(self, normalize, augmented):
        if steps.NOISE not in augmented:
            raise UsageError(
                "A denoising autoencoder learns to take noise away, and this config puts none on.",
                "Add gaussian_noise: {stddev: 0.2}, salt_and_pepper: {share: 0.2} or mask: {share: 0.3} to augment.",
            )

    def fit(self, model, data, train, first_epoch, callbacks):
        """As by default, but that the best epoch is the one that denoises the validation split best."""
        noisy = constant.noise(data.info.noise, data.info.input_shape)
        validation = data.validation.map(lambda pixels, targets: (noisy(pixels), {**targets, keys.CLEAN: pixels}))
        super().fit(model, dataclasses.replace(data, validation=validation), train, first_epoch, callbacks)

    def calibrate(self, model, data, card):
        """The noise, for the card."""
        return {NOISE: [step.model_dump() for step in data.info.noise]}

    def signatures(self, model, card):
        signatures = super().signatures(model, card)
        signatures[DENOISE] = signatures[RECONSTRUCT]
        stddev = _gaussian(card)
        if stddev:

            def of_density(pixels):
                return {"score": score(pixels / 255.0, model(pixels, training=False), stddev)}

            signatures[SCORE] = Signature(of_density, gives={"score": "number"})
        return signatures

    def figures(self, model, card):
        noisy = noise(card)

        def figures(pixels):
            images, seen = pixels / 255.0, noisy(pixels)
            figures = of_images(images, model(seen, training=False), self.codes(model, seen))
            return {**figures, NOISY_ERROR: mean_squared_error(images, seen / 255.0)}

        return figures


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
    operations = [step.operation for step in _steps(card)]
    return operations[0][1].stddev if [name for name, _ in operations] == ["gaussian_noise"] else None


def noise(card: Card) -> Callable[[tf.Tensor], tf.Tensor]:
    """What a model's test images get: float32 pixels [N, height, width, channels] in 0..255 -> such pixels with noise."""
    return constant.noise(_steps(card), card.input_shape)


def _steps(card: Card) -> list[AugmentStep]:
    return [AugmentStep.model_validate(step) for step in card.calibrated[NOISE]]

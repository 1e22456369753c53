"""Denoising autoencoders, judged by what is left of the noise."""

import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator.psnr import decibels
from components.tasks.judges.base import Comparison
from components.tasks.judges.reconstruction.judge import Judge as OfAutoencoders
from components.tasks.judges.reconstruction.metrics import psnr_of
from components.tasks.judges.reconstruction.principal import principal, size_of_code
from components.tasks.reconstruction.denoising import NOISY_ERROR, noise


class Judge(OfAutoencoders):
    """Against images as they are, and PCA, both of images with noise."""

    metrics = {**OfAutoencoders.metrics, "psnr_noisy": psnr_of(NOISY_ERROR)}
    compared = ("psnr",)

    def asked(self, pixels, card):
        """With noise."""
        return noise(card)(tf.constant(pixels)).numpy()

    def pairs(self, card, batches):
        """With noise is what the model is given, and PCA beside it."""
        noisy = noise(card)
        for pixels, _ in batches:
            yield (pixels / 255.0).numpy(), (noisy(pixels) / 255.0).numpy()

    def compare(self, model, card, images):
        code_size = size_of_code(model)
        exact = principal(images, code_size)
        untouched, projected = [], []
        for pair in self.pairs(card, images(keys.TEST)):
            clean, seen = (batch.reshape(len(batch), -1) for batch in pair)
            for errors, given in ((untouched, seen), (projected, exact.images(exact.codes(seen)))):
                errors.append(np.mean(np.square(clean - given), axis=1))
        how = f"{exact.name} of the noisy images with the same code size of {code_size}, fitted on the training split"
        untouched, projected = np.concatenate(untouched), np.concatenate(projected)
        return [
            Comparison("psnr", float(decibels(untouched).mean()), "the noisy images as they are", each={"mse": untouched}),
            Comparison("psnr", float(decibels(projected).mean()), how, "pca_psnr", each={"mse": projected}),
        ]

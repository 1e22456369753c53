"""Autoencoders beside exact principal components, and what is asked of their SavedModel for that."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator.intervals import Figure, of_mean
from components.saved_model import signature_of
from components.tasks.judges.base import Comparison
from components.tasks.reconstruction import pca
from components.tasks.reconstruction.names import ACTIVE, ENCODE, FIGURES
from components.tasks.reconstruction.pixels import unit


def beside_principal(model: Path, images: Callable[[str], tf.data.Dataset]) -> Comparison:
    """With PCA of the same code size. Arguments as of Judge.compare."""
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


def mean_figure(model: Path, images: Callable[[str], tf.data.Dataset], name: str) -> Figure:
    """Of the test split."""
    answer = tf.saved_model.load(str(model)).signatures[f"{FIGURES}_{keys.PIXELS}"]
    return of_mean(np.concatenate([answer(pixels=pixels)[name] for pixels, _ in images(keys.TEST)]))


@functools.lru_cache(maxsize=2)
def principal(images: Callable[[str], tf.data.Dataset], code_size: int) -> pca.Principal:
    """PCA of the training split, in [0, 1]: one pass over it, whoever asks again. `images` as in Judge.compare."""
    return pca.fit(unit(images(keys.TRAIN)), code_size)


def size_of_code(model: Path) -> int:
    """Numbers in one code, as the `encode` signature of a SavedModel says; the model is not loaded."""
    return signature_of(model, ENCODE).outputs["codes"].tensor_shape.dim[-1].size

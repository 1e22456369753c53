"""What sections look at of an autoencoder and its test images: each thing computed when it is first asked for, and once."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator import per_image
from components.evaluator.statistic import ID
from components.reporter.material import Material
from components.reporter.reading import Sample
from components.tasks.base import Signature
from components.tasks.reconstruction import denoising, pca
from components.tasks.reconstruction.names import ACTIVE, DECODE, ENCODE, FIGURES, RECONSTRUCT
from configs.errors import HubelError

BATCH = 128
FITTED = 5_000  # training images that principal components are fitted on here, at most


@dataclass(frozen=True)
class Looked:
    """An autoencoder and the test images that its page asks it about."""

    material: Material

    @functools.cached_property
    def signatures(self) -> dict[str, Signature]:
        """By name; what is not there, the model does not have."""
        return self.material.task.signatures(self.material.need("model"), self.material.card)

    @functools.cached_property
    def sample(self) -> Sample:
        """Of the test split. Raises HubelError where that is empty."""
        sample = self.material.examples(keys.TEST)
        if sample is None:
            raise HubelError("There are no test images.")
        return sample

    @property
    def card(self):
        return self.material.card

    def words(self) -> str:
        """How many images were looked at, such as "360 test images"."""
        sample = self.sample
        part = "" if len(sample) == sample.total else f" of {sample.total:,}, chosen by a hash of their names,"
        return f"{len(sample):,} test images{part}"

    @functools.cached_property
    def codes(self) -> np.ndarray:
        """float32 [N, k].

        Raises:
            HubelError: where one is no finite number.
        """
        codes = np.concatenate([self.ask(ENCODE, rows)["codes"] for rows in _batches(len(self.sample))])
        if not np.isfinite(codes).all():
            raise HubelError(f"{int((~np.isfinite(codes)).any(1).sum()):,} codes are no finite numbers.")
        return codes

    @functools.cached_property
    def each(self) -> Mapping[str, np.ndarray]:
        """What is said of each image, such as its `mse`: float [N] by name. As Evaluator kept it, or else as the model says."""
        return self._kept() or self._asked()

    def ask(self, name: str, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What a signature of images answers about rows of the sample."""
        from components.trainer import endpoints

        signature, sample = self.signatures[name], self.sample
        given = tf.constant(sample.seen[rows]), tf.constant(sample.sizes[rows])
        told = signature.function(*endpoints.arguments(signature, given, self.card))
        return {output: value.numpy() for output, value in told.items()}

    def decoded(self, codes: np.ndarray, name: str = DECODE, **extra: np.ndarray) -> np.ndarray:
        """Images in 0..255 that a signature of codes makes of [N, k]."""
        return self.signatures[name].function(tf.constant(codes, tf.float32), **extra)["images"].numpy()

    @property
    def kinds(self) -> np.ndarray:
        """int64 [N]: 1 for an anomaly, 0 for a normal image, -1 where nobody knows."""
        return self.sample.targets[keys.ANOMALY]

    @functools.cached_property
    def is_noisy(self) -> bool:
        """Whether test images are given to the model with noise on them."""
        return denoising.NOISE in self.card.calibrated

    def given(self, rows: np.ndarray) -> np.ndarray:
        """What the model is given in the place of test images: float32 [N, height, width, channels], in 0..255 but for noise."""
        pixels = self.sample.seen[rows]
        return denoising.noise(self.card)(tf.constant(pixels)).numpy() if self.is_noisy else pixels

    def made(self, rows: np.ndarray) -> np.ndarray:
        """What it makes of them, in 0..255."""
        return self.signatures[RECONSTRUCT].function(tf.constant(self.given(rows)))["images"].numpy()

    @functools.cached_property
    def training(self) -> Sample | None:
        """At most FITTED training images."""
        return self.material.examples(keys.TRAIN, FITTED)

    @functools.cached_property
    def principal(self) -> pca.Principal | None:
        """PCA of `training`, with as many components as the code has numbers or, where these are no fewer than an image's values,
        as are active in the mean, which is what Evaluator does; no more than there are images. None without such images."""
        if self.training is None:
            return None
        is_overcomplete = self.code_size >= math.prod(self.card.input_shape) and ACTIVE in self.each
        wanted = max(1, round(float(self.each[ACTIVE].mean()))) if is_overcomplete else self.code_size
        return pca.fit([self.training.seen / 255.0], min(wanted, len(self.training)))

    def projected(self, rows: np.ndarray) -> np.ndarray:
        """What PCA makes of what the model is given, in 0..255."""
        given = self.given(rows)
        return 255.0 * self.principal.images(self.principal.codes(given / 255.0)).reshape(given.shape)

    @property
    def code_size(self) -> int:
        """Numbers in a code."""
        return self.signatures[DECODE].code_size or self.codes.shape[1]

    def class_of(self, row: int) -> str:
        """The name of an image's class; empty where it has none."""
        label = int(self.sample.labels[row])
        names = self.material.class_names
        return "" if label < 0 else names[label] if label < len(names) else str(label)

    def named(self, row: int) -> str:
        """An image, in words."""
        called = self.class_of(row)
        return f"{self.sample.ids[row]}, {called}" if called else self.sample.ids[row]

    def figure(self, name: str) -> str:
        """A figure that Evaluator wrote, such as "0.0215 (95 %: 0.0201 to 0.0229)"; empty where it wrote none."""
        evaluation = self.material.evaluation or {}
        value = evaluation.get(keys.METRICS, {}).get(name)
        if value is None:
            return ""
        low, high = evaluation[keys.INTERVALS].get(name, (None, None))
        return f"{value:.4g}" if low is None else f"{value:.4g} (95 %: {low:.4g} to {high:.4g})"

    def _kept(self) -> dict[str, np.ndarray] | None:
        """Evaluator's table of the test images, in the order of the sample; None where it has not all of them."""
        if not (table := self.material.each):
            return None
        places = {int(digest): place for place, digest in enumerate(table[ID])}
        rows = [places.get(per_image.digest(name.encode())) for name in self.sample.ids]
        if None in rows:
            return None
        return {name: column[rows] for name, column in table.items() if column.ndim == 1 and name not in (ID, keys.LABEL)}

    def _asked(self) -> dict[str, np.ndarray]:
        told = [self.ask(FIGURES, rows) for rows in _batches(len(self.sample))]
        joined = {name: np.concatenate([batch[name] for batch in told]) for name in told[0]}
        return {name: column for name, column in joined.items() if column.ndim == 1}


def _batches(total: int) -> Sequence[np.ndarray]:
    return [np.arange(start, min(start + BATCH, total)) for start in range(0, total, BATCH)]

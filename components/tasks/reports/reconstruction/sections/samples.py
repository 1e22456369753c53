"""Images as the model imagines them: of codes drawn from its prior."""

import numpy as np
import tensorflow as tf

from components import keys
from components.reporter import strips
from components.tasks.reconstruction.variational import GENERATE
from components.tasks.reports.reconstruction.looked import Looked
from reports.run.blocks import Command, Pictures, Prose, Section

ORDER = 60
SEED = 0
ROWS, IN_ROW = 4, 9
CLASSES = 12  # rows of a conditional model
BESIDE = 8  # samples that are held against training images


def section(looked: Looked) -> Section | None:
    signature = looked.signatures.get(GENERATE)
    if signature is None:
        return None
    drawn = np.random.default_rng(SEED)
    labels, more = [-1] * ROWS, 0
    if keys.LABEL in signature.extra:
        classes = len(looked.card.class_names)
        labels, more = list(range(min(classes, CLASSES))), max(0, classes - CLASSES)
    pictures, samples = [], []
    for row, label in enumerate(labels, 1):
        codes = drawn.standard_normal((IN_ROW, signature.code_size), np.float32)
        extra = {keys.LABEL: tf.fill([IN_ROW], tf.constant(label, tf.int64))} if signature.extra else {}
        samples.append(looked.decoded(codes, GENERATE, **extra))
        named = looked.card.class_names[label] if label >= 0 else ""
        pictures.append(strips.strip(samples[-1], f"{IN_ROW} samples{f' of {named}' if named else f', row {row}'}", named))
    told = ", a row for each class that the decoder is told" if labels[0] >= 0 else ""
    about = f"Codes drawn from N(0, 1), seed {SEED}, and what the decoder makes of them{told}. No test image had a part in this."
    blocks = [Pictures(pictures, "Samples", more=more), *_beside(looked, np.concatenate(samples))]
    blocks += [Prose("More of them:"), Command(f"hubel generate {looked.card.name} --count 100 --sheet --out samples")]
    return Section("samples", "Samples", about, blocks)


def _beside(looked: Looked, samples: np.ndarray) -> list:
    """The first samples, each beside the training image that is nearest to it: what a model has learned by heart it copies."""
    training = looked.training
    if training is None:
        return []
    pictures, seen = [], training.seen.reshape(len(training), -1)
    for at, sample in enumerate(samples[:BESIDE], 1):
        distances = np.square(seen - sample.ravel()).mean(1) / 255.0**2
        nearest = int(np.argmin(distances))
        alt = f"Sample {at} and the training image nearest to it, {training.ids[nearest]}: squared error {distances[nearest]:.4g}"
        pictures.append(strips.strip([sample, training.seen[nearest]], alt, f"{distances[nearest]:.3g}"))
    of = f"{len(training):,} of {training.total:,}" if len(training) < training.total else f"all {training.total:,}"
    return [
        Pictures(pictures, f"Samples, each beside the nearest of {of} training images, by squared error: copies would be near 0")
    ]

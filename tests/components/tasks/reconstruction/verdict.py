"""A model of digits, trained for seconds without a pipeline, and whether its task's comparisons hold, as Evaluator would ask."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import keys
from components.evaluator.psnr import decibels
from components.tasks.base import Task
from components.tasks.by_name import name_of, task_of
from components.tasks.judges.base import Comparison, Judge
from components.tasks.judges.by_name import judge_of
from components.trainer import endpoints, export, training
from components.trainer.card import Card
from components.trainer.data import Data, DataInfo
from components.transform.augment import steps as augment
from keras_models import get
from tests.components import digits
from tests.components.verdict import refusals

SHAPE = (8, 8, 1)
PARTS = {keys.TRAIN: slice(0, 900), keys.VALIDATION: slice(900, 1000), keys.TEST: slice(1000, 1100)}


def pixels_of(split: str) -> np.ndarray:
    """float32 [N, 8, 8, 1] in 0..255."""
    return digits.images()[0][PARTS[split]].astype(np.float32)


def images(split: str) -> tf.data.Dataset:
    """As Evaluator hands them to `compare`."""
    rows = pixels_of(split)
    return tf.data.Dataset.from_tensor_slices((rows, {keys.LABEL: np.zeros(len(rows), np.int64)})).batch(64)


def data_of(cfg) -> Data:
    """Batches as Trainer has them; the noise of an epoch is drawn from its number."""
    rows, steps = tf.constant(pixels_of(keys.TRAIN)), cfg.augment
    size = cfg.train.batch_size

    def epoch_of(epoch):
        drawn = tf.random.stateless_uniform([len(rows), augment.draws(steps, SHAPE)], [0, epoch], -1.0, 1.0)
        order = tf.random.experimental.stateless_shuffle(tf.range(len(rows)), [1, epoch])
        seen = augment.apply(steps, rows, drawn, clips_noise=False)
        return tf.data.Dataset.from_tensor_slices((tf.gather(seen, order), {keys.CLEAN: tf.gather(rows, order)})).batch(size)

    def plain(split):
        return images(split).map(lambda pixels, _: (pixels, {}))

    return Data(
        DataInfo(SHAPE, digits.NAMES, len(rows), noise=tuple(steps)),
        -(-len(rows) // size),
        lambda first, epochs: tf.data.Dataset.range(first, epochs).flat_map(epoch_of),
        plain(keys.TRAIN),
        plain(keys.VALIDATION),
    )


@dataclasses.dataclass
class Trained:
    """A model and what belongs to it."""

    task: Task
    judge: Judge
    model: keras.Model
    card: Card
    data: Data

    def saved(self, folder: Path, *signatures: str) -> Path:
        """A SavedModel of some signatures, in a Model artifact."""
        folder = folder / "Format-Serving"
        archive = keras.export.ExportArchive()
        archive.track(self.model)
        made = endpoints.of(self.task.signatures(self.model, self.card), self.card)
        for name in signatures:
            archive.add_endpoint(name, made[name].function, made[name].specs)
        archive.write_out(str(folder), verbose=False)
        export.keep(folder.parent, self.model, self.task, self.card)
        return folder

    def figures(self) -> dict[str, float]:
        """Metrics of the test split that are means of what is said of each image, by name."""
        each = self.task.figures(self.model, self.card)(pixels_of(keys.TEST))
        means = {}
        for name, metric in self.judge.metrics.items():
            values = each.get(metric.config["output"])
            if values is not None and values.shape.rank == 1:
                change = decibels if metric.class_name == "MeanPsnr" else float
                means[name] = float(np.mean([change(value) for value in values.numpy()]))
        return means

    def holds(self, comparison: Comparison, figures: dict[str, float]) -> bool:
        """Whether Evaluator would bless a model of these figures that is compared with nothing else."""
        return not refusals(self.judge, figures, [comparison])


def trained(name: str, options: dict, train: dict, noise: list | None = None, anomaly: dict | None = None) -> Trained:
    """The model of a name, trained by its own task on 900 digits; with `anomaly` as a detector."""
    tree = {
        **digits.AUTOENCODER,
        "model": {"name": name, "options": options},
        "augment": noise or [],
        "anomaly": anomaly,
        "train": {"batch_size": 60, "early_stopping": None, **train},
    }
    cfg = digits.trainer_slice(tree)
    keras.utils.set_random_seed(0)
    kind = name_of(get(name).task, cfg.anomaly)
    data, task = data_of(cfg), task_of(kind)
    task.check(data.info)
    model = training.build(get(name), data, cfg)
    task.fit(model, data, cfg.train, 0, [])
    card = digits.card(architecture=name, task=kind, transform=tree["transform"], anomaly=anomaly)
    return Trained(task, judge_of(kind), model, card.model_copy(update={"calibrated": task.calibrate(model, data, card)}), data)


def shuffle(model: keras.Model) -> None:
    """Cripple it: the numbers of each weight in another order."""
    random = np.random.default_rng(0)
    model.set_weights([random.permutation(weight.ravel()).reshape(weight.shape) for weight in model.get_weights()])

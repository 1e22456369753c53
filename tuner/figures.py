"""Which validation figures the epochs of a training have, known before anything is trained: a validation step is traced."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from components import given, inputs
from components.tasks.base import Task
from components.tasks.by_name import name_of, task_of
from components.trainer.data import Data
from components.trainer.info import DataInfo
from components.trainer.training import build, entry_of, phases_of
from configs.errors import UsageError
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.transform import TransformConfig
from configs.schema.tune import TuneConfig
from keras_models import auxiliary, usable
from tuner import objective
from tuner.objective import MIN, Direction, Objective

VALIDATION = "val_"


def objectives(custom: Mapping, cfg: TrainerSlice, tune: TuneConfig) -> list[Objective]:
    """What a config's search is for. Its network is built without data, in a transfer with random weights.

    Args:
        custom: of TFX's custom_config task (its name; that of the network where there is none) and origin.

    Raises:
        UsageError: as objective.of, and for a network that is not trained.
    """
    if cfg.model.members:
        raise UsageError("An ensemble is not trained, so that there is nothing to search for.", "Set tune.enabled=false.")
    entry = entry_of(custom, cfg, learned=False)
    model = _stand_in(entry, cfg)
    last = phases_of(task_of(custom.get("task") or name_of(entry.task, cfg.anomaly)), cfg, model)[-1]
    return objective.of(tune.objective, logged(last.task, model, cfg.transform) | {last.figure: MIN}, last.figure)


def logged(task: Task, model: keras.Model, transform: TransformConfig) -> dict[str, Direction | None]:
    """Validation figures of an epoch -> which way one is better, where the task says it. The model is compiled anew."""
    learner, asked = auxiliary.learner(model), task.of_model(model)
    asked.compile(learner, lambda variables=None: keras.optimizers.SGD())
    names = list(task.targets)
    parsed = tf.function(lambda examples: given.of(examples, names, transform), autograph=False)
    of_targets = parsed.get_concrete_function(tf.TensorSpec([None], tf.string)).structured_outputs if names else []
    pixels = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)

    @tf.function(autograph=False)
    def step(seen, values):
        return learner.test_step(asked.pair(seen, dict(zip(names, values, strict=True))))

    of_step = step.get_concrete_function(pixels, [tf.TensorSpec(each.shape, each.dtype) for each in of_targets]).structured_outputs
    further = asked.derived(dict.fromkeys(of_step, 0.0))
    return {f"{VALIDATION}{name}": task.better.get(name) for name in [*of_step, *further]}


def _stand_in(entry, cfg: TrainerSlice) -> keras.Model:
    """The network as it would be behind its normalisation; which that is has no part in the figures."""
    cfg = cfg.model_copy(update={"transform": cfg.transform.model_copy(update={"normalize": "none"})})
    known = dict(inputs.input_of(entry.reads).stand_in(cfg.transform, 1).of_data)
    classes = [str(number) for number in range(usable.CLASSES)]
    info = DataInfo(known.pop("input_shape"), classes, train_images=len(classes), builder=known)
    return build(entry, Data(info, 1, None, None, None), cfg)

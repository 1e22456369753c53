"""Greedy layer-wise pre-training as phases: a network's stages one after another, then all of its layers together."""

import functools

import keras

from components.tasks.base import Task
from components.tasks.by_name import task_of
from components.trainer.phases import Phase
from configs.errors import UsageError
from configs.schema.slices.trainer import TrainerSlice
from keras_models import pretraining
from keras_models.pretraining import Stage
from keras_models.record import RECONSTRUCTION

RATE = "train.pretrain.learning_rate"


def check(model: keras.Model, name: str) -> None:
    """Raise UsageError for a model, registered under that name, that has no stages to be pre-trained."""
    if not pretraining.stages(model):
        raise UsageError(
            f"train.pretrain trains pairs of layers one after another, and {name} has none.", "Take it out of the config."
        )


def phases(task: Task, cfg: TrainerSlice, model: keras.Model) -> list[Phase]:
    """What a config with train.pretrain is trained in. Raises UsageError for a model that has no stages."""
    check(model, cfg.model.name)
    stages = pretraining.stages(model)
    whole = cfg.train.model_copy(update={"pretrain": None})
    asked = cfg.train.pretrain
    optimizer, rate = cfg.train.optimizer, Phase.rate
    if asked.learning_rate is not None:
        optimizer, rate = optimizer.model_copy(update={"learning_rate": asked.learning_rate}), RATE
    each = whole.model_copy(update={"epochs": asked.epochs, "optimizer": optimizer})
    return [
        *(_phase(stage, each, rate) for stage in stages),
        Phase(task, whole, begin=functools.partial(pretraining.select, stage=None)),
    ]


def _phase(stage: Stage, train, rate: str) -> Phase:
    begin = functools.partial(pretraining.select, stage=stage)
    return Phase(task_of(RECONSTRUCTION), train, stage.name, begin, rate, pretraining.learner(stage))

"""A training is one fit, or several of the same model one after another."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from components.tasks.base import Task
from configs.schema.train import TrainConfig


@dataclass(frozen=True)
class Phase:
    """One fit.

    name: of the folder of its state, beside that of the one phase that has none. begin: what is done to the model before it.
    rate: the config's key of its learning rate. part: what is fitted of the model in its place, to prepare it: the losses are of
    something else, so that its epochs are neither compared with those of other phases nor among the training's. judged_by: the
    figure of an epoch by which its best one is known, the lowest; None: the task's, mostly `val_loss`.
    """

    task: Task
    train: TrainConfig
    name: str = ""
    begin: Callable[[keras.Model], None] | None = None
    rate: str = "train.optimizer.learning_rate"
    part: keras.Model | None = None
    judged_by: str | None = None

    @property
    def figure(self) -> str:
        """By which its epochs are judged."""
        return self.judged_by or self.task.judged_by

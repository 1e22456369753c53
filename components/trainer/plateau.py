"""A learning rate that falls when the validation loss stops falling, also across a kill."""

import math
from collections.abc import Mapping, Sequence

import keras

from configs.schema.train import TrainConfig
from keras_models import auxiliary


def callbacks(
    train: TrainConfig, history: Sequence[Mapping[str, float]] = (), judged_by: str = "val_loss"
) -> list[keras.callbacks.Callback]:
    """What a fit needs for the config's schedule: a Plateau, or nothing.

    Args:
        history: figures of the epochs before a kill.
        judged_by: the figure of an epoch that stops falling.
    """
    return [Plateau(train, history, judged_by)] if train.schedule is not None and train.schedule.name == "plateau" else []


class Plateau(keras.callbacks.ReduceLROnPlateau):
    """Keras's, after a warm-up; it starts by going through the epochs before a kill again, so no state of it has to be kept.

    Where a model has several optimizers, all have the rate of its first one.
    """

    def __init__(self, train: TrainConfig, history: Sequence[Mapping[str, float]], judged_by: str = "val_loss"):
        schedule = train.schedule
        super().__init__(judged_by, schedule.factor, schedule.patience, mode="min", min_delta=0.0)
        self._peak, self._warmup, self._history = train.optimizer.learning_rate, schedule.warmup_epochs, history
        self._epoch = 0

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._set(self._peak)
        for epoch, figures in enumerate(self._history):
            self.on_epoch_end(epoch, figures)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        steps = round(self._warmup * self.params["steps"])
        step = self._epoch * self.params["steps"] + batch
        if step <= steps and steps:
            self._set(self._peak * step / steps)

    def _set(self, rate: float) -> None:
        for optimizer, _ in auxiliary.optimizers(self.model):
            optimizer.learning_rate = rate

    def on_epoch_end(self, epoch, logs=None):
        reached = logs[self.monitor]
        if epoch >= self._warmup:
            super().on_epoch_end(epoch, {self.monitor: reached if math.isfinite(reached) else math.inf})
            self._set(float(self.model.optimizer.learning_rate))

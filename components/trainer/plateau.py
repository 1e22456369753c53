"""A learning rate that falls when the validation loss stops falling, also across a kill."""

import math
from collections.abc import Mapping, Sequence

import keras

from configs.schema.train import TrainConfig


def callbacks(train: TrainConfig, history: Sequence[Mapping[str, float]] = ()) -> list[keras.callbacks.Callback]:
    """What a fit needs for the config's schedule: a Plateau, or nothing.

    Args:
        history: figures of the epochs before a kill.
    """
    return [Plateau(train, history)] if train.schedule is not None and train.schedule.name == "plateau" else []


class Plateau(keras.callbacks.ReduceLROnPlateau):
    """Keras's, after a warm-up; it starts by going through the epochs before a kill again, so no state of it has to be kept."""

    def __init__(self, train: TrainConfig, history: Sequence[Mapping[str, float]]):
        schedule = train.schedule
        super().__init__("val_loss", schedule.factor, schedule.patience, mode="min", min_delta=0.0)
        self._peak, self._warmup, self._history = train.optimizer.learning_rate, schedule.warmup_epochs, history
        self._epoch = 0

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.model.optimizer.learning_rate = self._peak
        for epoch, figures in enumerate(self._history):
            self.on_epoch_end(epoch, figures)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        steps = round(self._warmup * self.params["steps"])
        step = self._epoch * self.params["steps"] + batch
        if step <= steps and steps:
            self.model.optimizer.learning_rate = self._peak * step / steps

    def on_epoch_end(self, epoch, logs=None):
        loss = logs["val_loss"]
        if epoch >= self._warmup:
            super().on_epoch_end(epoch, {"val_loss": loss if math.isfinite(loss) else math.inf})

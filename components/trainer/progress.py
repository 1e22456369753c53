"""Epochs as events for the person who waits."""

import time

import keras

from components import progress


class EpochProgress(keras.callbacks.Callback):
    """Emits `epoch` events: index from 0, how many there are, figures, seconds of this epoch."""

    def on_train_begin(self, logs=None):
        progress.emit("training", epochs=self.params["epochs"], steps=self.params["steps"])

    def on_epoch_begin(self, epoch, logs=None):
        self._start = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        progress.emit(
            "epoch",
            epoch=epoch,
            epochs=self.params["epochs"],
            figures={name: float(value) for name, value in (logs or {}).items()},
            seconds=time.monotonic() - self._start,
        )

"""Who looks on while a model trains: by default a person who waits, and sees epochs as events."""

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


class Watch:
    """Looks on: of a training with several phases, on all of them.

    A callback that sets `stop_training` ends a phase; what `is_over` ends begins no further one.
    """

    @property
    def is_over(self) -> bool:
        """Whether no further phase may begin."""
        return False

    def enters(self, phase, resume) -> None:
        """Hear that a phase begins, of which `resume` (components.trainer.resume) has what was done before a kill."""

    def leaves(self, phase, resume) -> None:
        """Hear that it is over, of which `resume` has all."""

    def callbacks(self, phase) -> list[keras.callbacks.Callback]:
        """For the fit of a phase (components.trainer.phases). None of them may do something before a step, or Keras asks before
        each, and the steps are of another graph than Trainer's."""
        return [EpochProgress()]

    def note(self, text: str) -> None:
        """Hear what is done."""
        progress.emit("note", text=text)

    def warn(self, text: str) -> None:
        """Hear what a person should know of what was trained."""
        progress.emit("warning", text=text)

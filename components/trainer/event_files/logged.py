"""Figures by epoch while a network trains, for TensorBoard, and what the training was asked and came to, for its HParams."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import keras

from components import keys
from components.trainer.event_files.writer import ENDED, FAILED, Writer
from components.trainer.phases import Phase
from components.trainer.progress import Watch
from components.trainer.resume import Resume
from keras_models import auxiliary

RATE = "learning_rate"  # beside the figures of training: as it is when an epoch ends
KEPT = "kept/"  # before the names of figures of the epoch whose weights are kept


class Logged(Watch):
    """Looks on for a person who waits and for TensorBoard. Epochs are counted from 1, over all phases that fit the whole model.

    What of a training was done before a kill is written with the times that it had, so that a log is of the whole training.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._writers: dict[Path, Writer] = {}
        self._epochs: dict[Path, int] = {}  # by the folder that they are written to
        self._place, self._done = folder, 0  # of the phase that runs: its folder, and how many of its epochs are written
        self._resume: Resume | None = None

    @property
    def root(self) -> Writer:
        """Of what is of the whole training."""
        return self.writer()

    def writer(self, run: str = "") -> Writer:
        """Of what is of a split."""
        return self._writer(self._folder / run)

    def enters(self, phase: Phase, resume: Resume) -> None:
        self._place = self._folder / phase.name if phase.part is not None else self._folder
        self._resume, self._done = resume, 0
        self._catch_up()

    def callbacks(self, phase):
        return [*super().callbacks(phase), _Epochs(self)]

    def leaves(self, phase: Phase, resume: Resume) -> None:
        self._catch_up()

    def epoch(self, figures: Mapping[str, float], **noted: float) -> None:
        """Write the next epoch's figures, named as Keras names them. noted: see `beside`."""
        step = self._epochs[self._place] = self._epochs.get(self._place, 0) + 1
        self._done += 1
        at = noted.pop("time", None)
        of_validation = {name.removeprefix("val_"): value for name, value in figures.items() if name.startswith("val_")}
        of_training = {name: value for name, value in figures.items() if not name.startswith("val_")}
        for run, values in {keys.TRAIN: {**of_training, **noted}, keys.VALIDATION: of_validation}.items():
            if values:
                writer = self._writer(self._place / run)
                writer.figures(values, step, at)
                writer.flush()

    def beside(self, **noted: float) -> None:
        """Have the state of the training keep what its figures do not say of an epoch: its time and its rate."""
        if self._resume is not None:
            self._resume.beside(**noted)

    def ended(self, history: Sequence[Mapping[str, float]], kept: int) -> None:
        """Write what the training came to: the figures of epoch `kept`, counted from 1; 0: of none."""
        if kept:
            self.root.figures({f"{KEPT}{name}": value for name, value in history[kept - 1].items()}, kept)
        self.root.ended(ENDED)

    def failed(self) -> None:
        self.root.ended(FAILED)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _catch_up(self) -> None:
        """Write the epochs that are on record and not written: those before a kill, and those of a fit that tells no callback."""
        for figures, noted in list(zip(self._resume.history, self._resume.noted, strict=True))[self._done :]:
            self.epoch(figures, **noted)

    def _writer(self, folder: Path) -> Writer:
        if folder not in self._writers:
            self._writers[folder] = Writer(folder)
        return self._writers[folder]


@contextlib.contextmanager
def logging(folder: Path, values: Mapping[str, str | bool | int | float], trial: str) -> Iterator[Logged]:
    """Log a training into a folder, from its start to its end, whatever that is.

    Args:
        values: hyperparameters. trial: name of the session among those of TensorBoard's HParams.
    """
    logged = Logged(folder)
    logged.root.begun(values, trial)
    logged.root.flush()
    try:
        yield logged
    except BaseException:
        logged.failed()
        raise
    finally:
        logged.close()


class _Epochs(keras.callbacks.Callback):
    def __init__(self, logged: Logged):
        super().__init__()
        self._logged = logged

    def on_epoch_end(self, epoch, logs=None):
        optimizers = auxiliary.optimizers(self.model)
        noted = {RATE: float(optimizers[0][0].learning_rate)} if optimizers else {}
        noted["time"] = time.time()
        self._logged.beside(**noted)
        self._logged.epoch({name: float(value) for name, value in (logs or {}).items()}, **noted)

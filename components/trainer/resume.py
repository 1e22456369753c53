"""Training that can be killed at any moment and goes on at the epoch it was in, best weights and early stopping included.

Keras's BackupAndRestore restores weights and the epoch, but EarlyStopping then starts to count anew and the history is lost;
and its two files can be torn apart by a kill. Here one file, replaced in one step, says which weights belong together.
"""

import json
import math
import shutil
from pathlib import Path
from typing import Literal

import keras

from components.trainer import jit
from configs import atomic
from configs.errors import HubelError
from keras_models import auxiliary

_STATE = "state.json"


class Resume(keras.callbacks.Callback):
    """Saves the state of training in `folder` after each epoch, the weights of the last one and of the best.

    Best is the lowest `judged_by`. Keras must be asked to start at `epoch`.

    Args:
        folder: outlives the process; made when missing.
        patience: epochs without a better one after which training stops; None trains to the end.
        judged_by: a figure that each epoch has.
    """

    def __init__(self, folder: Path, patience: int | None, judged_by: str = "val_loss"):
        super().__init__()
        self._folder, self._patience, self.judged_by = folder, patience, judged_by
        self._state = _read(folder) or {"history": [], "best": None, "last": None, "seeds": [], "start": None}
        self._beside: dict[str, float] = {}

    @property
    def history(self) -> list[dict[str, float]]:
        """Figures by epoch, those before a kill included."""
        return self._state["history"]

    @property
    def noted(self) -> list[dict[str, float]]:
        """By epoch what `beside` said; empty where it said nothing."""
        noted = self._state.get("noted", [])
        return [*noted, *({} for _ in self.history[len(noted) :])]

    def beside(self, **noted: float) -> None:
        """Have the state say more of the epoch that ends than its figures, such as when that was."""
        self._beside = noted

    @property
    def start(self) -> float | None:
        """The loss before training, where somebody said it; saved with the first epoch."""
        return self._state.get("start")

    @start.setter
    def start(self, loss: float) -> None:
        self._state["start"] = loss

    @property
    def jit(self) -> bool:
        """Whether XLA compiled the last epoch's steps."""
        return self._state.get("jit", False)

    @property
    def epoch(self) -> int:
        """The epoch to start at."""
        return len(self.history)

    @property
    def is_over(self) -> bool:
        """Whether patience ran out."""
        best = self._state["best"]
        return self._patience is not None and best is not None and self.epoch - 1 - best["epoch"] >= self._patience

    def on_train_begin(self, logs=None):
        if self._state["last"]:
            for optimizer, variables in auxiliary.optimizers(self.model):
                if not optimizer.built:
                    optimizer.build(variables)
            self.model.load_weights(self._folder / self._state["last"]["file"])
            for seed, value in zip(_seeds(self.model), self._state["seeds"], strict=True):
                seed.assign(value)

    def on_epoch_end(self, epoch, logs=None):
        figures = {name: float(value) for name, value in (logs or {}).items()}
        if self.judged_by not in figures:
            raise HubelError(
                f"The training is judged by {self.judged_by}, and its epochs have {', '.join(figures) or 'no figures'}.",
                "Name another figure as judged_by of the task, or have the learner log it.",
            )
        reached = figures[self.judged_by]
        self._folder.mkdir(parents=True, exist_ok=True)
        file = f"{epoch}.weights.h5"
        self.model.save_weights(self._folder / file)
        last = {"epoch": epoch, "file": file}
        best = self._state["best"]
        if math.isfinite(reached) and (best is None or reached < best[self.judged_by]):
            best = {**last, self.judged_by: reached}
        seeds = [keras.ops.convert_to_numpy(seed).tolist() for seed in _seeds(self.model)]
        history = [*self.history[:epoch], figures]
        noted, self._beside = [*self.noted[:epoch], self._beside], {}
        kept = {"history": history, "best": best, "last": last, "seeds": seeds, "start": self.start, "noted": noted}
        self._state = kept | {"jit": jit.is_used(self.model)}
        atomic.write_text(self._folder / _STATE, json.dumps(self._state))
        for path in self._folder.glob("*.weights.h5"):
            if path.name not in (last["file"], best and best["file"]):
                path.unlink()
        if self.is_over:
            self.model.stop_training = True

    def restore(self, model: keras.Model, which: Literal["best", "last"]) -> bool:
        """Load the weights of the best or the last epoch. False where the epoch's loss is not finite, or there is none."""
        kept = self._state[which]
        if which == "last" and kept and not math.isfinite(self.history[-1][self.judged_by]):
            return False
        if kept:
            auxiliary.learner(model).load_weights(self._folder / kept["file"])
        return kept is not None

    def clear(self) -> None:
        """Forget; call it when what was trained is safely written elsewhere."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _read(folder: Path) -> dict | None:
    """The state in a folder, or None where there is none that can be used (a power failure may leave anything)."""
    try:
        state = json.loads((folder / _STATE).read_text())
        needed = [state[name]["file"] for name in ("best", "last") if state[name]]
        return state if state["history"] and all((folder / file).is_file() for file in (*needed, _STATE)) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _seeds(model: keras.Model) -> list[keras.Variable]:
    """States of the random layers (dropout, noise), which a file of weights does not hold."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]

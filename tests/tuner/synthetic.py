"""A training that costs nothing, and a space for it: what an engine of searches is tested with. Workers import it by name."""

import math
import os
import signal
import time

import keras_tuner

from configs.errors import UsageError
from configs.schema.tune import TuneConfig
from tests.components import digits
from tuner.objective import Objective
from tuner.trial import Outcome

DISTRIBUTIONS = {
    "train.optimizer.name": {"choices": ["adam", "sgd"]},
    "train.batch_size": {"min": 16, "max": 96, "step": 16},
}
WIDE = {**DISTRIBUTIONS, "train.optimizer.learning_rate": {"min": 0.01, "max": 0.9}}


def space() -> keras_tuner.HyperParameters:
    """24 points, of which some have an entry that others have not."""
    declared = keras_tuner.HyperParameters()
    declared.Choice("train.optimizer.name", ["adam", "sgd"])
    with declared.conditional_scope("train.optimizer.name", ["sgd"]):
        declared.Choice("train.optimizer.momentum", [0.0, 0.5, 0.9], default=0.0)
    declared.Int("train.batch_size", 16, 96, step=16)
    return declared


def values(hyperparameters) -> dict:
    """Of the entries that are drawn."""
    declared = {entry.name: entry for entry in hyperparameters.space}
    drawn = hyperparameters.values
    return {path: drawn[path] for path in drawn if path in declared and hyperparameters.is_active(declared[path])}


def score(drawn: dict, epoch: int) -> float:
    """Falls with the epochs; least at a batch of 48 with sgd and a momentum of 0.5."""
    momentum = drawn.get("train.optimizer.momentum", -0.5)
    return 0.1 + abs(drawn["train.batch_size"] - 48) / 64 + (momentum - 0.5) ** 2 + 1.0 / epoch


def fn_args(place, **tune):
    """What TFX would give a Tuner whose trials are these."""
    asked = {"enabled": True, "algorithm": "random", "trials": 6, "epochs": 3, "space": DISTRIBUTIONS, **tune}
    custom = {"tune": TuneConfig.model_validate(asked).model_dump_json(), "tuning_dir": str(place / "tuning")}
    return digits.fn_args(place, *[place] * 3, digits.trainer_slice(digits.MLP), True, training=f"{__name__}:Training", **custom)


class Training:
    """Does what the environment variable HUBEL_SYNTHETIC says, a comma between parts, each `WHAT:NUMBER`: for a trial that is due,
    die by a signal, raise, leak MB a trial; or sleep a number of milliseconds an epoch."""

    def __init__(self, fn_args, cfg, tune):
        told = filter(None, os.environ.get("HUBEL_SYNTHETIC", "").split(","))
        self._told = {part.split(":")[0]: float(part.split(":")[1]) for part in told}
        self._kept = []

    objectives = (Objective("val_loss"),)

    def run(self, drawn, epochs, state, curves, deadline, on_epoch, left):
        begun = time.monotonic()
        if drawn["train.batch_size"] == self._told.get("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if drawn["train.batch_size"] == self._told.get("raise"):
            return Outcome("failed", reason="ValueError: a batch of that size is not to be had")
        if "leak" in self._told:
            self._kept.append(bytearray(os.urandom(2**20) * int(self._told["leak"])))
        curve = []
        for epoch in range(1, epochs + 1):
            time.sleep(self._told.get("sleep", 0.0) / 1000)
            curve.append({"val_loss": score(drawn, epoch)})
            on_epoch(epoch - 1, curve[-1])
            if deadline is not None and time.monotonic() > deadline:
                break
        if log := os.environ.get("HUBEL_SYNTHETIC_LOG"):
            with open(log, "a") as ends:
                ends.write(f"{state.name}\n")
        best = min(figures["val_loss"] for figures in curve) if curve else math.nan
        return Outcome("completed", best, None, [best], curve, len(curve), time.monotonic() - begun)


class Refusing(Training):
    """Cannot begin."""

    def __init__(self, fn_args, cfg, tune):
        raise UsageError("No image is left to train on.", "Take more.")

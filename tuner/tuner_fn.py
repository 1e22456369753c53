"""Tuner entry point: trials are trainings of components.trainer, judged on the validation split."""

import math
import time

import keras
import keras_tuner
from tfx.components.tuner.component import TunerFnResult

from components import progress
from components.tasks.by_name import name_of, task_of
from components.trainer import device, plateau
from components.trainer.training import begun, data_of, entry_of, identity, phases_of
from configs.override import override
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.tune import TuneConfig
from tuner import space

OBJECTIVE = "val_loss"
TRIALS = 10
ALGORITHMS = {
    "random": keras_tuner.oracles.RandomSearchOracle,
    "grid": keras_tuner.oracles.GridSearchOracle,
    "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    "hyperband": keras_tuner.oracles.HyperbandOracle,
}


def tuner_fn(fn_args) -> TunerFnResult:
    """See TFX's Tuner.

    Reads: as Trainer's run_fn, and custom_config: tune (TuneConfig as JSON), tuning_dir (trials, which survive a kill, in a folder
        for each question: config, source, task, origin and input artifacts).
    """
    tune = TuneConfig.model_validate_json(fn_args.custom_config["tune"])
    cfg = TrainerSlice.model_validate_json(fn_args.custom_config["slice"])
    device.tell()
    tuner = Search(fn_args, cfg, tune)
    return TunerFnResult(tuner=tuner, fit_kwargs={})


class Search(keras_tuner.Tuner):
    """A keras-tuner whose trials run through Trainer's own data, builder and task."""

    def __init__(self, fn_args, cfg: TrainerSlice, tune: TuneConfig):
        self._fn_args, self._cfg, self._tune = fn_args, cfg, tune
        entry = entry_of(fn_args.custom_config, cfg)
        self._task = task_of(fn_args.custom_config.get("task") or name_of(entry.task, cfg.anomaly))
        self._reads = entry.reads
        self._data = {}
        self._started = time.monotonic()
        super().__init__(
            oracle=_oracle(tune, cfg),
            hypermodel=_NoModel(),
            directory=fn_args.custom_config["tuning_dir"],
            project_name=identity(fn_args, {}),
            overwrite=False,  # a killed search goes on
        )

    def run_trial(self, trial, **_):
        """One training. Returns the best validation loss."""
        chosen = space.values(trial.hyperparameters)
        cfg = override(self._cfg, chosen)
        epochs = trial.hyperparameters.values.get("tuner/epochs", self._tune.epochs or cfg.train.epochs)
        cfg = override(cfg, {"train.epochs": epochs})
        data = self._data_for(cfg)
        model = begun(self._fn_args, entry_of(self._fn_args.custom_config, cfg), self._task, data, cfg)
        progress.emit("trial", trial=trial.trial_id, values=chosen)
        phases = phases_of(self._task, cfg, model)
        history = _Best(phases[-1].figure)
        for phase in phases:
            if phase.begin:
                phase.begin(model)
            judged = [history] if phase.part is None else []
            callbacks = [*plateau.callbacks(phase.train, judged_by=phase.figure), *judged, keras.callbacks.TerminateOnNaN()]
            phase.task.fit(phase.part or model, data, phase.train, 0, callbacks)
        progress.emit("trial_done", trial=trial.trial_id, value=history.best)
        if self._tune.minutes is not None and time.monotonic() - self._started > 60 * self._tune.minutes:
            self.oracle.max_trials = len(self.oracle.trials)  # no further one is created
        return {OBJECTIVE: history.best}

    def _data_for(self, cfg: TrainerSlice):
        """Opened once for each way of ordering, batching, labelling and augmenting."""
        key = (cfg.seed, cfg.train.batch_size, cfg.train.random_labels, tuple(step.model_dump_json() for step in cfg.augment))
        if key not in self._data:
            self._data[key] = data_of(self._fn_args, cfg, self._task, self._reads)
        return self._data[key]

    def save_model(self, trial_id, model, step=0):
        """Trials keep no weights: the Trainer trains the best one anew."""

    def load_model(self, trial):
        """See save_model."""
        raise NotImplementedError("trials keep no weights; read the best hyperparameters instead")


class _NoModel(keras_tuner.HyperModel):
    """Adds nothing to the space, which the oracle holds whole; `run_trial` builds the models."""

    def build(self, hp):
        """Called once by keras-tuner to see what a model would declare."""


class _Best(keras.callbacks.Callback):
    """The lowest validation loss of a training, or what it is judged by in its place; infinite when it diverged."""

    best = math.inf

    def __init__(self, judged_by: str = OBJECTIVE):
        super().__init__()
        self._judged_by = judged_by

    def on_epoch_end(self, epoch, logs=None):
        value = float((logs or {}).get(self._judged_by, math.inf))
        self.best = min(self.best, value if math.isfinite(value) else math.inf)


def _oracle(tune: TuneConfig, cfg: TrainerSlice) -> keras_tuner.Oracle:
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "hyperparameters": space.hyperparameters(tune.space),
        "tune_new_entries": False,
        "allow_new_entries": False,
        "seed": cfg.seed + 1,  # keras-tuner takes 0 for no seed
    }
    if tune.algorithm == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=max(tune.epochs or cfg.train.epochs, 2), **common)
        oracle.max_trials = tune.trials or 10**6  # TFX compares it with a number; None ends a finished search with a TypeError
        return oracle
    return ALGORITHMS[tune.algorithm](max_trials=tune.trials or TRIALS, **common)

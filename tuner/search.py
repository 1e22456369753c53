"""A search: a chief in this process, and workers in others."""

import contextlib
import functools
import shutil
import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from keras_tuner.engine import base_tuner
from keras_tuner.engine import trial as keras_trials

from components import progress
from components.trainer import device, divergence
from configs import words
from configs.errors import HubelError, UsageError
from configs.override import override
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.tune import TuneConfig
from tuner import crew, objective, oracle, records, roles, space, study, worker
from tuner.chief import ALONE, Chief
from tuner.objective import Objective
from tuner.records import TrialRecord


class Search(base_tuner.BaseTuner):
    """A search of one study, from where an earlier one ended. Holds the study until `search` returns.

    Raises:
        UsageError: for an objective that no epoch has, and a warm start from a study that is not there.
        HubelError: where another process holds the study.
    """

    def __init__(self, fn_args):
        custom = fn_args.custom_config
        self._tune = tune = TuneConfig.model_validate_json(custom["tune"])
        cfg = TrainerSlice.model_validate_json(custom["slice"])
        self._outgrown = custom.get(study.OUTGROWN, {})
        device.tell()
        objectives = worker.training_of(custom)(fn_args, cfg, tune).objectives
        told = [{"name": each.name, "direction": each.direction, "weight": each.weight} for each in objectives]
        declared = space.hyperparameters(tune.space)
        with contextlib.ExitStack() as stack:
            self.study = stack.enter_context(study.opened(fn_args, tune, told))
            question = oracle.Question(
                folder=self.study.folder,
                algorithm=tune.algorithm,
                objective=self.study.record.objective_name,
                direction=self.study.record.direction,
                hyperparameters=declared,
                seed=cfg.seed,
                epochs=tune.epochs or cfg.train.epochs,
                values=space.values,
                executions=tune.executions,
                own_epochs=None if tune.epochs else functools.partial(_epochs, cfg),
            )
            taken = study.earlier(self.study, tune, declared) if not records.trial_files(self.study.folder) else []
            made = oracle.resumed(question, self._budget(), taken)
            super().__init__(made, directory=self.study.folder, project_name=records.KERAS_TUNER)
            self._of_epoch = _of_epoch(cfg, objectives) if tune.objective else ""
            self.oracle = made  # whatever keras-tuner's environment variables say: this process has it
            self._held = stack.pop_all()

    def search(self, *_, **__):
        """Run trials until the budget is spent, the space is, or three in a row failed."""
        with self._held:
            told = [trial.model_dump(mode="json", exclude={"curve"}) for trial in self.trials]
            progress.emit("search", study=self.study.record.model_dump(mode="json"), trials=told)
            if over := records.over(self.trials):
                progress.emit("note", text=f"The search {self.study.record.fingerprint} goes on from {words.count(over, 'trial')}.")
            asked = self.oracle.budget.trials
            if asked is not None and over > asked:
                text = f"{over} trials were tried and {asked} asked for: the answer is the best of all that were tried."
                progress.emit("note", text=text)
            if self._of_epoch:
                progress.emit("note", text=self._of_epoch)
            self.oracle.check_time()
            self.oracle.tell()
            if not self.oracle.is_done():
                self._work()
            self.oracle.withdraw_waiting()
            shutil.rmtree(self.study.folder / records.STATE, ignore_errors=True)
            if self.oracle.is_ill:
                records.note_halt(self.study.folder)
            if self.study.folder.name not in self._outgrown:
                records.note_answer(self.study.folder, study.budget(self._tune))
            if short := records.better_but_short(self.study.record, self.trials):
                name = self.study.record.objective_name
                told = f"{words.count(len(short), 'trial')} with a better {name} than the best ended early"
                progress.emit("note", text=f"{told}: those that were trained to their end go first.")
            if self.oracle.halted:
                progress.emit("warning", text=f"The search ended: {self.oracle.over}.".replace("..", "."))

    @property
    def trials(self) -> list[TrialRecord]:
        """In the order of creation."""
        return records.read(self.study.folder)[1]

    def results(self) -> SimpleNamespace:
        """What TFX writes its artifacts from: trials that were measured, the best first, with values as the config has them.

        Raises:
            HubelError: where there is none.
        """
        trials = self.trials
        ranked = records.ranking(self.study.record, trials)
        if not ranked:
            failed = [trial.reason for trial in trials if trial.status == records.FAILED]
            why = f"{len(failed)} failed, the last: {failed[-1]}" if failed else f"{self.oracle.over or 'none was begun'}."
            raise HubelError(f"No trial of the search completed: {why}", "Look at `hubel list trials`, and at the log.")
        told = [self._told(trial) for trial in ranked]
        listed = SimpleNamespace(max_trials=len(told), get_best_trials=lambda count: told[:count])
        return SimpleNamespace(oracle=listed, get_best_hyperparameters=lambda: [told[0].hyperparameters])

    def save(self):
        """There is nothing to save: the oracle saves itself."""

    def load_model(self, trial):
        """See save_model."""
        raise NotImplementedError("trials keep no weights; read the best hyperparameters instead")

    def save_model(self, trial_id, model, step=0):
        """Trials keep no weights: Trainer trains the best one anew."""

    def _work(self) -> None:
        address, asked, left = roles.chief_address(), self._tune.workers, self.oracle.left()
        workers = asked if left is None else max(1, min(asked, left))
        with Chief(self.oracle, address or ALONE) as chief:
            if address:
                progress.emit("note", text=f"The chief listens at {address}; workers may join.")
                chief.serve_far()
                return
            if workers < asked:
                text = f"{words.count(workers, 'worker')} of {asked} start: there are no more trials to run at the same time."
                progress.emit("note", text=text)
            for text in crew.doubts(workers, max((trial.peak_bytes or 0 for trial in self.trials), default=0)):
                progress.emit("warning", text=text)
            crew.Crew(workers, self.oracle, chief, self.study.lock).work()

    def _budget(self) -> oracle.Budget:
        minutes = self._tune.minutes
        spent = records.spent(records.readable(self.study.folder))  # a search that goes on has what is left
        until = None if minutes is None else time.time() + 60 * minutes - spent
        return oracle.Budget(self._tune.trials, self._tune.total_epochs, until)

    def _told(self, record: TrialRecord) -> keras_trials.Trial:
        hyperparameters = self.oracle.get_space()
        hyperparameters.values = dict(record.values)
        trial = keras_trials.Trial(hyperparameters, record.id, keras_trials.TrialStatus.COMPLETED)
        trial.score = record.value
        return trial


def _of_epoch(cfg: TrainerSlice, objectives: Sequence[Objective]) -> str:
    """What is said where a trial's value may be of another epoch than the best one by it; "" where it cannot be."""
    if cfg.train.keep == "last" or [each.name for each in objectives] == [divergence.VALIDATION]:
        return ""
    return (
        f"A trial's {objective.name(objectives)} is that of the epoch whose weights Trainer keeps: the one of the least "
        f"{divergence.VALIDATION}, or of what its task is judged by in its place."
    )


def _epochs(cfg: TrainerSlice, values: Mapping[str, Any]) -> int:
    """Of a trial's config; of one that the schema refuses, whose trial says why, of the search's."""
    with contextlib.suppress(UsageError):
        return override(cfg, values).train.epochs
    return cfg.train.epochs

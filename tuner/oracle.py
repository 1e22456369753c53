"""keras-tuner's oracles, whose search can be killed at any moment and goes on as if it had not been.

What counts is a trial's record (tuner/records.py), which whoever ran it replaces in one step before the oracle hears of its end.
The oracle's own files are written in one step too, after the trial's; so a kill leaves an oracle that is at most one step behind
the records, and `resume` takes that step. Where its files are damaged they are set aside, and the records are told to a new oracle.
"""

import functools
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine import trial as keras_trials

from components import progress
from components.compat import keras_tuner as compat
from configs import atomic
from configs.entries import path_of
from configs.errors import HubelError, first_line
from tuner import records
from tuner.records import TrialRecord

MOST = 9999  # trials of one search: keras-tuner makes an id as wide as the most, and a wider budget must not change it
DEFAULT_TRIALS = 10  # of a search that has no end of its own
IN_A_ROW = 3  # failed trials that end a search
SILENCE = 120.0  # seconds without a sign of life after which another worker gets a far worker's trial
LOCAL = "worker-"  # what the ids of this machine's own workers begin with
FILE = "oracle.json"
MIXED = "Move the folder away; trials of two spaces are not mixed."
TOLD = ("status", "value", "spread", "epochs", "budget", "short", "seconds", "reason")  # of a trial that is over
LONGEST_GRID = 2000  # trials that are counted before they run
TrialStatus = keras_trials.TrialStatus


@dataclass(frozen=True)
class Question:
    """What an oracle is made from.

    Attributes:
        folder: of the study.
        epochs: a trial's; of Hyperband the most.
        values: of what was drawn, dotted path -> value as a config has it.
        own_epochs: of a trial with such values, where the search is for them too; None: as `epochs`.
    """

    folder: Path
    algorithm: str
    objective: str
    direction: str
    hyperparameters: keras_tuner.HyperParameters
    seed: int
    epochs: int
    values: Callable[[keras_tuner.HyperParameters], dict[str, Any]]
    executions: int = 1
    own_epochs: Callable[[Mapping[str, Any]], int] | None = None

    def epochs_of(self, drawn: Mapping[str, Any]) -> int:
        """That an execution of a trial may take, by what keras-tuner drew for it."""
        if "tuner/epochs" in drawn or self.own_epochs is None:
            return drawn.get("tuner/epochs", self.epochs)
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = dict(drawn)
        return self.own_epochs(self.values(hyperparameters))

    def is_short(self, drawn: Mapping[str, Any]) -> bool:
        """Whether Hyperband gives a trial fewer epochs than its last ones have."""
        return drawn.get("tuner/epochs", self.epochs) < self.epochs


@dataclass(frozen=True)
class Budget:
    """When no further trial begins; None: no such end.

    Attributes:
        until: time.time() of it.
    """

    trials: int | None = None
    total_epochs: int | None = None
    until: float | None = None


class Kept(compat.Saving):
    """Stands before an Oracle of keras-tuner among the bases of a class.

    One thread calls it. Events of progress say what it does: see `components.progress`.

    Attributes:
        over: why no new trial begins; "" while one may. One that was given back still runs again.
        halted: whether none begins at all.
        failure: what went wrong in it; a search cannot go on then.
        warm: ids of the trials of a warm start -> the study that they are from.
    """

    def __init__(self, question: Question, budget: Budget, **options):
        super().__init__(
            objective=keras_tuner.Objective(question.objective, question.direction),
            hyperparameters=question.hyperparameters.copy(),
            tune_new_entries=False,
            allow_new_entries=False,
            seed=question.seed + 1,  # keras-tuner takes 0 for no seed
            max_consecutive_failed_trials=MOST + 1,  # its own way to stop leaves its lock held and the search hanging
            **options,
        )
        self.max_trials = MOST
        self.verbose = 0
        self.question, self.budget = question, budget
        self.over, self.halted = "", False
        self.failure: Exception | None = None
        self.warm: dict[str, str] = {}
        self._failed_in_a_row: list[str] = []
        self._seen: dict[str, float] = {}  # worker -> when it gave a sign of life
        self._came_back: set[str] = set()  # trials that a far worker died in once
        compat.settle(self, question.folder / records.KERAS_TUNER)

    # What keras-tuner asks

    def create_trial(self, tuner_id):
        """As keras-tuner's; the record of a trial that begins is written."""
        try:
            return self._created(tuner_id)
        except Exception as error:
            self.failure = error
            raise

    def update_trial(self, trial_id, metrics, step=0):
        """A sign of life, with the figures of an epoch if step counts one. What counts at the end is the record."""
        worker = next((name for name, trial in self.ongoing_trials.items() if trial.trial_id == trial_id), None)
        if worker is not None:
            self._seen[worker] = time.monotonic()
            figures = {name: value for name, value in metrics.items() if name != self.question.objective or math.isfinite(value)}
            if step:
                epochs = self.epochs_of(self.trials[trial_id])
                progress.emit("trial_epoch", trial=trial_id, epoch=int(step), epochs=epochs, figures=figures)
        return self.trials[trial_id]

    def end_trial(self, trial):
        """As the trial's record says."""
        try:
            self._ended(trial.trial_id)
        except Exception as error:
            self.failure = error
            raise

    def save(self):
        """In one step."""
        self._write(self._file, self.get_state())

    def write_trial(self, trial):
        """In one step."""
        self._write(self._file.with_name(f"trial_{trial.trial_id}") / "trial.json", trial.get_state())

    def get_state(self):
        return {**super().get_state(), "warm": self.warm, "came_back": sorted(self._came_back)}

    def set_state(self, state):
        super().set_state(state)
        self.warm, self._came_back = state["warm"], set(state["came_back"])

    def populate_space(self, trial_id):
        """As keras-tuner's, within the budget."""
        begun = len(self.trials) - len(self.warm)
        if self.budget.trials is not None and begun >= self.budget.trials:
            return self._stopped(f"{begun} trials were asked for")
        before = json.dumps(self.get_state()) if self.budget.total_epochs is not None else ""
        response = self.drawn(trial_id)
        if response["status"] == TrialStatus.RUNNING and before:
            epochs = self.question.epochs_of(response["values"]) * self.question.executions
            if self._planned_epochs() + epochs > self.budget.total_epochs:
                self.set_state(json.loads(before))  # as if it had not been drawn, so that a wider budget draws it
                return self._stopped(f"one more trial has {epochs} epochs, more than are left of {self.budget.total_epochs}")
        if response["status"] == TrialStatus.STOPPED:
            self.over = self.over or "the space holds no further trial"
        return response

    def drawn(self, trial_id):
        """What the algorithm says."""
        return super().populate_space(trial_id)

    # What a search asks

    def resume(self, earlier: Sequence[TrialRecord]) -> int:
        """Go on from the files that an earlier search left. Returns how many trials are over.

        Args:
            earlier: completed trials of another study that lie in this one's space, for one that begins.

        Raises:
            HubelError: for trials of another space.
        """
        told = self._records()
        asked = self.hyperparameters.get_config()["space"]
        if told or self._file.exists():
            try:
                self._load()
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise Damaged(first_line(f"{type(error).__name__}: {error}")) from error
        self._check_same_space(told)
        if self.hyperparameters.get_config()["space"] != asked:
            raise HubelError(f"The search in {self.question.folder} is of another space.", MIXED)
        if unknown := sorted(told.keys() - self.trials.keys()):
            raise Damaged(f"it knows nothing of trial {unknown[0]}")
        self._catch_up(told)
        if not self.trials:
            self.take_over(earlier)
        return sum(trial.status != TrialStatus.RUNNING for trial in self.trials.values())

    def replay(self) -> None:
        """Bring a new oracle to where the records are, by telling it of one trial after the other."""
        told, budget = self._records(), self.budget
        self._check_same_space(told)
        self.budget = Budget()
        ends = sorted((r for r in told.values() if r.is_over and not r.origin), key=lambda r: (r.started + r.seconds, r.id))
        others = 0
        for record in sorted(told.values(), key=lambda r: r.id):
            while ends and record.id > ends[0].id and ends[0].started + ends[0].seconds <= record.started:
                self._finish(ends.pop(0), is_told=False)
            self._draw_lost(record.id)
            others += self._recreate(record)
        for record in ends:
            self._finish(record, is_told=False)
        compat.waiting(self).extend(sorted((t.trial_id for t in self.ongoing_trials.values()), reverse=True))
        self.ongoing_trials, self.budget, self.over = {}, budget, ""
        self.save()
        if others:
            progress.emit(
                "warning", text=f"{others} trials were drawn otherwise when workers shared the search; they stay as they were."
            )

    def fail(self, tuner_id: str, reason: str) -> str | None:
        """End the trial of a worker that died as failed, unless its record says that it was over. Returns its id, if it had one."""
        trial = self.ongoing_trials.get(tuner_id)
        if trial is None:
            return None
        record = self._record(trial.trial_id)
        if not record.is_over:
            seconds = max(0.0, time.time() - record.started)
            record = record.model_copy(update={"status": records.FAILED, "reason": reason, "seconds": seconds})
            records.write_trial(self.question.folder, record)
        self._finish(record)
        return trial.trial_id

    def give_back_silent(self) -> None:
        """Let another worker have the trial of a far one that has given no sign of life for SILENCE seconds."""
        now = time.monotonic()
        for worker, trial in list(self.ongoing_trials.items()):
            silence = now - self._seen.setdefault(worker, now)
            if not worker.startswith(LOCAL) and silence > SILENCE:
                text = f"Worker {worker} has been silent for {silence:.0f} s; its trial {trial.trial_id} goes to another."
                progress.emit("warning", text=text)
                self._give_back(worker)

    def check_time(self) -> None:
        """Stop if there is none left."""
        if self.budget.until is not None and time.time() >= self.budget.until:
            self.stop("its time is up")

    def stop(self, reason: str) -> None:
        """Begin no further trial, not even one that was given back."""
        self.over, self.halted = self.over or reason, True

    @property
    def is_ill(self) -> bool:
        """Whether trials that failed one after the other ended it."""
        return len(self._failed_in_a_row) >= IN_A_ROW

    def is_done(self) -> bool:
        """Whether no trial runs, and none will."""
        return not self.ongoing_trials and (self.halted or (bool(self.over) and not compat.waiting(self)))

    def far_workers(self) -> set[str]:
        """Workers on other machines that have not heard that the search is over."""
        return {worker for worker in self._seen if not worker.startswith(LOCAL)}

    def withdraw_waiting(self) -> int:
        """Leave no record of trials that wait to run again when a search ends; a wider budget runs them. Returns how many."""
        for trial_id in compat.waiting(self):
            records.trial_file(self.question.folder, trial_id).unlink(missing_ok=True)
        return len(compat.waiting(self))

    def epochs_of(self, trial) -> int:
        """That an execution of it may take."""
        return self.question.epochs_of(trial.hyperparameters.values)

    def size(self) -> int | None:
        """How many trials there are to run; None where that is not known."""
        return self.budget.trials

    # How

    @property
    def _file(self) -> Path:
        return self.question.folder / records.KERAS_TUNER / FILE

    @staticmethod
    def _write(path: Path, state: Mapping) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, json.dumps(state))

    def _created(self, tuner_id):
        if tuner_id in self.ongoing_trials:
            trial_id = self.ongoing_trials[tuner_id].trial_id
            progress.emit("note", text=f"Worker {tuner_id} is back from a death; its trial {trial_id} starts anew, once.")
            self._give_back(tuner_id)
        self.check_time()
        self._seen[tuner_id] = time.monotonic()
        if self.halted or (self.over and not compat.waiting(self)):
            return self._ending(tuner_id)
        trial = super().create_trial(tuner_id)
        if trial.status == TrialStatus.RUNNING:
            values = self.question.values(trial.hyperparameters)
            record = TrialRecord(
                id=trial.trial_id,
                values=values,
                drawn=trial.hyperparameters.values,
                budget=self.epochs_of(trial),
                short=self.question.is_short(trial.hyperparameters.values),
                worker=tuner_id,
                started=time.time(),
            )
            records.write_trial(self.question.folder, record)
            progress.emit("trial", trial=trial.trial_id, values=values, worker=tuner_id)
        return self._ending(tuner_id) if trial.status == TrialStatus.STOPPED else trial

    def _ending(self, tuner_id: str):
        """What a worker is told when no trial is left; it has to wait while one of a far worker may be given back."""
        is_awaited = not self.halted and any(not worker.startswith(LOCAL) for worker in self.ongoing_trials)
        if not is_awaited:
            self._seen.pop(tuner_id, None)
        return keras_trials.Trial(self.hyperparameters.copy(), status=TrialStatus.IDLE if is_awaited else TrialStatus.STOPPED)

    def _give_back(self, worker: str) -> None:
        """Have the trial of a far worker that died, or seems to have, run again; once, since it may be what it died of."""
        trial = self.ongoing_trials[worker]
        if trial.trial_id in self._came_back or self._record(trial.trial_id).is_over:
            self.fail(worker, "two workers died in it")
            return
        self._came_back.add(trial.trial_id)
        del self.ongoing_trials[worker]
        compat.waiting(self).append(trial.trial_id)
        self.save()

    def _ended(self, trial_id: str) -> None:
        if all(trial.trial_id != trial_id for trial in self.ongoing_trials.values()):
            progress.emit("note", text=f"Trial {trial_id} was reported twice; what came first counts.")
            return
        record = self._record(trial_id)
        if not record.is_over:
            told = {"status": records.FAILED, "reason": "its worker left no result"}
            record = record.model_copy(update={**told, "seconds": max(0.0, time.time() - record.started)})
            records.write_trial(self.question.folder, record)
        self._finish(record)

    def _finish(self, record: TrialRecord, is_told: bool = True) -> None:
        """Tell keras-tuner of a trial's end."""
        known = self.trials[record.id]
        known.metrics = type(known.metrics)()
        if record.has_value:
            super().update_trial(record.id, {self.question.objective: record.value}, step=record.epochs)
        status = TrialStatus.COMPLETED if record.has_value else TrialStatus.FAILED
        super().end_trial(keras_trials.Trial(known.hyperparameters, record.id, status, record.reason or None))
        self.save()  # without the trial among those that run, of which keras-tuner takes it out last
        if not is_told:
            return
        told = {name: getattr(record, name) for name in TOLD}
        progress.emit("trial_done", trial=record.id, **told)
        self._failed_in_a_row = [*self._failed_in_a_row, record.reason] if record.status == records.FAILED else []
        if self.is_ill:
            self.stop(f"{IN_A_ROW} trials in a row failed, the last: {record.reason}")
        self.tell()

    def left(self) -> int | None:
        """How many trials are not over; None where that is not known."""
        size = self.size()
        return None if size is None else max(0, size - records.over(self._records().values()))

    def tell(self) -> None:
        """Emit how many trials are done, and what is left."""
        told = self._records().values()
        counted, left, measured = records.counts(told), self.left(), [t for t in told if t.has_value and not t.origin]
        mean = records.spent(measured) / len(measured) if measured else None  # what failed may have failed at once
        lasts = [self.budget.until - time.time()] if self.budget.until is not None else []
        lasts += [left * mean] if left is not None and mean is not None else []
        progress.emit(
            "trials",
            done=counted[records.COMPLETED],
            failed=counted[records.FAILED],
            pruned=counted[records.PRUNED],
            left=0 if self.over else left,
            seconds_left=None if not lasts else 0.0 if self.over else max(0.0, min(lasts)),
        )

    def _stopped(self, reason: str):
        self.over = self.over or reason
        return {"status": TrialStatus.STOPPED, "values": None}

    def _planned_epochs(self) -> int:
        """Trained so far, and those that the trials that run may take."""
        ongoing = [self.epochs_of(trial) * self.question.executions for trial in self.ongoing_trials.values()]
        return records.trained_epochs(self._records().values()) + sum(ongoing)

    def _load(self) -> None:
        state = json.loads(self._file.read_text())
        for trial_id in state["start_order"]:  # one beyond these was written, and then the oracle was not
            path = self._file.with_name(f"trial_{trial_id}") / "trial.json"
            trial = self.trials[trial_id] = keras_trials.Trial.from_state(json.loads(path.read_text()))
            if trial_id not in state["end_order"]:  # it ended, and then the oracle was not written
                trial.status, trial.score = TrialStatus.RUNNING, None
        self.set_state(state)

    def _records(self) -> dict[str, TrialRecord]:
        """By id. One that is damaged is set aside: if the oracle knows how the trial ended it is written anew, else the trial runs
        again."""
        told = {}
        for path in records.trial_files(self.question.folder):
            try:
                told[path.stem] = records.read_trial(self.question.folder, path.stem)
            except HubelError:
                _set_aside(path)
        return told

    def _record(self, trial_id: str) -> TrialRecord:
        """Of a trial that the oracle knows; from what it knows, if there is none."""
        try:
            return records.read_trial(self.question.folder, trial_id)
        except HubelError:
            if (path := records.trial_file(self.question.folder, trial_id)).exists():
                _set_aside(path)
        trial = self.trials[trial_id]
        status = {TrialStatus.COMPLETED: records.COMPLETED, TrialStatus.FAILED: records.FAILED}.get(trial.status, records.RUNNING)
        record = TrialRecord(
            id=trial_id,
            values=self.question.values(trial.hyperparameters),
            drawn=trial.hyperparameters.values,
            status=status,
            value=trial.score,
            executions=[trial.score] if trial.score is not None else [],
            budget=self.epochs_of(trial),
            epochs=trial.best_step or 0,
            reason=trial.message or "",
            short=self.question.is_short(trial.hyperparameters.values) or bool(trial.message),  # a reason may be that it was cut
            origin=self.warm.get(trial_id, ""),
            hint=trial_id in self.warm,  # which may not be known any more
        )
        records.write_trial(self.question.folder, record)
        return record

    def _catch_up(self, told: Mapping[str, TrialRecord]) -> None:
        """Take the step that the oracle is behind the records; what ran when the search ended runs again."""
        live = {worker: trial for worker, trial in self.ongoing_trials.items() if trial.trial_id not in self.end_order}
        self.ongoing_trials = live  # keras-tuner saves before it takes out a trial that ended
        for worker in [worker for worker in self.ongoing_trials if worker.startswith(LOCAL)]:
            record = self._record(self.ongoing_trials[worker].trial_id)
            if not record.is_over:
                del self.ongoing_trials[worker]
                compat.waiting(self).append(record.id)
        running = [trial_id for trial_id, trial in self.trials.items() if trial.status == TrialStatus.RUNNING]
        late = [told[trial_id] for trial_id in running if trial_id in told and told[trial_id].is_over]
        for record in sorted(late, key=lambda r: (r.started + r.seconds, r.id)):
            if record.id in compat.waiting(self):
                compat.waiting(self).remove(record.id)
            self._finish(record, is_told=False)
        kept = {*compat.waiting(self), *(trial.trial_id for trial in self.ongoing_trials.values())}
        compat.waiting(self).extend(t for t in running if t not in kept and self.trials[t].status == TrialStatus.RUNNING)
        compat.waiting(self).sort(reverse=True)  # keras-tuner takes the last
        for trial_id, trial in self.trials.items():
            if trial.status != TrialStatus.RUNNING and trial_id not in told:
                self._record(trial_id)

    def _check_same_space(self, told: Mapping[str, TrialRecord]) -> None:
        known = {path_of(entry.name) for entry in self.hyperparameters.space}
        for record in told.values():
            if strange := sorted(record.values.keys() - known):
                raise HubelError(
                    f"Trial {record.id} in {self.question.folder} is of another space: it has {strange[0]}.",
                    MIXED,
                )

    def take_over(self, earlier: Sequence[TrialRecord]) -> None:
        """Begin with trials of another study, as completed ones."""
        taken = [record.model_copy(update={"id": f"{number:04d}"}) for number, record in enumerate(earlier)]
        for record in taken:
            self._insert(record)
        if taken:
            self.save()  # all or none
        for record in taken:
            records.write_trial(self.question.folder, record)

    def _insert(self, record: TrialRecord) -> None:
        """Have a trial that this oracle did not draw among its own, as completed if it has a value."""
        hyperparameters = self.hyperparameters.copy()
        hyperparameters.values = dict(record.drawn)
        trial = keras_trials.Trial(hyperparameters, record.id)
        self.trials[record.id] = trial
        self.start_order.append(record.id)
        if not record.hint:  # whose values are tried here, if they are drawn: a hint is no answer
            compat.remember(self, trial)
        if record.origin:
            self.warm[record.id] = record.origin
            trial.metrics.register(self.question.objective, self.question.direction)
            trial.metrics.update(self.question.objective, record.value, step=record.epochs)
            trial.status = TrialStatus.COMPLETED
            self.score_trial(trial)
            self.end_order.append(record.id)
        else:
            self.ongoing_trials[f"{LOCAL}of-{record.id}"] = trial
        self.write_trial(trial)

    def _draw_lost(self, until: str) -> None:
        """Draw those before a trial that have no record any more, to run again; one that is not drawn now has failed."""
        while (lost := f"{len(self.trials):0{len(str(MOST))}d}") < until:
            trial = super().create_trial(f"{LOCAL}of-{lost}")
            if trial.status != TrialStatus.RUNNING:
                reason = "Its record is damaged, and so is what the oracle had saved."
                record = TrialRecord(id=lost, values={}, status=records.FAILED, reason=reason)
                self._insert(record)
                records.write_trial(self.question.folder, record)
                self._finish(record, is_told=False)

    def _recreate(self, record: TrialRecord) -> bool:
        """Draw a trial that was drawn before. Returns whether the oracle would have drawn another."""
        if record.origin:
            self._insert(record)
            return False
        before = json.dumps(self.get_state())
        trial = super().create_trial(f"{LOCAL}of-{record.id}")
        if trial.status == TrialStatus.RUNNING and trial.trial_id == record.id and trial.hyperparameters.values == record.drawn:
            return False
        if trial.status == TrialStatus.RUNNING:
            del self.trials[trial.trial_id]
            self.set_state(json.loads(before))
        self._insert(record)
        return True


def _set_aside(record: Path) -> None:
    """Of a trial, whose record is damaged."""
    aside = atomic.set_aside(record)
    text = f"The record of trial {record.stem} is damaged. It is set aside as {aside.name}; what the oracle knows of it counts"
    progress.emit("warning", text=f"{text}, and if that is not how it ended, it runs again.")


class Damaged(Exception):
    """The files of an oracle cannot be gone on from."""


class Random(Kept, keras_tuner.oracles.RandomSearchOracle):
    """keras-tuner's; the values of a trial are those of its number."""


class Grid(Kept, keras_tuner.oracles.GridSearchOracle):
    """keras-tuner's order of the grid, with the last trial as its only state.

    keras-tuner keeps a linked list, for entries that a model declares while the search runs, does not save it, and so cannot go on
    (its issue 1055); and it waits for a trial to end before it draws the next but one. Here nothing is declared later.
    """

    def drawn(self, trial_id):
        own = [known for known in self.start_order if known not in self.warm]
        values = self._first() if not own else compat.next_in_grid(self, self.trials[own[-1]].hyperparameters.values)
        while values is not None and compat.is_known(self, values):  # of a warm start
            values = compat.next_in_grid(self, values)
        return {"status": TrialStatus.STOPPED if values is None else TrialStatus.RUNNING, "values": values}

    def _first(self) -> dict[str, Any]:
        hyperparameters = self.get_space()
        hyperparameters.values = {}
        for entry in hyperparameters.space:
            if hyperparameters.is_active(entry):
                hyperparameters.values[entry.name] = entry.default
        return hyperparameters.values

    def size(self):
        return min(filter(None, [self.budget.trials, self._whole()]), default=None)

    @functools.cache  # noqa: B019 - of the one oracle of a search
    def _whole(self) -> int | None:
        """How many trials the grid has; None for more than are worth counting."""
        values = self._first()
        for number in range(1, LONGEST_GRID + 1):
            values = compat.next_in_grid(self, values)
            if values is None:
                return number
        return None


class Bayesian(Kept, keras_tuner.oracles.BayesianOptimizationOracle):
    """keras-tuner's, whose random numbers are those of a trial's number: it does not save the state of its own. Where it would try
    the same values again, others are drawn at random."""

    def drawn(self, trial_id):
        compat.draw_by(self, [self.seed, len(self.trials)])
        response = super().drawn(trial_id)
        if response["status"] == TrialStatus.RUNNING and compat.is_known(self, response["values"]):
            values = compat.draw_at_random(self)
            return {"status": TrialStatus.STOPPED if values is None else TrialStatus.RUNNING, "values": values}
        return response


class Hyperband(Kept, keras_tuner.oracles.HyperbandOracle):
    """keras-tuner's."""

    def size(self):
        return min(filter(None, [self.budget.trials, compat.trials_of_hyperband(self)]))


ORACLES = {"random": Random, "grid": Grid, "bayesian": Bayesian, "hyperband": Hyperband}


def make(question: Question, budget: Budget) -> Kept:
    """A new oracle."""
    options = {"max_epochs": question.epochs} if question.algorithm == "hyperband" else {}
    if (
        budget.trials is None
        and question.algorithm in ("random", "bayesian")
        and (budget.total_epochs, budget.until) == (None, None)
    ):
        budget = Budget(DEFAULT_TRIALS)
    return ORACLES[question.algorithm](question, budget, **options)


def resumed(question: Question, budget: Budget, earlier: Sequence[TrialRecord] = ()) -> Kept:
    """An oracle that goes on from where an earlier search of this question ended.

    Args:
        earlier: of another study, for one that begins; see `Kept.resume`.

    Raises:
        HubelError: for trials of another space.
    """
    oracle = make(question, budget)
    try:
        oracle.resume(earlier)
    except Damaged as damage:
        aside = atomic.set_aside(question.folder / records.KERAS_TUNER)
        text = f"What the oracle had saved is damaged ({damage}). It is set aside as {aside.name}; the trials count."
        progress.emit("warning", text=text)
        oracle = make(question, budget)
        oracle.replay()
        if not oracle.trials:
            oracle.take_over(earlier)
    if budget.trials is not None and len(oracle.trials) - len(oracle.warm) >= budget.trials:
        oracle.over = f"{budget.trials} trials were asked for"
    return oracle

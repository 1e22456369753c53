"""A worker of a search: keras-tuner's own Tuner, which asks the chief for one trial after the other and runs them; its process is
tuner/worker_process.py's, those of another machine are tuner/far.py's."""

import contextlib
import importlib
import math
import os
import queue
import resource
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
from keras_tuner.engine import base_tuner
from keras_tuner.errors import FailedTrialError, FatalError

from components import progress
from components.compat import keras_tuner as compat
from configs.errors import HubelError, first_line, log_traceback
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.tune import TuneConfig
from tuner import chief, reach, records, trial
from tuner import study as studies
from tuner.records import TrialRecord

TRAINING = f"{trial.__name__}:Training"
GROWTH = 1.06  # resident memory after a trial, to that after the first one, at which it is renewed
PAUSE = 0.3  # seconds until one that was told to wait asks again
BEAT = 10.0  # seconds between signs of life
SAID = 8.0  # seconds after which a worker says that no chief answers
WAIT = 3600.0  # seconds for which it waits for one that does not
SHARED = 30.0  # seconds that a file of another machine may take to be seen
OUTCOME = ("status", "value", "spread", "executions", "curve", "kept", "epochs", "reason")  # of a training, that a record has
STATUS = Path("/proc/self/status")


class Renewed(BaseException):
    """Ends a search, and the process, between two trials."""


def training_of(custom: dict[str, Any]) -> type:
    """What a trial is, by custom_config: a class as tuner.trial.Training."""
    module, _, kind = custom.get("training", TRAINING).partition(":")
    return getattr(importlib.import_module(module), kind)


class Worker(base_tuner.BaseTuner):
    """Runs trials in this process.

    Args:
        folder: of the study.
        address: the chief's.
        name: an id that stays when the process is started anew.
    """

    def __init__(self, folder: Path, address: str, name: str):
        self.folder, self.name = folder, name
        self._study = records.read_study(folder)
        told = studies.given(folder)
        tune = TuneConfig.model_validate_json(told.custom_config["tune"])
        cfg = TrainerSlice.model_validate_json(told.custom_config["slice"])
        self._training = training_of(told.custom_config)(told, cfg, tune)
        self._first_size: int | None = None
        self.trials_run = 0
        host, port = chief.parsed(address)
        os.environ.update(KERASTUNER_ORACLE_IP=host, KERASTUNER_ORACLE_PORT=str(port), KERASTUNER_TUNER_ID=name)
        objective = keras_tuner.Objective(self._study.objective_name, self._study.direction)
        super().__init__(keras_tuner.Oracle(objective), directory=folder, project_name=records.KERAS_TUNER)
        channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        compat.connect(self.oracle, channel, _Patience(folder, address, channel).calling, PAUSE)

    def run_trial(self, trial):
        """Run one and write its record. Returns its objective.

        Raises:
            FailedTrialError: where it has none.
        """
        record = self._record(trial.trial_id)
        state = self.folder / records.STATE / record.id
        shutil.rmtree(state, ignore_errors=True)  # of one that was interrupted: it starts anew
        reset_peak()
        begun = time.monotonic()
        with _Beats(self.oracle, record.id, self._study.objective_name) as beats:
            try:
                told = (self._curves(), self._deadline(), beats.on_epoch, self._left())
                outcome = self._training.run(record.values, record.budget, state, *told)
                came_to = {name: getattr(outcome, name) for name in OUTCOME} | {"short": record.short or outcome.short}
            except Exception as error:
                log_traceback()
                came_to = {"status": records.FAILED, "reason": f"{type(error).__name__}: {first_line(error)}"}
        shutil.rmtree(state, ignore_errors=True)
        record = record.model_copy(update={**came_to, "seconds": time.monotonic() - begun, "peak_bytes": peak()})
        self._write(record)
        self.trials_run += 1
        if not record.has_value:
            raise FailedTrialError(record.reason)
        return record.value

    def on_trial_end(self, trial):
        """Tell the chief. Raises Renewed where memory has grown."""
        super().on_trial_end(trial)
        size = resident()
        self._first_size = self._first_size or size
        if size > GROWTH * self._first_size:
            raise Renewed

    def save(self):
        """There is nothing to save: the chief has the oracle."""

    def load_model(self, trial):
        """See save_model."""
        raise NotImplementedError("trials keep no weights; read the best hyperparameters instead")

    def save_model(self, trial_id, model, step=0):
        """Trials keep no weights: Trainer trains the best one anew."""

    def _record(self, trial_id: str) -> TrialRecord:
        """That the chief wrote for this worker."""
        end = time.monotonic() + SHARED
        while True:
            with contextlib.suppress(HubelError):
                record = records.read_trial(self.folder, trial_id)
                if record.worker == self.name and not record.is_over:
                    return record
            if time.monotonic() > end:
                raise Lost(
                    f"The chief gave trial {trial_id}, and its record is not in {self.folder}.", "Do both see one workspace?"
                )
            time.sleep(0.2)

    def _write(self, record: TrialRecord) -> None:
        """Unless the trial was given to another worker meanwhile, or its end was."""
        with contextlib.suppress(HubelError):
            there = records.read_trial(self.folder, record.id)
            if there.worker != self.name or there.is_over:
                progress.emit("note", text=f"Trial {record.id} was given to another worker meanwhile; what came first counts.")
                return
        records.write_trial(self.folder, record)

    def _curves(self) -> list[list[dict[str, float]]]:
        """Of the study's own trials that completed: those of a warm start may be of other data."""
        return [trial.curve for trial in self._over() if trial.status == records.COMPLETED and trial.curve and not trial.origin]

    def _left(self) -> int | None:
        """Epochs that all trials may still have."""
        total = records.read_study(self.folder).asked.get("total_epochs")
        return None if total is None else max(1, total - records.trained_epochs(self._over()))

    def _over(self) -> list[TrialRecord]:
        """Trials that are over, of which each can be read."""
        return [trial for trial in records.readable(self.folder) if trial.is_over]

    def _deadline(self) -> float | None:
        """Of time.monotonic()."""
        until = (chief.told(self.folder) or {}).get("until")
        return None if until is None else time.monotonic() + until - time.time()


class _Beats:
    """Tells the chief, by its own call for intermediate results, that a trial goes on, and of its epochs. A thread does it: no
    training waits for a chief."""

    def __init__(self, oracle, trial_id: str, objective: str):
        self._oracle, self._trial_id, self._objective = oracle, trial_id, objective
        self._epochs: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._epochs.put(None)
        self._thread.join(BEAT)

    def on_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        """epoch: from 0."""
        self._epochs.put((epoch + 1, {name: float(value) for name, value in figures.items()}))

    def _beat(self) -> None:
        with contextlib.suppress(FatalError):  # the trial's end says it
            while True:
                step, figures = 0, {}
                with contextlib.suppress(queue.Empty):
                    told = self._epochs.get(timeout=BEAT)
                    if told is None:
                        return
                    step, figures = told
                self._oracle.update_trial(self._trial_id, {self._objective: math.nan, **figures}, step=step)


class _Patience:
    """Waits for a chief that is slow to start, or died and will be back, and says so."""

    def __init__(self, folder: Path, address: str, channel: grpc.Channel):
        self._folder, self._address, self._channel = folder, address, channel

    def calling(self, call):
        """A call to the chief that waits."""

        def patiently(request, timeout=None, wait_for_ready=None):
            while True:
                try:
                    return call(request, timeout=timeout)
                except grpc.RpcError as error:
                    if error.code() is not grpc.StatusCode.UNAVAILABLE:
                        raise Lost(f"The chief could not go on: {first_line(error.details())}.", "Its log says why.") from None
                await_chief(self._channel, self._address, self._folder)

        return patiently


class Lost(HubelError, FatalError):
    """No chief, or none that shares this workspace. FatalError: keras-tuner lets it end the search, not the trial alone."""


class Over(FatalError):
    """The search ended."""


def await_chief(channel: grpc.Channel, address: str, folder: Path | None = None) -> None:
    """Wait for a chief to answer, and say so where that takes long.

    Args:
        folder: of the study, once it is known.

    Raises:
        Over: where the search of that study has ended.
        HubelError: where none answers for WAIT seconds.
    """
    begun, is_said = time.monotonic(), False
    while True:
        ready = grpc.channel_ready_future(channel)
        try:
            return ready.result(timeout=1.0 if folder is not None else SAID)
        except grpc.FutureTimeoutError:
            ready.cancel()
        waited = time.monotonic() - begun
        if folder is not None and chief.told(folder) is None:
            raise Over
        if waited >= SAID - 1 and not is_said:
            is_said = True
            progress.emit(
                "warning", text=f"No chief answers at {address}: {_why(address)}. Waiting for it, up to {WAIT / 60:.0f} minutes."
            )
        if waited > WAIT:
            raise HubelError(
                f"No chief answered at {address} for {WAIT / 60:.0f} minutes.", "Start `hubel tune --role chief` there."
            )


def _why(address: str) -> str:
    return reach.silence(*chief.parsed(address), seconds=1.0) or "something else listens there, or it is busy"


def resident() -> int:
    """Bytes of this process in memory now."""
    return _of_status("VmRSS") or peak()


def peak() -> int:
    """Bytes of this process in memory at most, since `reset_peak` where the system can do that."""
    return _of_status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def reset_peak() -> None:
    """Have `peak` begin anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _of_status(name: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in STATUS.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None

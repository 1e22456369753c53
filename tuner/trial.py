"""A trial: Trainer's own training with other values, seen on the validation split alone, and its figures.

A process opens a Training once. It knows nothing of how values are chosen.
"""

import functools
import shutil
import statistics
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from components import inputs
from components.tasks.by_name import name_of, task_of
from components.trainer import checks
from components.trainer.data import Data
from components.trainer.epochs import Decoded
from components.trainer.phases import Phase
from components.trainer.progress import Watch
from components.trainer.training import begun, data_of, entry_of, kept_epochs, phases_of, train_in_phases
from configs import words
from configs.errors import HubelError, first_line
from configs.override import override
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.tune import TuneConfig
from tuner import figures, memory, objective, pruning
from tuner.objective import Objective
from tuner.pruning import Curve

COMPLETED, PRUNED, FAILED = "completed", "pruned", "failed"
CACHE_BYTES = 2**30  # decoded examples of all ways of choosing them that are kept between trials; one way is kept in any case
OPENED = 8  # ways of batching and augmenting the same ones that are kept; another is opened without decoding

OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Outcome:
    """What a trial came to.

    value: the mean of `executions`; None where there is none. spread: sample standard deviation of two executions or more.
    executions: the objective of each training, at the epoch whose weights Trainer would keep. curve: figures by epoch of the first
    one. epochs: trained by all of them, those of pre-training included. seconds: of wall time. reason: one sentence or several, why
    it failed, was pruned or stopped early; "" where there is nothing to say. kept: the epoch of the curve that is kept, from 1; 0:
    none. short: whether a limit ended it before its end, or before all executions.
    """

    status: Literal["completed", "pruned", "failed"]
    value: float | None = None
    spread: float | None = None
    executions: list[float] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""
    kept: int = 0
    short: bool = False


class Training:
    """What trials of a process share: the question, and the data that was read.

    Reads of fn_args what Trainer's run_fn does, but neither hyperparameters nor where to write.
    """

    def __init__(self, fn_args, cfg: TrainerSlice, tune: TuneConfig):
        """Raises UsageError for an objective that no epoch has; see figures.objectives."""
        self._fn_args, self._cfg, self._tune = fn_args, cfg, tune
        self._custom = fn_args.custom_config
        entry = entry_of(self._custom, cfg)
        self._reads, self._task = entry.reads, task_of(self._custom.get("task") or name_of(entry.task, cfg.anomaly))
        self._rows: OrderedDict[str, _Rows] = OrderedDict()
        self.objectives = figures.objectives(self._custom, cfg, tune)
        memory.settle()

    def run(
        self,
        values: Mapping[str, Any],
        epochs: int,
        state: Path,
        curves: Sequence[Curve] = (),
        deadline: float | None = None,
        on_epoch: OnEpoch | None = None,
        left: int | None = None,
    ) -> Outcome:
        """Train `tune.executions` times, with the seeds seed, seed + 1, ... of the config.

        Args:
            values: dotted path -> value.
            epochs: in the place of train.epochs.
            state: folder for what a training keeps while it runs; cleared before and after.
            curves: of earlier trials, for `tune.pruning`, which ends the first execution alone: curves are of that one.
            deadline: of time.monotonic; the epoch that runs then is the last one.
            on_epoch: hears of each epoch of the first execution, counted from 0, and its figures.
            left: epochs that all executions may take together.

        Returns:
            An Outcome whatever happens, but for what ends the process: KeyboardInterrupt and SystemExit pass.
        """
        limits = _Limits(deadline, left)
        executions, variables = _Executions(self.objectives, limits, self._tune.executions), memory.Variables()
        shutil.rmtree(state, ignore_errors=True)
        try:
            cfg = override(self._cfg, {**values, "train.epochs": epochs})
            others = curves if pruning.is_asked(self._tune.pruning, self._tune.algorithm) else ()
            for number in range(self._tune.executions):
                watch = executions.begin(_Watch(self.objectives, limits, () if number else others, None if number else on_epoch))
                with variables:
                    self._train(cfg.model_copy(update={"seed": cfg.seed + number}), state / str(number), watch)
                if not executions.end():
                    break
                variables.release()
        except (MemoryError, tf.errors.ResourceExhaustedError):
            return executions.failed("It ran out of memory.")
        except HubelError as error:
            return executions.failed(error.message)
        except Exception as error:  # of a builder or a layer of somebody's own: anything
            return executions.failed(f"{type(error).__name__}: {first_line(error)}")
        finally:
            shutil.rmtree(state, ignore_errors=True)
            variables.release()
        return executions.outcome()

    def _train(self, cfg: TrainerSlice, state: Path, watch: "_Watch") -> None:
        """As Trainer's run_fn does."""
        checks.check(cfg, self._task)
        data, entry = self._data_for(cfg), entry_of(self._custom, cfg)
        model = begun(self._fn_args, entry, self._task, data, cfg)
        phases = phases_of(self._task, cfg, model)
        watch.begin(phases)
        try:
            _, states = train_in_phases(phases, model, data, cfg, state, watch)
            watch.kept = kept_epochs(phases, states)
        finally:
            watch.end()

    def _data_for(self, cfg: TrainerSlice) -> Data:
        """Opened once for each way of ordering, batching and augmenting, and decoded once for all of them: by way of choosing and
        labelling, of which the last ones are kept."""
        shots = cfg.transfer.shots if cfg.transfer else None
        drawn = cfg.seed if cfg.train.random_labels or shots else None
        way = str((cfg.transform.model_dump_json(), cfg.train.random_labels, shots, drawn))
        rows = self._rows[way] = self._rows.pop(way, None) or _Rows()  # the last one used
        key = str((cfg.seed, cfg.train.batch_size, [step.model_dump_json() for step in cfg.augment]))
        data = rows.opened.pop(key, None) or data_of(self._fn_args, cfg, self._task, self._reads, rows.decoded)
        rows.opened[key] = data
        while len(rows.opened) > OPENED:
            rows.opened.popitem(last=False)
        each = 2 * data.info.train_images * inputs.input_of(self._reads).bytes_of(cfg.transform)  # validation is no larger
        while len(self._rows) > max(1, CACHE_BYTES // each):
            self._rows.popitem(last=False)
        return data


@dataclass
class _Rows:
    """What is read of one way of choosing and labelling examples: their rows, and data that was opened over these, the last used
    last."""

    decoded: Decoded = field(default_factory=Decoded)
    opened: OrderedDict[str, Data] = field(default_factory=OrderedDict)


class _Limits:
    """What ends a trial that is neither good nor bad."""

    def __init__(self, deadline: float | None, left: int | None):
        self._deadline, self._left, self.epochs = deadline, left, 0

    @property
    def reason(self) -> str:
        """Which one is reached; "" while none is."""
        if self._left is not None and self.epochs >= self._left:
            return "the epochs of tune.total_epochs are spent"
        return "the time of tune.minutes is over" if self._deadline is not None and time.monotonic() >= self._deadline else ""


class _Watch(Watch):
    """Looks on at one execution, and ends it."""

    def __init__(self, objectives: Sequence[Objective], limits: _Limits, others: Sequence[Curve], on_epoch: OnEpoch | None):
        self._objectives, self._limits, self._others, self._on_epoch = objectives, limits, others, on_epoch
        self._last: Phase | None = None
        self.epochs = 0  # of the phases that fit the whole model
        self.curve: list[dict[str, float]] = []
        self.kept = 0  # which epoch of the curve Trainer would keep the weights of, from 1
        self.said: list[str] = []
        self.behind = ""  # the sentence on a trial that is
        self.cut = ""  # where it was ended by a limit, which one

    @property
    def is_over(self):
        return bool(self.behind or self.cut)

    def begin(self, phases: Sequence[Phase]) -> None:
        """Hear what the training is made of."""
        self._last, self.epochs = phases[-1], sum(phase.train.epochs for phase in phases if phase.part is None)

    def end(self) -> None:
        """Let go of the phases, which may have networks."""
        self._last = None

    def callbacks(self, phase):
        return [_Epochs(functools.partial(self._epoch, phase or self._last))]

    def note(self, text):
        """Of what is done nobody asks while many trials run."""

    def warn(self, text):
        self.said.append(f"{text[0].upper()}{text[1:].rstrip('.')}.")

    def _epoch(self, phase: Phase, epoch: int, logs: Mapping[str, float]) -> bool:
        """Take in the figures of an epoch. Whether it is the last one."""
        self._limits.epochs += 1
        if phase.part is None:
            self.curve.append({name: float(value) for name, value in logs.items()})
            if self._on_epoch:
                self._on_epoch(len(self.curve) - 1, self.curve[-1])
        is_last = phase is self._last and epoch + 1 >= phase.train.epochs
        if is_last:
            return False
        if phase.part is None and self._others and pruning.is_behind(self._objectives, self.curve, self._others):
            self.behind = pruning.words(self._objectives, self.curve, self._others)
        self.cut = self._limits.reason
        return self.is_over


class _Epochs(keras.callbacks.Callback):
    """Tells of each epoch, and ends a fit where that says so."""

    def __init__(self, epoch_end: Callable[[int, Mapping[str, float]], bool]):
        super().__init__()
        self._epoch_end = epoch_end

    def on_epoch_end(self, epoch, logs=None):
        if self._epoch_end(epoch, logs or {}):
            self.model.stop_training = True


class _Executions:
    """Trainings of a trial, as far as they came."""

    def __init__(self, objectives: Sequence[Objective], limits: _Limits, asked: int):
        self._objectives, self._limits, self._asked = objectives, limits, asked
        self._started = time.monotonic()
        self._watches: list[_Watch] = []
        self._values: list[float] = []

    def begin(self, watch: _Watch) -> _Watch:
        self._watches.append(watch)
        return watch

    def end(self) -> bool:
        """Take in the value of the one that ran, at the epoch whose weights Trainer would keep. Whether a further one may run.
        Raises HubelError where there is no value."""
        watch, name = self._watches[-1], objective.name(self._objectives)
        if not watch.kept:
            raise HubelError(f"No epoch had a finite {name}: {watch.cut} before one of the whole model.")
        reached = objective.value(self._objectives, watch.curve[watch.kept - 1])
        if reached is None:
            raise HubelError(f"Epoch {watch.kept}, whose weights would be kept, has no finite {name}.")
        self._values.append(reached)
        return len(self._watches) < self._asked and not watch.is_over and not self._limits.reason

    def failed(self, reason: str) -> Outcome:
        """The trial as it ends with an error."""
        return self._outcome(FAILED, reason)

    def outcome(self) -> Outcome:
        """The trial as it came to its end."""
        last, told = self._watches[-1], dict.fromkeys(text for watch in self._watches for text in watch.said)
        said = [*told, *([last.behind] if last.behind else [])]
        if last.cut:
            of = f"epoch {len(last.curve)} of {last.epochs}"
            said.append(f"Stopped after {of}: {last.cut}.")
        if not last.behind and len(self._watches) < self._asked:
            why = "" if last.cut else f": {self._limits.reason}"
            said.append(f"{len(self._watches)} of {words.count(self._asked, 'execution')} ran{why}.")
        return self._outcome(PRUNED if last.behind else COMPLETED, " ".join(said))

    def _outcome(self, status, reason: str) -> Outcome:
        return Outcome(
            status,
            statistics.fmean(self._values) if self._values and status != FAILED else None,
            statistics.stdev(self._values) if len(self._values) > 1 else None,
            list(self._values),
            self._watches[0].curve if self._watches else [],
            self._limits.epochs,
            time.monotonic() - self._started,
            reason,
            kept=self._watches[0].kept if self._watches else 0,
            short=bool(self._watches) and (self._watches[-1].is_over or len(self._watches) < self._asked),
        )

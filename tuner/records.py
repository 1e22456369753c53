"""What a search leaves for whoever reads it: a study and its trials, as JSON files that appear whole. Light: no library of TFX's.

A study's folder is workspace/tuning/NAME/FINGERPRINT:

    study.json          what was asked (StudyRecord)
    trials/ID.json      one trial (TrialRecord); its file is what counts, keras_tuner's is brought to it
    keras_tuner/        the oracle's own files
    state/ID            what a training keeps while it runs
    index.html, hparams/, lock
"""

import contextlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from configs import atomic
from configs.errors import HubelError, first_line

STUDY, TRIALS, KERAS_TUNER, STATE, PAGE, HPARAMS, LOCK = (
    "study.json",
    "trials",
    "keras_tuner",
    "state",
    "index.html",
    "hparams",
    "lock",
)

RUNNING, COMPLETED, PRUNED, FAILED = "running", "completed", "pruned", "failed"
Status = Literal["running", "completed", "pruned", "failed"]

Figure = Annotated[
    float, BeforeValidator(lambda value: math.nan if value is None else value)
]  # JSON has null for what is no number


class Record(BaseModel):
    """Frozen; a key that it does not know, as a later hubel may write, is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_inf_nan="null")


class TrialRecord(Record):
    """One trial.

    Attributes:
        id: counts up in the order of creation; those of a warm start come first.
        values: dotted path -> value, of the entries of the space whose condition holds.
        drawn: the same as keras-tuner has it, with its own bookkeeping.
        value: the objective, mean over executions; None where none was reached.
        spread: sample standard deviation of the executions, of 2 or more.
        budget: epochs that an execution may take.
        epochs: trained, of all executions.
        curve: figures by epoch of the first execution.
        kept: the epoch of it, from 1, whose weights Trainer keeps and whose figures the value is of; 0: none.
        peak_bytes: resident memory of the process at most.
        reason: why it failed or was pruned, a sentence.
        worker: id of the process that ran it.
        started: when, seconds since 1970.
        short: whether it ended before a training of its values would: by a limit of the search, or Hyperband gave it few epochs.
        origin: the study that a warm start took it from.
        hint: whether that study's figures cannot be compared with this one's: it tells an oracle where to look, and cannot win.
    """

    id: str
    values: dict[str, Any]
    drawn: dict[str, Any] = {}
    status: Status = RUNNING
    value: float | None = None
    spread: float | None = None
    executions: list[Figure] = []
    budget: int = 0
    epochs: int = 0
    curve: list[dict[str, Figure]] = []
    kept: int = 0
    seconds: float = 0.0
    peak_bytes: int | None = None
    reason: str = ""
    worker: str = ""
    started: float = 0.0
    short: bool = False
    origin: str = ""
    hint: bool = False

    @property
    def is_over(self) -> bool:
        return self.status != RUNNING

    @property
    def has_value(self) -> bool:
        """Whether it was measured: completed, or pruned after it had a figure."""
        return self.status in (COMPLETED, PRUNED) and self.value is not None and math.isfinite(self.value)

    @property
    def is_candidate(self) -> bool:
        """Whether it may be the best of its study."""
        return self.has_value and not self.hint

    @property
    def is_whole(self) -> bool:
        """Whether it was trained as Trainer would train its values, so that its value is what they come to."""
        return self.status == COMPLETED and not self.short


class StudyRecord(Record):
    """What a search asks.

    Attributes:
        config: its name.
        objective: {name, direction, weight} each; of several the weighted sum is minimised, those to maximise counted negative.
        space: tune.space as JSON.
        fingerprint: of config, space, objective, algorithm, seed, source and input artifacts; names the folder.
        started: when it was first begun, seconds since 1970.
        asked: trials, epochs, total_epochs, minutes, workers, executions, pruning, as they were asked last.
        runs: ids of the runs that worked on it.
        halts: how often trials that failed one after the other ended it.
        answers: budget -> how many of its own trials were over when a search with that budget gave its answer first.
    """

    config: str
    algorithm: str
    objective: list[dict[str, Any]]
    space: dict[str, Any]
    seed: int
    fingerprint: str
    started: float
    asked: dict[str, Any] = {}
    warm_start: str | None = None
    runs: list[str] = []
    halts: int = 0
    answers: dict[str, int] = {}

    @property
    def direction(self) -> Literal["min", "max"]:
        """Where a better value lies."""
        return self.objective[0]["direction"] if len(self.objective) == 1 else "min"

    @property
    def objective_name(self) -> str:
        return self.objective[0]["name"] if len(self.objective) == 1 else "objective"


def write_study(folder: Path, study: StudyRecord) -> None:
    """Into a study's folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_text(folder / STUDY, study.model_dump_json(indent=1))


def write_trial(folder: Path, trial: TrialRecord) -> None:
    """Into a study's folder."""
    (folder / TRIALS).mkdir(parents=True, exist_ok=True)
    atomic.write_text(trial_file(folder, trial.id), trial.model_dump_json())


def note_run(folder: Path, run: str) -> None:
    """Have a study's record name a run that works on it. Whoever holds the study may."""
    study = read_study(folder)
    write_study(folder, study.model_copy(update={"runs": list(dict.fromkeys([*study.runs, run]))}))


def note_halt(folder: Path) -> None:
    """Have a study's record say that failed trials ended it. Whoever holds the study may."""
    study = read_study(folder)
    write_study(folder, study.model_copy(update={"halts": study.halts + 1}))


def halts(tuning: Path) -> int:
    """How often failed trials ended a study of one config (workspace/tuning/NAME)."""
    total = 0
    for folder in studies(tuning):
        with contextlib.suppress(HubelError):
            total += read_study(folder).halts
    return total


def note_answer(folder: Path, budget: str) -> None:
    """Have a study's record say that a search with this budget ended. Whoever holds the study may."""
    study, trials = read(folder)
    write_study(folder, study.model_copy(update={"answers": {**study.answers, budget: over(trials)}}))


def outgrown(tuning: Path, budget: str) -> dict[str, int]:
    """Of the studies of one config (workspace/tuning/NAME) those that have other trials than when a search with this budget
    answered: fingerprint -> how many are over."""
    grown = {}
    for folder in studies(tuning):
        with contextlib.suppress(HubelError):
            study, trials = read(folder)
            if study.answers.get(budget, over(trials)) != over(trials):
                grown[folder.name] = over(trials)
    return grown


def trial_file(folder: Path, trial_id: str) -> Path:
    return folder / TRIALS / f"{trial_id}.json"


def read_study(folder: Path) -> StudyRecord:
    """Raises HubelError where there is none, or it is damaged."""
    return _read(folder / STUDY, StudyRecord)


def read_trial(folder: Path, trial_id: str) -> TrialRecord:
    """Raises HubelError where there is none, or it is damaged."""
    return _read(trial_file(folder, trial_id), TrialRecord)


def read(folder: Path) -> tuple[StudyRecord, list[TrialRecord]]:
    """A study and its trials in the order of creation. Raises HubelError for what is damaged."""
    return read_study(folder), [_read(path, TrialRecord) for path in trial_files(folder)]


def readable(folder: Path) -> list[TrialRecord]:
    """Trials of a study in the order of creation, without those whose record is damaged: a search that goes on sets these aside."""
    told = []
    for path in trial_files(folder):
        with contextlib.suppress(HubelError):
            told.append(_read(path, TrialRecord))
    return told


def trial_files(folder: Path) -> list[Path]:
    """Of the trials' records, in the order of creation."""
    return sorted(path for path in (folder / TRIALS).glob("*.json") if not path.name.startswith("."))


def studies(*tuning: Path) -> list[Path]:
    """Folders of the studies of configs (workspace/tuning/NAME each), the one that was worked on last first."""
    held = {
        folder.parent: max(path.stat().st_mtime for path in (folder, *trial_files(folder.parent)))
        for config in tuning
        for folder in config.glob(f"*/{STUDY}")
    }
    return sorted(held, key=lambda folder: (held[folder], folder.name), reverse=True)


def best(study: StudyRecord, trials: Iterable[TrialRecord]) -> TrialRecord | None:
    """The first of `ranking`."""
    ranked = ranking(study, trials)
    return ranked[0] if ranked else None


def ranking(study: StudyRecord, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Those that may be the best, the best first; of equal ones the one that was made first.

    One that ended early is behind every one that was trained to its end, whatever its value: with more epochs or executions it may
    be another. Among these more epochs go first, as in Falkner et al. 2018, "BOHB", whose incumbent is of the largest budget.
    """
    sign = -1 if study.direction == "max" else 1

    def place(trial: TrialRecord) -> tuple:
        return (0, 0, sign * trial.value, trial.id) if trial.is_whole else (1, -trial.budget, sign * trial.value, trial.id)

    return sorted(filter(lambda trial: trial.is_candidate, trials), key=place)


def better_but_short(study: StudyRecord, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Those with a better value than the best, which they are behind because they ended early."""
    ranked, sign = ranking(study, trials), -1 if study.direction == "max" else 1
    return [trial for trial in ranked[1:] if sign * trial.value < sign * ranked[0].value]


def counts(trials: Iterable[TrialRecord]) -> dict[str, int]:
    """Status -> how many, of the study's own trials."""
    own = [trial.status for trial in trials if not trial.origin]
    return {status: own.count(status) for status in (COMPLETED, PRUNED, FAILED, RUNNING)}


def over(trials: Iterable[TrialRecord]) -> int:
    """How many of the study's own trials are over."""
    return sum(trial.is_over and not trial.origin for trial in trials)


def trained_epochs(trials: Iterable[TrialRecord]) -> int:
    """Of all executions of the study's own trials."""
    return sum(trial.epochs for trial in trials if not trial.origin)


def spent(trials: Iterable[TrialRecord]) -> float:
    """Seconds in which at least one of the study's own trials ran that are over: the wall time of the search."""
    spans = sorted((trial.started, trial.started + trial.seconds) for trial in trials if trial.is_over and not trial.origin)
    total, reached = 0.0, -math.inf
    for begin, end in spans:
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def _read(path: Path, kind: type[Record]):
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise HubelError(f"There is no {path}.", "`hubel tune` writes it.") from None
    except ValidationError as error:
        raise HubelError(
            f"{path} is damaged: {first_line(error.errors(include_url=False)[0]['msg'])}.",
            "The next `hubel tune` of this config sets it aside and goes on from the others.",
        ) from None

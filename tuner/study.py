"""A study: what a search asks and the folder that it has for it, who holds that, and what it goes on from."""

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras_tuner

from components import progress
from components.trainer.training import identity
from configs import atomic, locking
from configs.errors import HubelError, UsageError
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.tune import TuneConfig
from tuner import records, space
from tuner.records import StudyRecord, TrialRecord

MOMENT = 2.0  # seconds
TRAINING = "training.json"  # what a worker opens its training with
BUDGETS = ("enabled", "trials", "total_epochs", "minutes", "workers")  # may change while a study goes on
GIVEN = ("train_files", "eval_files", "transform_graph_path", "schema_path", "base_model", "custom_config")  # of TFX's fn_args

HALTS, OUTGROWN = "halts", "outgrown"  # of custom_config: see tuner.component.Driver
OF_DATA = ("train_files", "eval_files", "transform_graph_path")  # of GIVEN, what names the data


@dataclass(frozen=True)
class Study:
    """An open study.

    Attributes:
        lock: file descriptor of its lock, for workers to inherit.
    """

    folder: Path
    record: StudyRecord
    lock: int


def fingerprint(fn_args, tune: TuneConfig) -> str:
    """Of the question that a search asks: its space, objective, algorithm and seed, config, source and input artifacts; not of how
    long it may take."""
    asked = json.loads(tune.model_dump_json(exclude=set(BUDGETS)))
    custom = {key: value for key, value in fn_args.custom_config.items() if key not in (HALTS, OUTGROWN)} | {"tune": asked}
    return identity(SimpleNamespace(**{**_given(fn_args), "custom_config": custom}), {})


def budget(tune: TuneConfig) -> str:
    """How long a search may take, as JSON."""
    return tune.model_dump_json(include=set(BUDGETS))


@contextlib.contextmanager
def opened(fn_args, tune: TuneConfig, objective: Sequence[Mapping[str, Any]]) -> Iterator[Study]:
    """The study of a question, a new one or that of an earlier search, held by this process.

    Args:
        fn_args: as TFX's Tuner has them; custom_config has tuning_dir.
        objective: as StudyRecord has it.

    Raises:
        HubelError: where another process holds it, or its folder has trials of another question.
    """
    cfg = TrainerSlice.model_validate_json(fn_args.custom_config["slice"])
    tuning, name = Path(fn_args.custom_config["tuning_dir"]), fingerprint(fn_args, tune)
    folder = tuning / name
    asked = {
        key: getattr(tune, key, None) for key in ("trials", "epochs", "total_epochs", "minutes", "workers", "executions", "pruning")
    }
    record = StudyRecord(
        config=cfg.name,
        algorithm=tune.algorithm,
        objective=[dict(each) for each in objective],
        space=json.loads(tune.model_dump_json())["space"],
        seed=cfg.seed,
        fingerprint=name,
        started=time.time(),
        asked=asked,
        warm_start=tune.warm_start,
    )
    others = [other for other in records.studies(tuning) if other != folder]
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        lock = _held(stack, folder, cfg.name)
        record = _continued(folder, record)
        if is_new and others:
            progress.emit("note", text=_new(record, others[0]))
        records.write_study(folder, record)
        atomic.write_text(folder / TRAINING, json.dumps(_given(fn_args)))
        yield Study(folder, record, lock)


def given(folder: Path) -> SimpleNamespace:
    """What the chief of a study was given, for a worker's training: see GIVEN."""
    try:
        return SimpleNamespace(**json.loads((folder / TRAINING).read_text()))
    except FileNotFoundError:
        raise HubelError(f"There is no {folder / TRAINING}.", "The chief writes it: do both see one workspace?") from None


def earlier(study: Study, tune: TuneConfig, hyperparameters: keras_tuner.HyperParameters) -> list[TrialRecord]:
    """The trials of `tune.warm_start` that lie in this study's space, in the order of creation, with what they are drawn as in it.
    Those of other data, another config or other code are hints.

    Raises:
        UsageError: for a study that is not there, or has another objective.
    """
    asked = study.record.warm_start
    if asked is None:
        return []
    folder = find(study.folder.parent, asked)
    other, trials = records.read(folder)
    if other.objective != study.record.objective:
        names = [", ".join(f"{each['name']} ({each['direction']})" for each in of.objective) for of in (other, study.record)]
        raise UsageError(f"tune.warm_start: the trials of {asked} have the objective {names[0]}, and this search {names[1]}.")
    unlike, taken = _unlike(study, folder, other), []
    told = f"Of search {other.fingerprint}, of another {' and '.join(unlike)}: it tells where to look, and cannot win."
    for trial in filter(lambda trial: trial.has_value, trials):
        drawn = space.drawn(hyperparameters, tune.space, trial.values)
        if drawn is not None:
            origin, hint = trial.origin or other.fingerprint, trial.hint or bool(unlike)
            reason = told if hint and not trial.hint else trial.reason
            taken.append(trial.model_copy(update={"drawn": drawn, "origin": origin, "hint": hint, "reason": reason}))
    measured = sum(trial.has_value for trial in trials)
    text = f"{len(taken)} of {measured} trials of {other.fingerprint} lie in this space"
    progress.emit("note", text=f"{text} and count as tried." if not unlike else f"{text} and tell where to look.")
    if taken and unlike:
        text = f"Search {other.fingerprint} was of another {' and '.join(unlike)}: what its trials reached may not be comparable."
        progress.emit("warning", text=f"{text} So none of them can win, and their values may be tried anew.")
    return taken


def _unlike(study: Study, folder: Path, other: StudyRecord) -> list[str]:
    """What, its space aside, trials of another study were made of that this one's are not."""
    try:
        now, before = given(study.folder), given(folder)
    except (HubelError, ValueError):
        return ["making, which is not known any more"]
    customs = [dict(each.custom_config) for each in (now, before)]
    slices = [json.loads(custom.pop("slice")) for custom in customs]
    codes = [custom.pop("source", None) for custom in customs]
    for custom in customs:
        for key in ("tune", "tuning_dir", HALTS, OUTGROWN):
            custom.pop(key, None)
    budgets = [{key: of.asked.get(key) for key in ("epochs", "executions")} for of in (study.record, other)]
    starts = [[of.base_model, custom] for of, custom in zip((now, before), customs, strict=True)]
    return [
        *(["output of Transform"] if any(getattr(now, key) != getattr(before, key) for key in OF_DATA) else []),
        *(["config"] if slices[0] != slices[1] or budgets[0] != budgets[1] else []),
        *(["model that it starts from"] if starts[0] != starts[1] else []),
        *(["version of hubel's code"] if codes[0] != codes[1] else []),
    ]


def find(tuning: Path, asked: str) -> Path:
    """A study's folder by its fingerprint, what it begins with, or a run that worked on it; of this config's studies first.

    Args:
        tuning: folder of one config's studies.
    """
    there = [
        *records.studies(tuning),
        *(f for other in sorted(tuning.parent.glob("*")) if other != tuning for f in records.studies(other)),
    ]
    for folder in there:
        with contextlib.suppress(HubelError):
            if (
                folder.name == asked
                or (len(asked) >= 4 and folder.name.startswith(asked))
                or asked in records.read_study(folder).runs
            ):
                return folder
    listed = ", ".join(folder.name for folder in there) or "none"
    raise UsageError(f"tune.warm_start: there is no search {asked}.", f"Searches in this workspace: {listed}.")


def _held(stack: contextlib.ExitStack, folder: Path, name: str) -> int:
    """The lock of a study, until the stack closes. Workers of one that was killed just now may take a moment to end."""
    end = time.monotonic() + MOMENT
    while True:
        try:
            return stack.enter_context(locking.hold(folder / records.LOCK, f"hubel tune {name}"))
        except locking.Held as other:
            if time.monotonic() > end:
                hint = "Wait for it, or have it stop; trials that are over stay."
                raise HubelError(f"The search {folder} is in use by {other.holder}.", hint) from None
        time.sleep(0.1)


def _given(fn_args) -> dict[str, Any]:
    return {name: _plain(getattr(fn_args, name, None)) for name in GIVEN}


def _plain(value: Any) -> Any:
    """As JSON has it: TFX gives lists of its own kind."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _continued(folder: Path, record: StudyRecord) -> StudyRecord:
    """As it was begun, where it was, with what is asked now."""
    if not (folder / records.STUDY).exists():
        return record
    try:
        before = records.read_study(folder)
    except HubelError as error:
        progress.emit("warning", text=f"{error.message} It is written anew.")
        return record
    if (before.space, before.algorithm, before.seed) != (record.space, record.algorithm, record.seed):
        raise HubelError(
            f"The search in {folder} is of another space.", "Move the folder away; trials of two spaces are not mixed."
        )
    return record.model_copy(update={name: getattr(before, name) for name in ("started", "runs", "halts", "answers")})


def _new(record: StudyRecord, folder: Path) -> str:
    """What is said of a search that begins although there are others."""
    try:
        other, trials = records.read(folder)
    except HubelError:
        return f"A new search begins: {record.fingerprint}."
    names = {"space": "the space", "algorithm": "the algorithm", "objective": "the objective", "seed": "the seed"}
    changed = [words for key, words in names.items() if getattr(other, key) != getattr(record, key)]
    what = " and ".join(changed) if changed else "the config, its data or hubel's code"
    over = sum(trial.is_over for trial in trials)
    return (
        f"{what.capitalize()} changed since search {other.fingerprint} ({over} trials over), so {record.fingerprint} begins anew. "
        f"tune.warm_start: {other.fingerprint} has one begin with those trials that lie in its space"
        f"{'.' if changed else ', which then tell where to look and cannot win.'}"
    )

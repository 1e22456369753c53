"""Where the logs of trainings are that TensorBoard reads: those of runs, of the trials of searches and of experiments. Light: ML
Metadata is read by SQL, because its library takes seconds to import."""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components import metadata
from configs.errors import UsageError
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from tuner import records

EVENTS = "events.out.tfevents.*"
SPACE = "space"  # of a search: what all its trials share; with it TensorBoard's HParams shows no other values than the search's
# What Trainer wrote, by the run that had it; a run that found it in the cache has it too.
_WRITTEN = """
    SELECT c.name, a.uri FROM Context c JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline_run'
    JOIN Attribution r ON r.context_id = c.id JOIN Artifact a ON a.id = r.artifact_id
    JOIN Type k ON k.id = a.type_id AND k.name = 'ModelRun'"""
# Trainers of runs that are under way, failed or were killed have no artifact, but the folder of one.
_BEGUN = """
    SELECT c.name, s.execution_id FROM Context c JOIN Type t ON t.id = c.type_id AND t.name = 'pipeline_run'
    JOIN Association s ON s.context_id = c.id JOIN Association o ON o.execution_id = s.execution_id
    JOIN Context n ON n.id = o.context_id AND n.name LIKE '%.Trainer' JOIN Type k ON k.id = n.type_id AND k.name = 'node'
    ORDER BY s.execution_id"""


@dataclass(frozen=True)
class Log:
    """A folder of logs. name: what TensorBoard is to call it. run: id of the run that trained it; None: of no run on record."""

    name: str
    folder: Path
    config: str
    run: str | None = None


def of(place: Workspace, name: str | None = None, asked: Sequence[str] = ()) -> list[Log]:
    """The logs that there are.

    Args:
        name: of a config or an experiment; None: of all.
        asked: runs, as of runs.named; of none others there are logs then, but of the searches that they worked on.

    Raises:
        UsageError: for an unknown name or run, and where there is no log; says which there are.
    """
    chosen = [_of_name(place, name, each) for each in asked]
    known = [*dict.fromkeys(record.config for record in runs.records(place)), *_experiments(place)]
    called = name if name in known else f"experiment_{name}"
    if name is not None and called not in known:
        there = f"There are: {', '.join(known)}." if known else "`hubel run` makes one; --workspace says where they are."
        raise UsageError(f"There is no run of {name!r} in {place.root}.", there)
    names = list(dict.fromkeys(record.config for record in chosen)) if chosen else [called] if name is not None else known
    wanted = chosen or [record for record in runs.listed(place) if record.config in names]
    logs = [*_of_runs(place, wanted), *_of_searches(place, names, [record.run for record in chosen])]
    if not chosen:
        logs += [log for each in names if each in _experiments(place) for log in _of_experiment(place, each)]
    if not logs:
        what = " or ".join(f"run {record.config}@{record.run}" for record in chosen) or name or "any run"
        raise UsageError(
            f"There is no log for TensorBoard of {what} in {place.root}.",
            "A run writes one as it trains; `hubel gc` removes those of old runs, and runs of earlier versions of hubel have none.",
        )
    return logs


def arrange(folder: Path, logs: Iterable[Log]) -> None:
    """Have a folder hold a link of its name to each, which is what TensorBoard reads; those that are there stay."""
    for log in logs:
        link = folder / log.name
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(log.folder, link)


def _of_name(place: Workspace, name: str | None, asked: str) -> RunRecord:
    record = runs.named(place, asked)
    if name is not None and record.config != name:
        raise UsageError(f"Run {record.run} is of {record.config}, not of {name}.", f"Ask for {record.config}.")
    return record


def _of_runs(place: Workspace, wanted: Sequence[RunRecord]) -> list[Log]:
    """One for each training: of runs that have the same one, by the first."""
    folders = _folders(place)
    logs: dict[Path, Log] = {}
    for record in wanted:
        folder = folders.get(f"{record.config}@{record.unchanged_since or record.run}")
        if folder is not None and folder not in logs and any(folder.rglob(EVENTS)):
            logs[folder] = Log(f"{record.config}/{record.run}", folder, record.config, record.run)
    return list(logs.values())


def _folders(place: Workspace) -> Mapping[str, Path]:
    """NAME@RUN -> what Trainer wrote, or writes."""
    folders: dict[str, Path] = {}
    if not place.metadata.is_file():
        return folders
    with contextlib.suppress(sqlite3.Error), metadata.opened(place.metadata) as held:
        for run, execution in held.execute(_BEGUN):
            folders[run] = place.model_run(run.partition("@")[0], execution)
        folders |= {run: Path(uri) for run, uri in held.execute(_WRITTEN)}
    return folders


def _of_searches(place: Workspace, names: Sequence[str], asked: Sequence[str]) -> list[Log]:
    """One for each trial of the searches of these names; asked: of those alone that one of these runs worked on."""
    logs = []
    for name in names:
        for study in sorted(records.studies(place.tuning(name))):
            worked = records.read_study(study).runs if asked else ()
            trials = sorted(path for path in (study / records.HPARAMS).glob("[!.]*") if path.name != SPACE)
            if not asked or set(worked) & set(asked):
                logs += [Log(f"{name}/search-{study.name}/{trial.name}", trial, name) for trial in trials]
    return logs


def _experiments(place: Workspace) -> list[str]:
    """Names of pipelines that trained and have no run on record: those of experiments."""
    known = {record.config for record in runs.records(place)}
    trained = sorted(path.parents[1].name for path in (place.root / "pipelines").glob("*/Trainer/model_run"))
    return [name for name in trained if name not in known]


def _of_experiment(place: Workspace, name: str) -> list[Log]:
    folders = sorted(place.model_run(name, 0).parent.glob("[0-9]*"), key=lambda path: int(path.name))
    return [Log(f"{name}/{folder.name}", folder, name) for folder in folders if any(folder.rglob(EVENTS))]

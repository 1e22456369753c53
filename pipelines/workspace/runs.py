"""What is on record of each run, beside its resolved config. The command writes it, so a worker that dies is on record too."""

import contextlib
import dataclasses
import datetime
import glob
import json
import re
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from components import fingerprint
from configs import atomic, paths
from configs.errors import UsageError
from pipelines.workspace.layout import Workspace
from serving import layout

CANDIDATE = "candidate"
RUN = re.compile(r"\d{8}-\d{6}(-\d+)?")  # as `new_run_id` makes them

KEPT = ("blessed", "reason", "metrics", "intervals", "differences", "slices", "version", "model_dir", "model_uri")  # of a result
KEPT += ("unchanged_since", "checked", "status")


@dataclass(frozen=True)
class RunRecord:
    """One run as `hubel list runs` shows it; figures are the test split's."""

    run: str
    config: str
    started: str
    status: str = "running"  # then done, not blessed, searched, failed or stopped; killed: `listed` says so of one that never ended
    seconds: float | None = None
    blessed: bool | None = None
    reason: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, list[float]] = field(default_factory=dict)  # figure -> [low, high]; none of runs before there were any
    differences: list[dict] = field(default_factory=list)  # from other models; as components.evaluator.noise tells them
    slices: list[dict] = field(default_factory=list)  # the same of parts of it; as components.evaluator.slices reports them
    version: int | None = None
    model_dir: str | None = None
    model_uri: str | None = None  # the Model artifact: model.keras and card.json lie there
    unchanged_since: str | None = None  # the run whose answer it repeats, because nothing had changed
    checked: list[str] = field(default_factory=list)  # what was looked at for that; see unchanged.py
    forced: str | None = None  # why what it trained was pushed although it was not blessed
    git_revision: str | None = None  # of hubel's checkout when it began

    def save(self, folder: Path) -> None:
        """Write it beside the run's config, in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_text(folder / "run.json", json.dumps(asdict(self), indent=1))


@contextlib.contextmanager
def recorded(place: Workspace, name: str, run: str, config: str) -> Iterator[Callable[[dict], None]]:
    """Keep the record of a run from its start to its end, whatever that is. Yields what takes the result.

    Args:
        name: of the config. config: all of it, as YAML.
    """
    folder = place.run(name, run)
    started, start = datetime.datetime.now().isoformat(timespec="seconds"), time.monotonic()
    record = RunRecord(run, name, started, git_revision=fingerprint.git_revision())
    record.save(folder)
    (folder / "config.yaml").write_text(config)

    def end(**outcome) -> None:
        dataclasses.replace(record, seconds=round(time.monotonic() - start, 2), **outcome).save(folder)

    def done(value: dict) -> None:
        kept = {name: value[name] for name in KEPT if name in value}
        end(**{"status": "done" if value.get("blessed") else "not blessed"} | kept)

    try:
        yield done
    except (KeyboardInterrupt, Exception) as error:
        is_stopped = isinstance(error, KeyboardInterrupt)
        with contextlib.suppress(OSError):  # such as of a full disk, of which the error itself says more
            end(**({"status": "stopped"} if is_stopped else {"status": "failed", "reason": str(error)[:1000]}))
        raise


def records(place: Workspace, name: str | None = None) -> list[RunRecord]:
    """Every run on record, oldest first; of one config name, or of all. What is a path and no name has none."""
    every: list[RunRecord] = []
    if name and "/" in name:
        return every
    for path in (place.root / "pipelines").glob(f"{glob.escape(name) if name else '*'}/runs/*/run.json"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            every.append(RunRecord(**json.loads(path.read_text())))
    return sorted(every, key=lambda record: (record.started, record.run))


def listed(place: Workspace) -> list[RunRecord]:
    """As `records`; one that still says `running` was killed, unless it is the newest and somebody holds the workspace."""
    every = records(place)
    alive = every[-1:] if place.is_locked() else []
    return [dataclasses.replace(r, status="killed") if r.status == "running" and r not in alive else r for r in every]


def gone(place: Workspace, name: str) -> list[int]:
    """Versions of a model that runs pushed and that are no longer there. Pusher itself looks at a URL."""
    pushed = {(r.version, r.model_dir) for r in records(place, name) if r.version is not None and r.model_dir}
    return sorted({version for version, folder in pushed if not (paths.is_url(folder) or Path(folder).is_dir())})


def artifact(place: Workspace, model: str) -> str:
    """Folder of the Model artifact (model.keras, card.json) that `model` names; see `trained`.

    Raises:
        UsageError: as `trained`.
    """
    return str(trained(place, model).artifact)


def artifacts(place: Workspace, models: Sequence[str]) -> dict[str, str]:
    """Of each NAME[/VERSION] the version that it stands for, NAME/VERSION, and the folder of its Model artifact.

    Raises:
        UsageError: as `trained`, and where two stand for the same.
    """
    folders = {version.name: str(version.artifact) for version in (trained(place, model) for model in models)}
    if len(folders) < len(models):
        raise UsageError(f"{', '.join(models)} stand for {', '.join(folders)} alone.", "Name each version once.")
    return folders


@dataclass(frozen=True)
class Trained:
    """A model that a run trained: its full name, NAME/VERSION or NAME@RUN, its config's name, the folder of its artifact, and the
    run."""

    name: str
    config: str
    artifact: Path
    run: str


def record_of(place: Workspace, model: Trained) -> RunRecord:
    """Of the run that trained it."""
    return next(record for record in records(place, model.config) if record.run == model.run)


def is_version(record: RunRecord) -> bool:
    """Whether the version that a run pushed is still there; what is at a URL is taken for that."""
    if record.version is None or record.model_dir is None:
        return False
    return paths.is_url(record.model_dir) or Path(record.model_dir, "saved_model.pb").is_file()


def forced(place: Workspace, record: RunRecord, version: int, folder: str, reason: str) -> None:
    """Put on record of a run that what it trained was pushed by force."""
    changed = dataclasses.replace(record, version=version, model_dir=folder, forced=reason)
    changed.save(place.run(record.config, record.run))


def named(place: Workspace, asked: str | None) -> RunRecord:
    """A run on record, however it ended.

    Args:
        asked: a run, NAME (its newest), NAME@RUN, NAME@candidate or NAME/VERSION; None: the newest of all.

    Raises:
        UsageError: where there is none; names what there is.
    """
    every = listed(place)
    if not every:
        raise UsageError(f"There is no run on record in {place.root}.", "`hubel run` makes one; --workspace says where they are.")
    if asked is None:
        return every[-1]
    name, at, run = asked.rpartition("@")
    known = [record for record in every if record.config == name or not at]
    matching = [record for record in known if record.run == run]
    if asked in {record.config for record in every}:
        matching = [record for record in every if record.config == asked][-1:]
    elif "/" in asked or run == CANDIDATE:
        return record_of(place, trained(place, asked))
    if not matching:
        names = ", ".join(dict.fromkeys(record.config for record in every))
        raise UsageError(
            f"There is no run {asked!r} on record in {place.root} (runs of: {names}).", "`hubel list runs` shows which there are."
        )
    if len({record.config for record in matching}) > 1:
        which = " or ".join(f"{record.config}@{record.run}" for record in matching)
        raise UsageError(f"{len(matching)} runs are called {asked}.", f"Say which: {which}.")
    return matching[-1]


def is_candidate(model: str) -> bool:
    """Whether it names what a run trained, pushed or not: NAME@candidate, NAME@RUN or RUN."""
    return "@" in model or RUN.fullmatch(model) is not None


def trained(place: Workspace, model: str) -> Trained:
    """What a name stands for.

    Args:
        model: NAME[/VERSION] of what was pushed, the live version without one; NAME@candidate, what was left by the
            newest run of NAME that trained one, good enough or not; NAME@RUN or RUN, what that run trained.

    Raises:
        UsageError: where no run on record pushed or trained it, or its artifact is gone.
    """
    return _candidate(place, model) if is_candidate(model) else _pushed(place, model)


def exported(place: Workspace, model: str) -> Path:
    """Folder of a SavedModel.

    Args:
        model: as of `trained`, or a path to a version or to a folder of versions; what is pushed need not be on record.

    Raises:
        UsageError: where there is none; names what there is.
    """
    if is_candidate(model) and not Path(model).expanduser().exists():
        return place.exported(trained(place, model).artifact)
    try:
        return layout.find(model, place.models)
    except UsageError as error:
        newest = next((record for record in reversed(records(place, model)) if record.model_uri), None)
        if newest is None or newest.version is not None or not place.exported(newest.model_uri).is_dir():
            raise
        raise UsageError(error.message, f"What its last run trained was not pushed: {model}@{CANDIDATE} is that.") from None


def run_of(place: Workspace, model: str, folder: Path) -> str | None:
    """Id of the run that trained what `exported` found; None where none on record did.

    Args:
        model: what was asked for. folder: of its SavedModel.
    """
    if is_candidate(model) and not Path(model).expanduser().exists():
        return trained(place, model).run
    for record in records(place):  # oldest first: a later one that trained nothing anew has its folders too
        folders = [record.model_dir, record.model_uri and place.exported(record.model_uri)]
        if folder.resolve() in [Path(there).resolve() for there in folders if there]:
            return record.run
    return None


def run_at(place: Workspace, url: str, version: str) -> str | None:
    """Id of the run that pushed a version to a URL; None where none on record did.

    Args:
        url: of the model, or of that version.
    """
    pushed = {url.rstrip("/"), f"{url.rstrip('/')}/{version}"}
    return next((record.run for record in records(place) if record.model_dir in pushed), None)


def _pushed(place: Workspace, model: str) -> Trained:
    name, _, version = model.partition("/")
    pushed = [r for r in records(place, name) if r.version is not None and r.model_uri and Path(r.model_uri).is_dir()]
    known = {r.version: r for r in reversed(pushed)}
    wanted = int(version) if version.isdecimal() else version or max(known, default=None)
    if wanted not in known:
        have = ", ".join(f"{name}/{v}" for v in sorted(known)) or "none of that name"
        raise UsageError(
            f"There is no trained model {model!r} in {place.root} (there: {have}).", "`hubel list runs` shows what was pushed."
        )
    return Trained(f"{name}/{wanted}", name, Path(known[wanted].model_uri), known[wanted].run)


def _candidate(place: Workspace, model: str) -> Trained:
    name, at, run = model.rpartition("@")
    known = [record for record in listed(place) if record.config == name or not at]
    candidates = [record for record in known if run in (record.run, CANDIDATE)]
    if run == CANDIDATE:
        candidates = [record for record in candidates if record.model_uri] or candidates  # the newest that came so far
    if not candidates:
        what = f"run of {name!r}" if run == CANDIDATE else f"run {model!r}"
        raise UsageError(
            f"There is no {what} on record in {place.root}.",
            "`hubel list runs` shows which there are; `hubel gc` removes old ones.",
        )
    if len({record.config for record in candidates}) > 1:
        which = " or ".join(f"{record.config}@{record.run}" for record in candidates)
        raise UsageError(f"{len(candidates)} runs are called {model}.", f"Say which: {which}.")
    last = candidates[-1]
    again = f"`hubel run {shlex.quote(str(place.run(last.config, last.run) / 'config.yaml'))}` trains it again."
    if not last.model_uri:
        hint = "Wait until it is done." if last.status == "running" else again
        raise UsageError(f"Run {last.run} of {last.config} has trained no model: it is {last.status}.", hint)
    if not Path(last.model_uri).is_dir():
        raise UsageError(f"What run {last.run} of {last.config} trained is there no more: {last.model_uri}.", again)
    return Trained(f"{last.config}@{last.run}", last.config, Path(last.model_uri), last.run)


def new_run_id(workspace: Workspace, name: str) -> str:
    """A name for a run that sorts by time and is not taken."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    number, run = 1, now
    while workspace.run(name, run).exists() or workspace.log(name, run).exists():
        number += 1
        run = f"{now}-{number}"
    return run

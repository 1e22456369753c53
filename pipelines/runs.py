"""What is on record of each run, beside its resolved config. The command writes it, so a worker that dies is on record too."""

import contextlib
import dataclasses
import datetime
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from configs import load
from configs.errors import UsageError
from configs.schema import RunConfig
from pipelines.workspace import Workspace


@dataclass(frozen=True)
class RunRecord:
    """One run as `hubel list runs` shows it; figures are the test split's."""

    run: str
    config: str
    started: str
    status: str = "running"  # then done, not blessed, failed or stopped; killed is what `listed` makes of one that never ended
    seconds: float | None = None
    blessed: bool | None = None
    reason: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    slices: list[dict] = field(default_factory=list)  # the same of parts of it; as components.evaluator.slices reports them
    version: int | None = None
    model_dir: str | None = None
    model_uri: str | None = None  # the Model artifact: model.keras and card.json lie there

    def save(self, folder: Path) -> None:
        """Write it beside the run's config, in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        staged = folder / "run.json.staged"
        staged.write_text(json.dumps(asdict(self), indent=1))
        staged.replace(folder / "run.json")


@contextlib.contextmanager
def recorded(place: Workspace, config: RunConfig, run: str) -> Iterator[Callable[[dict], None]]:
    """Keep the record of a run from its start to its end, whatever that is. Yields what takes the result."""
    folder = place.run(config.name, run)
    started, start = datetime.datetime.now().isoformat(timespec="seconds"), time.monotonic()
    record = RunRecord(run, config.name, started)
    record.save(folder)
    (folder / "config.yaml").write_text(load.dump(config))

    def end(**facts) -> None:
        dataclasses.replace(record, seconds=round(time.monotonic() - start, 2), **facts).save(folder)

    def done(value: dict) -> None:
        kept = {name: value[name] for name in ("blessed", "reason", "metrics", "slices", "version", "model_dir", "model_uri")}
        end(status="done" if value["blessed"] else "not blessed", **kept)

    try:
        yield done
    except (KeyboardInterrupt, Exception) as error:
        is_stopped = isinstance(error, KeyboardInterrupt)
        with contextlib.suppress(OSError):  # such as of a full disk, of which the error itself says more
            end(**({"status": "stopped"} if is_stopped else {"status": "failed", "reason": str(error)[:1000]}))
        raise


def records(place: Workspace, name: str | None = None) -> list[RunRecord]:
    """Every run on record, oldest first; of one config name, or of all."""
    found = []
    for path in (place.root / "pipelines").glob(f"{name or '*'}/runs/*/run.json"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            found.append(RunRecord(**json.loads(path.read_text())))
    return sorted(found, key=lambda record: (record.started, record.run))


def listed(place: Workspace) -> list[RunRecord]:
    """As `records`; one that still says `running` was killed, unless it is the newest and somebody holds the workspace."""
    found = records(place)
    alive = found[-1:] if place.is_locked() else []
    return [dataclasses.replace(r, status="killed") if r.status == "running" and r not in alive else r for r in found]


def gone(place: Workspace, name: str) -> list[int]:
    """Versions of a model that runs pushed and that are no longer there."""
    pushed = {(r.version, r.model_dir) for r in records(place, name) if r.version is not None and r.model_dir}
    return sorted({version for version, folder in pushed if not Path(folder).is_dir()})


def artifact(place: Workspace, model: str) -> str:
    """Folder of the Model artifact (model.keras, card.json) that was pushed as NAME[/VERSION]; the live version without one.

    Raises:
        UsageError: where no run on record pushed it, or its artifact is gone.
    """
    return str(pushed(place, model)[0])


def artifacts(place: Workspace, models: Sequence[str]) -> dict[str, str]:
    """Of each NAME[/VERSION] the version that it stands for, NAME/VERSION, and the folder of its Model artifact.

    Raises:
        UsageError: as `artifact`, and where two stand for the same.
    """
    found = {}
    for model in models:
        folder, version = pushed(place, model)
        found[f"{model.partition('/')[0]}/{version}"] = str(folder)
    if len(found) < len(models):
        raise UsageError(f"{', '.join(models)} stand for {', '.join(found)} alone.", "Name each version once.")
    return found


def pushed(place: Workspace, model: str) -> tuple[Path, int]:
    """As `artifact`, with the version's number."""
    name, _, version = model.partition("/")
    known = {
        r.version: Path(r.model_uri)
        for r in records(place, name)
        if r.version is not None and r.model_uri and Path(r.model_uri).is_dir()
    }
    wanted = int(version) if version.isdigit() else version or max(known, default=None)
    if wanted not in known:
        have = ", ".join(f"{name}/{v}" for v in sorted(known)) or "none of that name"
        raise UsageError(
            f"There is no trained model {model!r} in {place.root} (there: {have}).", "`hubel list runs` shows what was pushed."
        )
    return known[wanted], wanted


def new_run_id(workspace: Workspace, name: str) -> str:
    """A name for a run that sorts by time and is not taken."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    number, run = 1, now
    while workspace.run(name, run).exists() or workspace.log(name, run).exists():
        number += 1
        run = f"{now}-{number}"
    return run

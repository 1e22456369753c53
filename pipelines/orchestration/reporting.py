"""Pages of runs: Reporter's copied to where people look for it, that of a run that failed, and any that is asked for again."""

import contextlib
import dataclasses
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import progress
from components.reporter.material import Artifact, Failure, Material
from configs import load
from configs.errors import HubelError, first_line, log_traceback
from configs.paths import workspace_default
from pipelines.workspace import pages, runs, unchanged
from pipelines.workspace.layout import Workspace

REPORTER, PAGE = "Reporter", "index.html"
NOT_ON_RECORD = "not on record; this page was written after the run"


@dataclass(frozen=True)
class Subject:
    """The run that a page is of.

    Args:
        place: its workspace. name: of its pipeline.
        config: resolved, as JSON.
        told: of the run, as `told` gives it.
    """

    place: Workspace
    name: str
    run: str
    config: Mapping[str, Any]
    told: Mapping[str, Any]


def told(place: Workspace, name: str, of_run: Mapping[str, Any]) -> dict[str, Any]:
    """What a page says of a run that no artifact holds, the same for each run of a config. of_run: as Settled.told gives it."""
    return {**{key: of_run[key] for key in ("starts_from", "passed_over", "data_digest", "reads")}, **_of_place(place, name)}


def _of_place(place: Workspace, name: str) -> dict[str, str]:
    where = "" if place == Workspace.at(workspace_default()) else f" --workspace {shlex.quote(str(place.root))}"
    return {"runs": str(place.pipeline(name) / "runs"), "workspace": where}


def kept(of: Subject, results: Mapping) -> str | None:
    """Copy Reporter's page to where people look for it, under the name of the run; None, which is said, where that cannot be."""
    reporter = results.get(REPORTER)
    page = Path(reporter.outputs["report"][0][0], PAGE) if reporter else None
    if page is None:
        return None
    with _held():
        if page.is_file():
            return str(pages.keep(of.place, of.name, of.run, page, reporter.property("report", "run")))
        return written(of, None)
    return None


@contextlib.contextmanager
def noted(of: Subject) -> Iterator[None]:
    """While a pipeline runs; where it fails, the page of what there is by then is written, and said, before the failure goes on.

    Raises:
        HubelError: what the block raised; its details have `report`, the page.
    """
    at: list[str] = []

    def hear(event: Mapping[str, Any]) -> None:
        if event["event"] == "node":
            at[:] = [event["name"]]

    try:
        with progress.listening(hear):
            yield
    except HubelError as error:
        page = None
        with _held():
            page = written(of, Failure(at[0] if at else None, error.message, error.hint))
        if page is not None:
            error.details["report"] = page
            progress.emit("note", text=f"What there is of the run: {page}")
        raise


def written(of: Subject, failure: Failure | None) -> str:
    """Write the page of what there is of a run. Returns where it is."""
    from components.reporter import recorded, writing

    artifacts = recorded.of_run(of.place.metadata, of.name, of.run) if of.place.metadata.is_file() else {}
    of_run = {**of.told, "run": of.run}
    material = Material(_there(artifacts), of.config, of_run, of.name, failure=failure, tuning=of.place.tuning(of.name))
    page = writing.of(material)
    return str(pages.write_text(of.place, of.name, of.run, page.text, thumbnail=page.thumbnail))


def write(workspace: str, name: str, run: str, full: bool = False, folds: int | None = None) -> dict[str, Any]:
    """Write the page of a run on record, of what there is of it.

    Args:
        full: with what takes longer. folds: of the training whose out-of-sample answers it is to look at; None: none.

    Returns:
        {report: path}.

    Raises:
        HubelError: where it cannot be written, or what is asked for with `folds` cannot be had.
    """
    from components.reporter import recorded, writing
    from components.reporter.sections import lineage, wrong_labels

    place = Workspace.at(workspace)
    record = next(record for record in runs.listed(place) if (record.config, record.run) == (name, run))
    made_by = record.unchanged_since or run
    answer = unchanged.answered(place, name, made_by) or {}
    config: Mapping[str, Any] = {}
    with contextlib.suppress(HubelError):  # of another version of hubel, such as one with keys that this does not know
        config = load.validate(load.read(place.run(name, run) / "config.yaml"), name).model_dump(mode="json")
    artifacts = recorded.of_run(place.metadata, name, made_by) if place.metadata.is_file() else {}
    failure = None
    if record.status in ("failed", "killed", "stopped"):
        failure = Failure(None, record.reason or f"It was {record.status}.")
    forced = {"forced": {"version": record.version, "reason": record.forced}} if record.forced else {}
    of_run = {"run": run, **forced, **{key: answer[key] for key in ("starts_from", "passed_over", "reads") if answer.get(key)}}
    if "report" in artifacts:
        of_run = {**artifacts["report"].json("told", {}), **of_run}
    # this process may be of other code, on another machine
    of_run.setdefault(lineage.MADE_WITH, {"git revision": record.git_revision or "", "code and versions": NOT_ON_RECORD})
    material = Material(
        _there(artifacts),
        config,
        {**of_run, **_of_place(place, name)},
        name,
        failure,
        place.tuning(name),
        full,
        metadata=place.metadata,
    )
    if folds is not None:  # before anything is written: a page without what was asked for is no answer
        material = dataclasses.replace(material, out_of_sample=wrong_labels.by_folds(material, folds))
    page = writing.of(material)
    return {"report": str(pages.write_text(place, name, run, page.text, full, page.thumbnail))}


def _there(artifacts: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """Those whose folders are there: `hubel gc` leaves the record of others."""
    return {name: artifact for name, artifact in artifacts.items() if artifact.uri.is_dir()}


@contextlib.contextmanager
def _held() -> Iterator[None]:
    """What goes wrong with a page is a warning: it is not worth a run."""
    try:
        yield
    except Exception as error:
        log_traceback()
        progress.emit("warning", text=f"The page of the run was not written: {type(error).__name__}: {first_line(error)}")

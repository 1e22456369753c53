"""Pages of runs: Reporter's copied to where people look for it, that of a run that failed, and any that is asked for again."""

import contextlib
import shlex
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components import progress
from components.reporter.material import Artifact, Failure, Material
from configs import load
from configs.errors import HubelError, first_line
from configs.paths import workspace_default
from pipelines.orchestration.settled import Settled
from pipelines.workspace import pages, runs, unchanged
from pipelines.workspace.layout import Workspace

REPORTER, PAGE = "Reporter", "index.html"


def told(known: Settled) -> dict[str, Any]:
    """What a page says of a run that no artifact holds, the same for each run of a config."""
    place = known.place
    of_run = known.told()
    kept = ("starts_from", "passed_over", "data_digest", "reads")
    return {**{name: of_run[name] for name in kept}, **_of_place(place, known.config.name)}


def _of_place(place: Workspace, name: str) -> dict[str, str]:
    where = "" if place == Workspace.at(workspace_default()) else f" --workspace {shlex.quote(str(place.root))}"
    return {"runs": str(place.pipeline(name) / "runs"), "workspace": where}


def kept(known: Settled, run: str, results: Mapping) -> str | None:
    """Copy Reporter's page to where people look for it, under the name of the run; None, which is said, where that cannot be."""
    reporter = results.get(REPORTER)
    page = Path(reporter.outputs["report"][0][0], PAGE) if reporter else None
    if page is None:
        return None
    with _held():
        if page.is_file():
            return str(pages.keep(known.place, known.config.name, run, page, reporter.property("report", "run")))
        return written(known, run, None)
    return None


@contextlib.contextmanager
def noted(known: Settled, run: str) -> Iterator[None]:
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
            page = written(known, run, Failure(at[0] if at else None, error.message, error.hint))
        if page is not None:
            error.details["report"] = page
            progress.emit("note", text=f"What there is of the run: {page}")
        raise


def written(known: Settled, run: str, failure: Failure | None) -> str:
    """Write the page of what there is of a run. Returns where it is."""
    from components.reporter import recorded, writing

    place, name = known.place, known.config.name
    artifacts = recorded.of_run(place.metadata, name, run) if place.metadata.is_file() else {}
    config = known.config.model_dump(mode="json")
    material = Material(_there(artifacts), config, {**told(known), "run": run}, name, failure=failure, tuning=place.tuning(name))
    return str(pages.write_text(place, name, run, writing.html(material)))


def write(workspace: str, name: str, run: str, full: bool = False, folds: int | None = None) -> dict[str, Any]:
    """Write the page of a run on record, of what there is of it.

    Args:
        full: with what takes longer. folds: of the training whose out-of-sample answers it is to look at; None: none.

    Returns:
        {report: path}.

    Raises:
        HubelError: where it cannot be written.
    """
    from components.reporter import recorded, writing

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
    of_run = {"run": run, **{key: answer[key] for key in ("starts_from", "passed_over", "reads") if answer.get(key)}}
    if "report" in artifacts:
        of_run = {**artifacts["report"].json("told", {}), **of_run}
    material = Material(
        _there(artifacts),
        config,
        {**of_run, **_of_place(place, name)},
        name,
        failure,
        place.tuning(name),
        full,
        folds,
        place.metadata,
    )
    return {"report": str(pages.write_text(place, name, run, writing.html(material), full))}


def _there(artifacts: Mapping[str, Artifact]) -> dict[str, Artifact]:
    """Those whose folders are there: `hubel gc` leaves the record of others."""
    return {name: artifact for name, artifact in artifacts.items() if artifact.uri.is_dir()}


@contextlib.contextmanager
def _held() -> Iterator[None]:
    """What goes wrong with a page is a warning: it is not worth a run."""
    try:
        yield
    except Exception as error:
        traceback.print_exc(file=sys.stderr)  # into the log
        progress.emit("warning", text=f"The page of the run was not written: {type(error).__name__}: {first_line(error)}")

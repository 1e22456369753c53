"""What the light side asks of a config: run it, or say what a run would do. Runs in the worker process."""

import contextlib
import json
import sys
import time
from collections.abc import Mapping

from components import progress
from configs import load
from configs.schema.run import RunConfig
from pipelines.orchestration import settled, study
from pipelines.orchestration.settled import Settled
from pipelines.workspace import origins
from pipelines.workspace.layout import Workspace


def run(config: str, tree: dict, workspace: str, run_id: str) -> dict:
    """Run a config to its end.

    Args:
        config: what messages call it.
        tree: of configs.load.written. Its file is not read again: it may have been edited since.

    Returns:
        The value of the JSON contract's `run` (exit code 0 if `blessed`, else 3), and model_uri, the Model artifact's folder,
        data_digest, of what the source holds, and notes, what was said before the first stage.

    Raises:
        HubelError: with what failed in plain words.
    """
    start = time.monotonic()
    known = settled.read(config, tree, Workspace.at(workspace))  # says what is wrong before TFX is imported
    from pipelines.orchestration import answer, reporting

    name, config, told = known.config.name, known.config.model_dump(mode="json"), known.told()
    subject = reporting.Subject(known.place, name, run_id, config, reporting.told(known.place, name, told))
    with reporting.noted(subject):
        results = launched(known, run=run_id)
    of_run = {"run": run_id, **told, **answer.of(results, known.trainer), "report": reporting.kept(subject, results)}
    return {**of_run, "seconds": round(time.monotonic() - start, 2)}


def launched(known: Settled, served: bool = True, searched: bool = False, run: str | None = None) -> Mapping:
    """Run every component of a settled config's pipeline; see pipeline.build. Returns each one's local.NodeResult by name.

    Of a search, what people look at is kept up on the way; see study.Kept.

    Args:
        run: id of the run that this is.

    Raises:
        HubelError: with what failed in plain words.
    """
    from components.compat import beam
    from components.pusher import publish
    from pipelines.orchestration import launch, pipeline

    beam.install()
    known.place.root.mkdir(parents=True, exist_ok=True)
    publish.clear_stale(known.served)
    if known.located.passed_over:
        print(f"Passed over: {json.dumps(dict(known.located.passed_over))}", file=sys.stderr)  # into the log
    built = pipeline.build(known, served, searched)
    kept = study.kept(known.config, known.place, run) if known.config.tune.enabled else contextlib.nullcontext()
    with kept:
        return launch.launch(built, known.notes, known.place.root, run)


def plan(config: str, assignments: list[str], workspace: str) -> dict:
    """What `run` would do: {config, components: [{name, cached}], fetches: {file, url, folder} of weights that are not there, or
    None, notes: what it would say before its first stage}, and `first`, the same of each config that is run before it.

    It holds no lock, so it writes nothing.
    """
    from pipelines.orchestration import local, pipeline

    asked, place = load.load(config, assignments), Workspace.at(workspace)
    steps: list[dict] = []
    before: RunConfig | None = None
    for each in [*(earlier for _, earlier in origins.before(asked.name, asked.transfer)), asked]:
        is_there = not steps or all(component["cached"] for component in steps[-1]["components"])
        known, notes = looked_ahead(each, place, None if is_there else before)
        components = local.plan(pipeline.build(known), place.metadata)
        steps.append({"config": each.name, "components": components, "fetches": known.fetches, "notes": notes})
        before = each
    *first, last = steps
    return last | ({"first": first} if first else {})


def looked_ahead(config: RunConfig, place: Workspace, first: RunConfig | None = None) -> tuple[Settled, list[str]]:
    """As settled.planned, and what a run would say before its first stage."""
    said: list[str] = []

    def hear(event: Mapping) -> None:
        if event["event"] == "note":
            said.append(event["text"])

    with progress.listening(hear):
        known = settled.planned(config, place, first)
    return known, [*said, *known.notes]

"""`hubel run`: from what is typed to what is on record of a run, and what its exit code is."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.command_line import options
from pipelines.command_line.options import state
from pipelines.process import requests

if TYPE_CHECKING:  # milliseconds that no other verb waits for
    from configs.schema.run import RunConfig
    from pipelines.workspace.layout import Workspace
    from pipelines.workspace.unchanged import Answer, Known

NOT_BLESSED = 3


@click.command("run")
@click.argument("config", default="digits_lenet5")
@options.assignments
@options.workspace
@click.option("--dry-run", is_flag=True, help="Say what would run and what is cached; change nothing.")
@options.verbose
@options.as_json
def run(config, assignments, workspace, dry_run, as_json):
    """Train, evaluate, bless and push what CONFIG (a shipped name or a YAML file) describes."""
    from pipelines.command_line import console, variants_view
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    each = wanted(config, assignments, place)
    if dry_run:
        options.plan(requests.PlanRun(config, assignments, str(place.root)), as_json)
        return 0
    done = []
    for value in runs(each, config, place, as_json):
        done.append(value)
        if not as_json:
            console.result(
                value,
                _asked_as(value, place),
                state.workspace,
                lambda: variants_view.terminal(done[-1].get("variants", ())),
            )
    if as_json:
        print(json.dumps(done[-1] | ({"first": done[:-1]} if each[:-1] else {})))
    elif len(done) < len(each):
        first, (_, asked) = done[-1]["model"], each[-1]
        print(
            f"{asked.name} was not started: its features come from {first}. To take them from what was not blessed: "
            f"--set transfer.source={first}@candidate",
            file=sys.stderr,
        )
    return 0 if done[-1]["blessed"] else NOT_BLESSED


def wanted(
    config: str, assignments: Sequence[str], place: Workspace, changes: Sequence[Mapping[str, Any]] = ()
) -> list[tuple[str, RunConfig]]:
    """What is run for a config, and what messages call it: what it starts from, where that is a config that ships, and itself.

    Args:
        config, assignments, changes: see load.load.

    Raises:
        UsageError: for what is wrong with it, and for what one of them names and is not there.
    """
    from configs import load
    from pipelines.command_line import names
    from pipelines.workspace import origins

    asked = load.load(config, assignments, changes)
    each = [*origins.before(asked.name, asked.transfer), (config, asked)]
    for _, each_config in each:
        names.check(each_config, place)
    return each


def runs(each: Sequence[tuple[str, RunConfig]], called: str, place: Workspace, quiet: bool) -> Iterator[dict[str, Any]]:
    """Run one config after the other, of `wanted`, each from what the one before pushed; where that was not blessed, none follows.

    Yields:
        Of each the JSON contract's value.
    """
    before = None
    with place.locked(f"hubel run {called}") as lock:
        for name, config in each:
            asked = _started_from(config, f"{before['model']}/{before['version']}") if before else config
            before = _run(name, asked, place, lock, quiet)
            yield before
            if not before["blessed"]:
                return


def _asked_as(value: Mapping[str, Any], place: Workspace) -> str:
    """How `hubel predict` is told of a model: by its name, or, pushed to another destination, by its folder."""
    folder = value["model_dir"]
    is_here = folder is None or Path(folder).parent == place.served(value["model"])
    return value["model"] if is_here else folder


def _started_from(config: RunConfig, source: str) -> RunConfig:
    """A config once what comes before it was run: its source is the version that this pushed."""
    return config.model_copy(update={"transfer": config.transfer.model_copy(update={"source": source})})


def _run(called: str, config: RunConfig, place: Workspace, lock: int, quiet: bool) -> dict[str, Any]:
    """One run on record of a config, which messages call `called`. Returns the JSON contract's value."""
    from configs import load
    from pipelines.command_line import hints
    from pipelines.workspace import index, unchanged
    from pipelines.workspace.runs import new_run_id, recorded
    from serving import promotions

    run_id = new_run_id(place, config.name)
    state.tell()  # what an earlier run of the same command line said
    state.log, state.again = place.log(config.name, run_id), options.GOES_ON
    start = time.monotonic()
    request = requests.Run(called, load.written(config), str(place.root), run_id)
    try:
        with recorded(place, config.name, run_id, load.dump(config)) as record:
            known = unchanged.look(config, place)
            if known.answer is None:
                value = _worked_out(request, known, lock, quiet)
            else:
                value = _repeated(known.answer, run_id, quiet) | {"report": _page_again(place, config.name, run_id, known.answer)}
                value |= {"seconds": round(time.monotonic() - start, 2)}
                known.answer.save(place.run(config.name, run_id))
            record(value)
    except BaseException:
        with contextlib.suppress(Exception):  # what ended the run is what is to be said
            index.write(place)
        raise
    index.kept(place)
    uri = value.pop("model_uri")
    value["hints"] = hints.of(config, value)
    value["labels"] = (
        promotions.state(known.served).labels if value["version"] is not None and isinstance(known.served, Path) else None
    )
    value["candidate"] = str(place.exported(uri)) if uri and value["version"] is None else None
    return value


def _worked_out(request: requests.Run, known: Known, lock: int, quiet: bool) -> dict[str, Any]:
    """The value of pipelines.orchestration.execute.run, asked of a worker."""
    from pipelines.command_line import console
    from pipelines.process import supervise

    with console.RunView(quiet=quiet) as view:
        value = supervise.ask(request, state.log, view, held=(lock,))
    known.keep(request.run_id, value.pop("data_digest"), value)
    del value["notes"]  # the view has shown them
    return value | {"unchanged_since": None, "checked": []}


def _page_again(place: Workspace, name: str, run_id: str, answer: Answer) -> str | None:
    """The page of the run whose answer this one repeats, as its own; None where it is gone, which `hubel report` mends."""
    from pipelines.workspace import pages

    page = place.report(name, answer.run)
    return str(pages.keep(place, name, run_id, page, answer.run)) if page.is_file() else None


def _repeated(answer: Answer, run_id: str, quiet: bool) -> Mapping[str, Any]:
    """The same of a run that would find everything as another left it."""
    from pipelines.command_line import console

    checked = list(answer.rests_on)
    told = f"Nothing has changed since run {answer.run}: {', '.join(checked)}. Nothing else was looked at again."
    state.log.parent.mkdir(parents=True, exist_ok=True)
    state.log.write_text(f"{told}\n")
    value = answer.value | {"run": run_id, "unchanged_since": answer.run, "checked": checked}
    value["components"] = [component | {"cached": True, "seconds": 0.0} for component in value["components"]]
    with console.RunView(quiet=quiet, loads=False) as view:
        for text in (told, *value.pop("notes")):
            view({"event": "note", "text": text})
        for component in value["components"]:
            view({"event": "node_done", **component})
    return value

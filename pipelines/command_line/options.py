"""What the verbs share: their common flags, what these say, and how they ask a worker."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from configs.errors import HubelError
from configs.paths import workspace_default
from pipelines.process.requests import Request

SHOWN = 5  # files that a sentence names
GOES_ON = "The same command goes on from here: finished stages are cached, a training goes on at its epoch."


class State:
    """What the common flags of this command line say; they are read before a verb's body runs."""

    json = False
    verbose = False
    log: Path | None = None
    again = ""  # what the same command does once more where this one is stopped
    workspace: str | None = None  # as it was typed; None where it was not

    def tell(self) -> None:
        """Copy the log to the terminal, where --verbose asked for that."""
        if self.verbose and self.log and self.log.is_file():
            sys.stderr.write(self.log.read_text(errors="replace"))


state = State()


def _be_verbose(context, option, asked):
    state.verbose = asked


def _be_at(context, option, folder):
    is_typed = context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    state.workspace = folder if is_typed else None
    return folder


workspace = click.option(
    "--workspace",
    default=workspace_default,
    callback=_be_at,
    metavar="DIR",
    help="Where everything is kept.  [default: HUBEL_WORKSPACE or ./workspace]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON value to stdout and nothing else.")
verbose = click.option(
    "--verbose", is_flag=True, expose_value=False, callback=_be_verbose, help="Copy the log to the terminal at the end."
)
assignments = click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Override a key of the config, such as train.epochs=3."
)


def remarks(value: dict) -> list[str]:
    """Sentences on which run trained the candidate that answered, on what of the images was passed over, and on those of which the
    model saw something else than the file holds; `value` is what `ask_of` returns of a verb about images, with
    pipelines.verbs.served.summary."""
    return [*answered(value), *carded(value), *passed_over(value.get("passed_over", {})), *resized(value), *changed(value)]


def answered(value: Mapping) -> list[str]:
    """The sentence on who answered, where the name that was asked says it not."""
    from pipelines.workspace import runs

    asked, run = value.get("asked", ""), value.get("run")
    return [f"{asked} is what run {run} trained."] if run and runs.is_candidate(asked) and run not in asked else []


def carded(value: Mapping) -> list[str]:
    """The sentence on whence is known what a server's model answers, where the server does not say it."""
    if value.get("card") == "workspace":
        return [f"The server tells no card of {value['asked']}: its answers are read by that of the workspace's same version."]
    if value.get("card") == "none":
        return [f"The server tells no card of {value['asked']}: its answers are read by the names and types of its outputs alone."]
    return []


def changed(value: Mapping) -> list[str]:
    """Sentences on images of which a model sees something else than the file holds, such as the first of several frames."""
    from components.example_gen import changes
    from configs.schema.reading import Reading

    told = [f"{sentence[0].upper()}{sentence[1:]}." for sentence in changes.doubts(value.get("changes", {}), -1, Reading())]
    several = [f"{row['file']} (the first of {row['frames']:,})" for row in value.get("images", ()) if row.get("frames", 1) > 1]
    more = f" and {len(several) - SHOWN:,} more" if len(several) > SHOWN else ""
    return [*told, *([f"Of several frames or pages: {', '.join(several[:SHOWN])}{more}."] if several else [])]


def passed_over(counts: Mapping[str, int]) -> list[str]:
    """The sentence about files that are no images, where there were any."""
    from components.example_gen import listing

    return [f"Passed over: {listing.words(counts)}."] if counts else []


def resized(value: dict) -> list[str]:
    """The sentence about images of another size than the model's, where there were any."""
    if not value.get("resized"):
        return []
    were, (height, width, _) = "was" if value["resized"] == 1 else "were", value["size"]
    return [f"{value['resized']} {were} of another size: resized to the model's {height}x{width} px, as in training."]


def ask_of(
    kind: type[Request], model: str, workspace: str, asked: Mapping[str, Any], listen: Callable[[dict], None] = lambda event: None
) -> dict:
    """As `quietly`, with the folder of a SavedModel as `model`. The value gets `asked`, the name that it was asked for by, and
    `run`, the run on record that trained it, or None."""
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    folder = runs.exported(place, model)
    run = runs.run_of(place, model, folder)
    return {**quietly(kind(**asked, model=str(folder)), listen), "asked": model, "run": run}


def answers(value: Mapping) -> list[dict[str, Any]]:
    """What was answered about each image or text, as the JSON contract has it, of what `hubel predict` was answered."""
    return [{**row, "run": value["run"]} for row in value[value["many"]]]


def plan(request: Request, as_json: bool) -> dict[str, Any]:
    """Ask what a command would do, for `--dry-run`, and show it: to a person what its stages would. Returns all that is known."""
    from pipelines.command_line import console

    value = quietly(request)
    if as_json:
        print(json.dumps(value))
    else:
        console.plan(value)
    return value


def quietly(request: Request, listen: Callable[[dict], None] = lambda event: None):
    """Ask a worker whose log matters only if it fails: then it stays, in the system's folder for such files, and is named.

    Where it listed files, its value, a mapping, gets what it passed over: `passed_over`, {ending: files}.
    """
    import tempfile

    from pipelines.process import supervise

    descriptor, name = tempfile.mkstemp(prefix="hubel-", suffix=".log")
    os.close(descriptor)
    state.log = Path(name)
    keep, listed = False, []

    def hear(event: dict) -> None:
        if event["event"] == "passed_over":
            listed.append(Counter(event["counts"]))
        listen(event)

    try:
        value = supervise.ask(request, state.log, hear)
        return value | {"passed_over": dict(sum(listed, Counter()))} if listed else value
    except HubelError as error:
        keep = error.exit_code == HubelError.exit_code
        raise
    finally:
        if not keep:
            state.tell()
            state.log.unlink(missing_ok=True)

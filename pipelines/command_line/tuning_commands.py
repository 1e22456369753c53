"""`hubel tune` and `hubel list trials`: parse, ask, print."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configs import words
from configs.errors import UsageError
from pipelines.command_line import options
from pipelines.command_line.options import quietly, state
from pipelines.process import requests

if TYPE_CHECKING:  # milliseconds that no other verb waits for
    from configs.schema.run import RunConfig
    from pipelines.workspace.layout import Workspace

NONE_COMPLETED = 1
GOES_ON = "The same command goes on from here: trials that are over are kept, what ran begins anew."
ALGORITHMS = ("random", "grid", "bayesian", "hyperband")
DIRECTIONS = ("min", "max")
FLAGS = ("trials", "minutes", "algorithm", "workers")  # that are keys of tune
YAML = (".yaml", ".yml")
CHIEF, WORKER = ROLES = ("chief", "worker")


@click.command("tune")
@click.argument("config", default="digits_lenet5")
@click.option("--trials", type=click.IntRange(1), metavar="N", help="How many to try.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), metavar="M", help="End the search after so long.")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), help="How the next trial is chosen.")
@click.option("--objective", metavar="NAME[:min|max]", help="A validation figure, such as val_accuracy.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that try at the same time.")
@click.option("--role", type=click.Choice(ROLES), help="A part of a search by several machines; needs --address.")
@click.option("--address", metavar="HOST:PORT", help="Where the chief listens, and workers find it.")
@options.assignments
@click.option("--write", "into", metavar="FILE", help="Write the best values as a config that `hubel run` trains.")
@options.workspace
@click.option("--dry-run", is_flag=True, help="Say what would run, what is cached and what is searched; change nothing.")
@options.verbose
@options.as_json
def tune(config, role, address, assignments, into, workspace, dry_run, as_json, **asked):
    """Search for the values of CONFIG (a shipped name or a YAML file) that are best on its validation split.

    What is searched stands in tune.space; `--set tune.space=auto` takes what is worth a search for its model. Of several machines
    that see one workspace, one has the role of the chief and the others that of workers.
    """
    from configs import load
    from pipelines.command_line import names
    from pipelines.workspace.layout import Workspace

    check(config, load.load(config, assignments))
    check_target(into)
    check_role(role, address, asked["workers"])
    assignments = [*assignments, *assigned(asked)]
    cfg, place = load.load(config, assignments), Workspace.at(workspace)
    names.check(cfg, place)
    if dry_run:
        value = options.plan(requests.PlanTune(config, assignments, str(place.root)), as_json)
        if not as_json:
            print("\n".join(_planned(value)))
        return 0
    if role == WORKER:
        return _joined(place.tuning(cfg.name), address, as_json)
    with place.locked(f"hubel tune {config}") as lock:
        value = _searched(config, cfg, place, lock, as_json, address)
    value |= _written(into, config, assignments, value)
    if as_json:
        print(json.dumps(value))
    else:
        _tell(value)
    return 0 if value["best"] is not None else NONE_COMPLETED


def assigned(asked: Mapping[str, Any]) -> list[str]:
    """The flags of a search as `--set` has them, and that there is one.

    Raises:
        UsageError: for a direction that is none.
    """
    made = ["tune.enabled=true"]
    if asked["objective"] is not None:
        name, colon, direction = asked["objective"].partition(":")
        if not name or (colon and direction not in DIRECTIONS):
            raise UsageError(
                f"--objective {asked['objective']!r} is not NAME, NAME:min or NAME:max.",
                "For example: --objective val_accuracy:max",
            )
        made.append(f"tune.objective={json.dumps([{'name': name, **({'direction': direction} if colon else {})}])}")
    return [*made, *(f"tune.{name}={asked[name]}" for name in FLAGS if asked[name] is not None)]


def check(config: str, cfg: RunConfig) -> None:
    """Raise UsageError where there is nothing to search."""
    if not cfg.tune.space:
        raise UsageError(
            f"Config {config} has no tune.space: it does not say what to search.",
            "Take what is worth a search for its model, --set tune.space=auto, or name paths (docs/tuning.md).",
        )


def check_target(into: str | None) -> None:
    """Raise UsageError where the best values cannot be written, before hours of a search."""
    if into is None:
        return
    target = Path(into)
    if target.suffix not in YAML:
        raise UsageError(f"--write {into}: the name of a config ends in .yaml.", "For example: --write best.yaml")
    if target.is_dir():
        raise UsageError(f"--write {into} is a folder.", "Name a file.")
    if not target.parent.is_dir():
        raise UsageError(f"--write {into}: there is no folder {target.parent}.", "Name a file in a folder that is there.")


def check_role(role: str | None, address: str | None, workers: int | None) -> None:
    """Raise UsageError for a part of a search that cannot be."""
    if (role is None) != (address is None):
        raise UsageError("--role and --address go together.", "For example: --role chief --address 0.0.0.0:8476")
    if role is None:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UsageError(f"--address {address} is not HOST:PORT.", "For example: --address 10.0.0.5:8476")
    if workers is not None:
        raise UsageError("--workers is of one machine.", "With --role each worker is a `hubel tune --role worker` of its own.")


def _joined(tuning: Path, address: str, as_json: bool) -> int:
    """Run trials for a chief until its search is over. It holds the workspace, so this holds nothing. That none answers is said
    before libraries load."""
    from pipelines.command_line import console
    from tuner import reach

    state.again = GOES_ON
    host, _, port = address.rpartition(":")
    with console.RunView(quiet=as_json) as view:
        if why := reach.silence(host.strip("[]"), int(port)):
            view({"event": "note", "text": f"No chief answers at {address} yet: {why}. It is waited for."})
        value = quietly(requests.Join(str(tuning), address), view)
    print(
        json.dumps(value) if as_json else f"The search {value['study']} is over; {words.count(value['trials'], 'trial')} ran here."
    )
    return 0


def _searched(called: str, cfg: RunConfig, place: Workspace, lock: int, quiet: bool, address: str | None) -> dict[str, Any]:
    """One search on record. Returns the JSON contract's value."""
    from configs import load
    from pipelines.command_line import console
    from pipelines.process import supervise
    from pipelines.workspace.runs import new_run_id, recorded

    run_id = new_run_id(place, cfg.name)
    state.log, state.again = place.log(cfg.name, run_id), GOES_ON
    with recorded(place, cfg.name, run_id, load.dump(cfg)) as record:
        request = requests.Tune(called, load.written(cfg), str(place.root), run_id, address)
        with console.RunView(quiet=quiet) as view:
            value = supervise.ask(request, state.log, view, held=(lock,))
        record({"status": "searched", "reason": _outcome(value)})
    return value


def _outcome(value: Mapping[str, Any]) -> str:
    """What the list of runs says of a search."""
    trials = words.count(len(value["trials"]), "trial")
    return f"{trials}, none completed" if value["best"] is None else f"{trials}, the best {value['objective']} {value['value']:.4f}"


def _written(into: str | None, config: str, assignments: list[str], value: Mapping[str, Any]) -> dict[str, Any]:
    """Write the config that has the best values, where it is asked for and there are any: {written: its path, command: that trains
    the best}."""
    if into is None or value["best"] is None:
        return {"written": None, "command": value["command"]}
    from configs import atomic, winner

    told = f"{_outcome(value)} (search {value['study']})"
    atomic.write_text(Path(into), winner.text(config, assignments, value["best"], told, Path(into).parent))
    return {"written": into, "command": value["command"].replace(shlex.quote(value["best_config"]), shlex.quote(into), 1)}


def _tell(value: Mapping[str, Any]) -> None:
    """The end of a search: the table, the importance of each parameter, where things are, and what to do next."""
    from pipelines.command_line import trials_view

    _table(value)
    lines = [*trials_view.importance(value["importance"])]
    lines += [value["importance_doubt"]] if lines and value["importance_doubt"] else []
    over, asked = sum(trial["status"] != "running" and not trial["origin"] for trial in value["trials"]), value["trials_asked"]
    if asked is not None and over > asked:
        lines.append(f"{over} trials were tried and {asked} asked for: the best is of all that were tried.")
    if value["best"] is None:
        lines.append("No trial completed: the reasons say why.")
    else:
        of = words.count(len(value["trials"]), "trial")
        lines.append(f"Best of {of}: {value['trials'][0]['id']}, {value['objective']} {value['value']:.4f}, with")
        lines += trials_view.best(value["best"])
    lines += [f"  page: {value['page']}"] if value["page"] else []
    lines += [f"  written: {value['written']}"] if value["written"] else []
    lines += [f"  train it: {value['command']}"] if value["command"] else []
    print("\n".join([*lines, f"{value['seconds']:.1f} s"]))


def _table(value: Mapping[str, Any]) -> None:
    """All trials, and below them why trials failed or were pruned."""
    from pipelines.command_line import console, trials_view
    from reports.choices import Choices
    from tuner.records import TrialRecord

    trials = [TrialRecord.model_validate(trial) for trial in value["trials"]]
    choices = Choices(value["space"], (trial.values for trial in trials))
    columns, rows = trials_view.cells(value["objective"], value["space"], trials, choices)
    whole, hidden = trials_view.whole(value["objective"]), []
    if room := console.room():
        columns, rows, hidden = trials_view.fitted(columns, rows, whole, room)
    console.table(columns, rows, right=whole[2:], whole=whole, cut=[column for column in columns if column not in whole])
    if hidden:
        print(f"There is no room for {', '.join(hidden)}: a wider terminal, a pipe, --json and the page have them.")
    print("".join(f"{line}\n" for line in trials_view.reasons(trials)), end="")


def _planned(value: Mapping[str, Any]) -> list[str]:
    """What would be searched."""
    from reports.trials import shown

    parts = [f"{part['name']} ({part['direction']})" if part["direction"] else part["name"] for part in value["objective"] or ()]
    budget = ", ".join(f"{name} {shown(asked)}" for name, asked in value["budget"].items() if asked is not None)
    told = [f"{value['algorithm']} search for the best {' and '.join(parts) or 'val_loss'}: {budget}"]
    if not isinstance(value["space"], Mapping):
        return [*told, f"  {value['space']}: what is worth a search for its model"]
    return told + [
        f"  {path}: {', '.join(f'{key} {shown(_brief(path, key, of))}' for key, of in drawn.items())}"
        for path, drawn in value["space"].items()
    ]


def _brief(path: str, key: str, of: Any) -> Any:
    """Choices and defaults without what they do not have to say."""
    from reports.trials import without_defaults

    if key == "choices":
        return [without_defaults(path, choice) for choice in of]
    return without_defaults(path, of) if key == "default" else of


@click.command("trials")
@click.argument("config", required=False)
@options.workspace
@options.as_json
def list_trials(config, workspace, as_json):
    """Trials of the newest search of CONFIG, or of the workspace: the best first, with values, figure, seconds and reason."""
    from pipelines.workspace.layout import Workspace
    from tuner import contract

    place = Workspace.at(workspace)
    newest, *others = studies(place, config)
    value = contract.of(newest) | {"others": [str(folder.relative_to(place.root / "tuning")) for folder in others]}
    if as_json:
        print(json.dumps(value))
        return
    print(f"{value['config']}, {value['algorithm']} search {value['study']}, by {value['objective']} ({value['direction']})")
    _table(value)
    if running := sum(trial["status"] == "running" for trial in value["trials"]):
        print(_of_running(running, value["held_by"]))
    print(f"page: {value['page']}" if value["page"] else f"folder: {value['folder']}")
    if others:
        print(f"Other searches: {', '.join(value['others'])}")


def _of_running(count: int, held_by: str | None) -> str:
    """Whether a search is at work on the trials that are not over."""
    trials = words.count(count, "trial")
    if held_by is not None:
        return f"{trials} running, by {held_by}."
    return f"{trials} interrupted: no search is at work; the next `hubel tune` of this config begins anew what is not over."


def studies(place: Workspace, config: str | None) -> list[Path]:
    """Folders of the studies of a config, or of all, the one that was worked on last first.

    Raises:
        UsageError: where there is none; says of which configs there are any.
    """
    from tuner import records

    every = sorted((place.root / "tuning").glob("*"))
    known = [folder.name for folder in every if records.studies(folder)]
    if config is not None and config not in known:
        from configs import load  # takes longer than all else

        config = load.load(config).name
    folders = records.studies(*every) if config is None else records.studies(place.tuning(config))
    if not folders:
        of, there = (f" of {config}" if config else ""), ", ".join(known) or "none"
        raise UsageError(f"There is no search{of} in {place.root} (there: {there}).", "`hubel tune CONFIG` makes one.")
    return folders

"""The verbs that say which version of a model clients get: parse, call, print."""

import dataclasses
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configs import paths
from pipelines.command_line import options
from pipelines.command_line.options import quietly
from pipelines.process import requests

if TYPE_CHECKING:
    from pipelines.workspace.layout import Workspace
    from pipelines.workspace.runs import Trained

_reason = click.option("--reason", metavar="TEXT", help="Why; kept with the change.")


@click.command("promote")
@click.argument("model")
@click.option("--force", is_flag=True, help="Push and promote NAME@candidate although it was not blessed; takes --reason.")
@_reason
@options.workspace
@options.as_json
def promote(model, force, reason, workspace, as_json):
    """Make a version of MODEL stable: NAME/VERSION, or of NAME its canary. model.config says so at once.

    MODEL may be a path to a folder of versions, or to one of them. NAME@candidate is what its last run trained and was not pushed.
    """
    from configs.errors import UsageError
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace
    from serving import promotions

    place = Workspace.at(workspace)
    if reason is not None and not reason.strip():
        raise UsageError("--reason is empty.", "Say why in a few words: --reason TEXT.")
    if runs.is_candidate(model) and not Path(model).expanduser().exists():
        return _forced(place, runs.trained(place, model), force, reason, as_json)
    if paths.is_url(model):
        return _moved_away(model, promotions.PROMOTE, reason, as_json)
    if force:
        raise UsageError(f"--force is for what was not pushed, and {model} names what was.", "Leave it out.")
    base, version = promotions.base_of(model, place.models)
    _need_graph(base, promotions.state(base).canary if version is None else version)
    change = promotions.promote(base, version, reason)
    _shown(place)
    _tell(change, base, reason, as_json)
    return 0


@click.command("rollback")
@click.argument("model")
@_reason
@options.workspace
@options.as_json
def rollback(model, reason, workspace, as_json):
    """Make stable again what was before the stable version of the model NAME. model.config says so at once."""
    from configs.errors import UsageError
    from pipelines.workspace.layout import Workspace
    from serving import promotions

    if paths.is_url(model):
        return _moved_away(model, promotions.ROLLBACK, reason, as_json)
    place = Workspace.at(workspace)
    base, version = promotions.base_of(model, place.models)
    if version is not None:
        raise UsageError(
            f"{model} names a version, and a rollback goes to the one before.",
            f"`hubel rollback {base.name}`, or `hubel promote {model}` to choose.",
        )
    _need_graph(base, promotions.state(base).before)
    change = promotions.rollback(base, reason)
    _shown(place)
    _tell(change, base, reason, as_json)
    return 0


@click.command("model-config")
@click.option("--base-path", metavar="DIR", help="The folder of models as the server sees it, such as /models in a container.")
@click.option("--models", metavar="DIR", help="The folder of models.  [default: the workspace's]")
@click.option("--out", metavar="FILE", help="Write it there, in one step, instead of printing it.")
@options.workspace
@options.as_json
def model_config(base_path, models, out, workspace, as_json):
    """Print TF Serving's model.config of all served models: the versions to load, and which is stable and which a canary."""
    from configs import atomic
    from configs.errors import UsageError
    from pipelines.workspace.layout import Workspace
    from serving import promotions

    folder = Path(models).expanduser().resolve() if models else Workspace.at(workspace).models
    if models and not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", "Check --models: a config without models has TF Serving unload all.")
    text, states = promotions.text(folder, base_path), promotions.states(folder)
    remarks = [line for name, of in states.items() for line in of.remarks(name)]
    if out:
        atomic.write_bytes(Path(out).expanduser(), text.encode())
    if as_json:
        labels = {name: {"versions": of.loaded, **of.labels} for name, of in states.items()}
        print(json.dumps({"config": text, "models": labels, "written": out, "remarks": remarks}))
        return 0
    print(f"{out} is written." if out else text, end="\n" if out else "")
    for line in remarks:
        click.echo(line, err=True)
    return 0


@click.command("served")
@options.workspace
@options.as_json
def list_served(workspace, as_json):
    """Served models: their versions, which is stable and which a canary, and, with --json, who replaced whom and when."""
    from pipelines.command_line import console, variants_view
    from pipelines.workspace.layout import Workspace
    from serving import promotions

    models = Workspace.at(workspace).models
    states, history = promotions.states(models), promotions.history(models)
    if as_json:
        print(json.dumps([_served(name, of, history.get(name, ()), _converted(models / name, of)) for name, of in states.items()]))
        return 0
    rows = []
    for name, of in states.items():
        named = {version: label for label, version in of.labels.items()}
        named |= {of.before: "before"} if of.before is not None else {}
        since = {entry.version: entry.when for entry in history.get(name, ())}
        brief = {version: variants_view.brief(told) for version, told in _converted(models / name, of).items()}
        rows += [[name, version, named.get(version), since.get(version), brief.get(version)] for version in of.versions]
    columns = ["model", "version", "label", "since", *(["variants"] if any(row[-1] for row in rows) else [])]
    console.table(columns, [row[: len(columns)] for row in rows], right=["version"])
    for line in (line for name, of in states.items() for line in of.remarks(name)):
        print(line)
    return 0


def _converted(base: Path, of) -> dict[int, list]:
    """Version -> what it was converted to, of those that were."""
    from serving import variants

    told = {version: variants.of(base / str(version)) for version in of.versions}
    return {version: variants for version, variants in told.items() if variants}


def _moved_away(model: str, by: str, reason: str | None, as_json: bool) -> int:
    """Promote or roll back what is at a URL, by the worker, which has TensorFlow's file systems."""
    from configs.errors import UsageError
    from serving import layout, promotions

    base, _, last = model.rstrip("/").rpartition("/")
    version = layout.number(last)
    if version is not None and by == promotions.ROLLBACK:
        raise UsageError(f"{model} names a version, and a rollback goes to the one before.", f"`hubel rollback {base}`.")
    value = quietly(requests.MoveStable(base if version is not None else model, by, version, reason))
    if as_json:
        print(json.dumps(value))
        return 0
    was = "none was" if value["was"] is None else f"version {value['was']} was"
    print(f"{value['model']}: version {value['is']} is stable; {was}.\n  {value['config']}")
    return 0


def _shown(place: "Workspace") -> None:
    """On the index of the workspace, where it has one, stands who is stable."""
    from pipelines.workspace import index

    if place.index.is_file():
        index.kept(place)


def _served(name: str, of, entries, converted: Mapping[int, list]) -> dict[str, Any]:
    from serving import promotions

    return {
        "model": name,
        "versions": list(of.versions),
        "stable": of.stable,
        "canary": of.canary,
        "before": of.before,
        "history": promotions.as_json(entries),
        "remarks": of.remarks(name),
        "variants": converted,
    }


def _need_graph(base: Path, version: int | None) -> None:
    """Raise UsageError where the graph of a version that shall be stable cannot be read: its name and size do not tell."""
    from configs.errors import HubelError, UsageError
    from serving import layout, saved_model

    folder = layout.versions(base).get(version) if version is not None else None
    if folder is None or layout.damage(folder):  # which is said with what else there is
        return
    try:
        saved_model.signatures(folder)
    except HubelError as error:
        raise UsageError(f"{error.message} Nothing was changed.", error.hint) from None


def _tell(change, base, reason: str | None, as_json: bool, **more: Any) -> None:
    """What was and what is."""
    from serving import promotions

    now = change.state
    value = {
        "model": change.model,
        "label": promotions.STABLE,
        "was": change.was,
        "is": change.now,
        "canary": now.canary,
        "before": now.before,
        "versions": list(now.versions),
        "skipped": list(change.skipped),
        "reason": reason,
        "config": str(base.parent / promotions.CONFIG),
        **more,
    }
    if as_json:
        print(json.dumps(value))
        return
    for version in change.skipped:
        print(f"{change.model} version {version} was stable before, and is not there any more: passed over.")
    was = "none was" if change.was is None else f"version {change.was} was"
    print(
        f"{change.model}: version {change.now} was stable already."
        if change.was == change.now
        else f"{change.model}: version {change.now} is stable; {was}."
    )
    if now.canary is not None:
        print(f"  version {now.canary} is the canary")
    for text in more.get("remarks", ()):
        print(f"  {text}")
    print(f"  {value['config']}")


def _forced(place: "Workspace", trained: "Trained", force: bool, reason: str | None, as_json: bool) -> int:
    """Push what a run trained and was not blessed, and make it stable."""
    from configs import load
    from configs.errors import UsageError
    from pipelines.workspace import pages, runs
    from serving import promotions

    record = runs.record_of(place, trained)
    verdict = record.reason or "the reason is not on record"
    pushed = record.version if record.model_dir and runs.is_version(record) else None
    if pushed is None and not force:
        what = "was blessed and not pushed" if record.blessed else f"was not blessed: {verdict}"
        command = f"hubel promote {shlex.quote(trained.name)} --force --reason TEXT"
        raise UsageError(
            f"What run {trained.run} of {trained.config} trained {what}.", f"`{command}` pushes and promotes it all the same."
        )
    if pushed is None and reason is None:
        raise UsageError(
            f"To promote {trained.name} by force takes a reason, which its card and its lineage keep.",
            "Give one: --reason TEXT.",
        )
    if pushed is not None:
        base = Path(record.model_dir).parent
        change = promotions.promote(base, pushed, reason)
        _shown(place)
        told = f"run {trained.run} pushed it as version {pushed}: nothing was forced"
        told = f"run {trained.run} pushed it as version {pushed} by force before" if record.forced else told
        _tell(change, base, reason, as_json, run=trained.run, blessed=record.blessed, verdict=record.reason, remarks=[told])
        return 0
    destination = load.load(str(place.run(trained.config, trained.run) / "config.yaml")).push.destination
    base = place.served(trained.config, destination)
    if isinstance(base, str):
        raise UsageError(
            f"What is pushed to {base} is not promoted by force in one step.",
            "Set push.destination to a folder, or copy what was pushed.",
        )
    was = promotions.state(base).stable  # what cannot be read is said before anything is pushed
    with place.locked(f"hubel promote {trained.name}"):
        asked = requests.PushByForce(str(trained.artifact), str(base), trained.run, reason, verdict, str(place.metadata))
        value: Mapping[str, Any] = quietly(asked)
        # a first version is stable once it is pushed
        change = dataclasses.replace(promotions.promote(base, value["version"], reason), was=was)
        runs.forced(place, record, value["version"], value["model_dir"], reason)
        pages.forced(place, record.config, record.run, value["version"], reason)
        _shown(place)
    remarks = [f"run {trained.run} was not blessed: {verdict}" if not record.blessed else "it was blessed, and not pushed"]
    remarks += [] if value["is_new"] else [f"version {value['version']} was live already and holds the same: its card is as it was"]
    remarks += [] if value["lineage"] else ["the metadata knows nothing of it, so its lineage has no entry"]
    remarks += [value["statistics"]] if value["statistics"] else []
    _tell(change, base, reason, as_json, run=trained.run, blessed=record.blessed, verdict=record.reason, remarks=remarks)
    return 0

"""The verbs that judge models which are there: parse, ask, print."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.command_line import options
from pipelines.process import requests

if TYPE_CHECKING:
    from pipelines.workspace.layout import Workspace

# keys of `data` that say how a source is read, and those of them that are a source's own way of writing things
READ = ("ground", "white", "missing_markers", "masks", "mask_classes", "mask_ignore", "features", "images", "inliers")
OF_SCHEME = ("missing_markers", "masks", "mask_classes", "mask_ignore", "features", "images")

IMAGES = 500  # that are corrupted, at most: accuracy is told to within 0.04

_data = click.option("--data", "source", required=True, metavar="SOURCE", help="What it is judged on, such as folder:PATH.")
_split = click.option("--split", metavar="NAME", help="The source's own split to read alone, such as test; default: all of it.")


@dataclass(frozen=True)
class Asked:
    """A model that is to be judged: how it was named, the folder of its SavedModel, and what is on record of it, as far as it is:
    its config's name, the run that trained it, the folders of its artifact and of its training split, and its config."""

    model: str
    folder: Path
    config: str | None = None
    run: str | None = None
    artifact: str | None = None
    train: str | None = None
    tree: Mapping[str, Any] | None = None

    @property
    def version(self) -> int | None:
        """Of what was pushed."""
        from serving import layout

        return layout.number(self.folder.name)


@click.command("evaluate")
@click.argument("model")
@_data
@_split
@click.option(
    "--corruptions",
    is_flag=False,
    flag_value="all",
    metavar="[NAMES]",
    help="And on corrupted images, at five severities: all, or such as noise,blur,brightness,jpeg.",
)
@click.option(
    "--corruptions-images",
    "images",
    type=click.IntRange(1),
    default=IMAGES,
    show_default=True,
    metavar="N",
    help="Corrupt at most so many images, chosen by a hash of their ids.",
)
@click.option("--baseline", metavar="MODEL", help="Say how errors on corrupted images are to those of MODEL.")
@click.option("--out", metavar="FILE", help="Where the page goes.  [default: reports/NAME/evaluations in the workspace]")
@click.option("--force", is_flag=True, help="Overwrite a page that is there.")
@click.option("--open", "opens", is_flag=True, help="Show the page in a browser.")
@options.assignments
@options.workspace
@options.verbose
@options.as_json
def evaluate(model, source, split, corruptions, images, baseline, out, force, opens, assignments, workspace, as_json):
    """Judge MODEL (NAME, NAME/VERSION, NAME@candidate, a run or a SavedModel folder) on any data, without training.

    Figures, intervals and slices are those of a run's test split. Labels and features are read as the model's config says; --set
    data.KEY=VALUE or evaluate.KEY=VALUE changes that. A page shows what the figures rest on.
    """
    from pipelines.command_line import console, robustness_view
    from pipelines.workspace import index
    from pipelines.workspace.layout import Workspace

    start, place = time.monotonic(), Workspace.at(workspace)
    under = _corruptions(place, corruptions, images, baseline)
    asked = on_record(place, model)
    data, bounds, notes = told(asked, place, source, assignments)
    has_bounds = asked.tree is not None or bool(bounds)
    said = {"--data": source, "--split": split, "--corruptions": under and ",".join(under["names"])}
    if under:
        said |= {"--corruptions-images": under["images"], "--baseline": baseline}
    again = [f"{option}={value}" for option, value in said.items() if value is not None]
    again = shlex.join(["hubel", "evaluate", model, *again, *(f"--set={each}" for each in assignments)])
    page = _page(asked, place, out, force) | {"source": source, "split": split, "has_bounds": has_bounds}
    page["command"] = again + page["workspace"]
    request = requests.Evaluate(
        str(asked.folder), asked.artifact, data, bounds, asked.train, str(place.datasets), split, page, under
    )
    answer, warnings = heard(request, f"Judging {model} on {source}", as_json)
    name = answer.pop("name")
    read = answer["data"]
    notes += [*seen_before(asked, source, split), *read["notes"], *warnings]
    value = {
        "run": asked.run,
        "config": asked.config,
        "model": name,
        "version": asked.version,
        "model_dir": str(asked.folder),
        **answer,
        "source": source,
        "split": split,
        "notes": notes,
        "seconds": round(time.monotonic() - start, 2),
    }
    if not has_bounds:  # nothing says what is good enough
        value |= {"blessed": None, "reason": ""}
    if value["report"] and place.index.is_file():
        index.kept(place)
    if opens and value["report"]:
        click.launch(value["report"])
    if as_json:
        print(json.dumps(value))
        return 0
    console.judged({**value, "noun": read["noun"]})
    robustness_view.terminal(value)
    for line in [*robustness_view.since(value), *options.answered({"asked": model, "run": asked.run}), *left_out(value), *notes]:
        print(line)
    if value["blessed"] is not None:
        why = f": {value['reason']}" if value["reason"] else ""
        print("It keeps every bound of its config." if value["blessed"] else f"By its config it would not be blessed{why}.")
    print(f"{value['seconds']:.1f} s")
    if value["report"]:
        print(f"Report: {value['report']}")
    return 0


def _corruptions(place: "Workspace", asked: str | None, images: int, baseline: str | None) -> dict[str, Any] | None:
    """What is asked about corrupted images, as pipelines.verbs.robustness.told has it. Raises UsageError for unknown names."""
    from components import corruptions
    from configs.errors import UsageError
    from pipelines.workspace import runs

    if asked is None:
        context = click.get_current_context()
        for name, option in (("images", "--corruptions-images"), ("baseline", "--baseline")):
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                raise UsageError(f"{option} says how --corruptions are asked about, and these are not.", "Add --corruptions.")
        return None
    names = corruptions.named(asked)
    folder = str(runs.exported(place, baseline)) if baseline else None
    return {"names": names, "images": images, "baseline": folder, "called": baseline}


def _page(asked: Asked, place: "Workspace", out: str | None, force: bool) -> dict[str, Any]:
    """Where the page goes, and what it says of the model (pipelines.verbs.judged_page.pushed). Raises UsageError for a file
    that may not be written."""
    from configs.errors import UsageError
    from pipelines.workspace import pages

    name = asked.config or (asked.folder.parent.name if asked.version is not None else asked.folder.name)
    path = Path(out).expanduser() if out else pages.of_evaluation(place, name)
    if path.is_dir():
        raise UsageError(f"--out {out} is a folder.", "Name a file in it, such as page.html.")
    if path.exists() and not force:
        raise UsageError(f"{path}: there already.", "Choose another file with --out, or add --force to overwrite.")
    where = "" if options.state.workspace is None else f" --workspace {shlex.quote(str(place.root))}"
    return {
        "path": str(path),
        "is_asked": out is not None,
        "name": name,
        "model": asked.model,
        "workspace": where,
        "version": asked.version,
        "run": asked.run,
        "metadata": str(place.metadata) if place.metadata.is_file() else None,
    }


def on_record(place: "Workspace", model: str) -> Asked:
    """What is known of a model. Raises UsageError where there is no such model."""
    from configs import load
    from configs.errors import HubelError
    from pipelines.workspace import runs, unchanged

    folder = runs.exported(place, model)
    run = runs.run_of(place, model, folder)
    record = next((record for record in runs.records(place) if record.run == run), None)
    if record is None:
        return Asked(model, folder)
    try:
        tree = load.read(place.run(record.config, record.run) / "config.yaml")
    except HubelError:
        tree = None
    examples = unchanged.examples_of(place, record.config, record.run)
    train = examples and examples / "Split-train"
    artifact = record.model_uri if record.model_uri and Path(record.model_uri).is_dir() else None
    return Asked(model, folder, record.config, run, artifact, str(train) if train and train.is_dir() else None, tree)


def told(
    asked: Asked, place: "Workspace", source: str, assignments: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """The data as a model's config has it read, the bounds of that config, and what is said of both. Raises UsageError for what
    cannot be read or set."""
    from components.example_gen import sources
    from configs import load
    from configs.errors import UsageError
    from configs.schema.data import DataConfig
    from configs.schema.evaluate import EvaluateConfig
    from configs.trees import merged

    sources.check(source, place.datasets)
    own = asked.tree or {"data": _of_card(asked.folder)}
    ours = {key: value for key, value in own.get("data", {}).items() if key in READ and value not in (None, {}, [])}
    notes, before = [], own.get("data", {}).get("source", "")
    if before and before.partition(":")[0] != source.partition(":")[0]:
        dropped = [key for key in OF_SCHEME if ours.pop(key, None) is not None]
        notes += [f"data.{key} of the config is of {before}, and is not used." for key in dropped]
    if asked.tree is None:
        notes.append("No run on record trained it, so no config says how labels are named and what is good enough.")
    tree = load.assigned(assignments)
    if wrong := sorted(set(tree) - {"data", "evaluate"}):
        raise UsageError(
            f"--set {wrong[0]}: a model that is there is judged as it is.", "What can be set is data.KEY and evaluate.KEY."
        )
    where, hint = "of the evaluation", "docs/configuration.md lists every key of data and evaluate."
    changed = merged({"data": ours, "evaluate": own.get("evaluate", {})}, [tree])
    data = load.checked(DataConfig, {**changed["data"], "source": source}, where, hint)
    bounds = load.checked(EvaluateConfig, changed["evaluate"], where, hint)
    return data.model_dump(mode="json"), bounds.model_dump(mode="json", exclude_unset=True), notes


def _of_card(folder: Path) -> dict[str, Any]:
    """How images are read, by the card alone."""
    from components import keys

    try:
        return json.loads((folder / keys.CARD_IN_EXPORT).read_text()).get("reading") or {}
    except (OSError, ValueError):
        return {}  # the worker says what is wrong with it


def heard(request: requests.Request, title: str, quiet: bool) -> tuple[dict, list[str]]:
    """The worker's value, and the warnings on the way."""
    from pipelines.command_line import steps_view

    warnings: list[str] = []
    with steps_view.StepsView(title, quiet=quiet) as view:

        def listen(event: dict) -> None:
            if event["event"] == "warning":
                warnings.append(event["text"])
            view(event)

        value = options.quietly(request, listen)
    return value, warnings


def seen_before(asked: Asked, source: str, split: str | None) -> list[str]:
    """The sentence on data that a model was trained on, where it is that."""
    trained_on = (asked.tree or {}).get("data", {}).get("source")
    if trained_on != source or split in ("test", "testing"):
        return []
    return [f"{source} is what it was trained on: of images that it has seen, figures say little."]


def left_out(value: Mapping[str, Any]) -> list[str]:
    """Sentences on what of the data was not judged, and on what was changed."""
    from pipelines.command_line.options import changed, passed_over

    read = value["data"]
    aside = [f"Left out: {value['left_out']}."] if value["left_out"] else []
    aside += [f"  {row['id']}: {row['reason']}" for row in read["named"]]
    return [*passed_over(read["passed_over"]), *aside, *changed({"changes": read["changes"]})]


@click.command("compare")
@click.argument("name")
@click.argument("a")
@click.argument("b")
@_data
@_split
@click.option("--out", metavar="DIR", help="Folder for a sheet and a table of what the two disagree about.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@options.assignments
@options.workspace
@options.verbose
@options.as_json
def compare(name, a, b, source, split, out, force, assignments, workspace, as_json):
    """Send the same data through two versions A and B of the model NAME: agreement, figures, what is noise, latency.

    A and B are versions, stable or canary, candidate, or runs. Data is read as the config of A says.
    """
    from pipelines.command_line import comparison_view
    from pipelines.workspace.layout import Workspace

    start, place = time.monotonic(), Workspace.at(workspace)
    both = [on_record(place, called(name, each, place)) for each in (a, b)]
    data, _, notes = told(both[0], place, source, assignments)
    folders, artifacts = [str(asked.folder) for asked in both], [asked.artifact for asked in both]
    request = requests.Compare(folders, artifacts, data, str(place.datasets), split, out, force)
    answer, _ = heard(request, f"Comparing {both[0].model} and {both[1].model} on {source}", as_json)
    del answer["name"]
    notes += [line for asked in both for line in seen_before(asked, source, split)][:1]
    notes += [*answer["data"]["notes"], *([f"{name} {a} and {b} are the same model."] if folders[0] == folders[1] else [])]
    first, second = (
        {"model": asked.model, "version": asked.version, "run": asked.run, "model_dir": str(asked.folder), **figures}
        for asked, figures in zip(both, answer.pop("models"), strict=True)
    )
    seconds = round(time.monotonic() - start, 2)
    value = {"model": name, "a": first, "b": second, **answer, "source": source, "split": split, "notes": notes, "seconds": seconds}
    if as_json:
        print(json.dumps(value))
        return 0
    comparison_view.terminal(value)
    for line in [*left_out(value), *notes]:
        print(line)
    print(f"{seconds:.1f} s")
    return 0


def called(name: str, which: str, place: "Workspace") -> str:
    """The full name of a version of a model. Raises UsageError for a label that no version has."""
    from configs.errors import UsageError
    from pipelines.workspace import runs
    from serving import layout, promotions

    if which in (promotions.STABLE, promotions.CANARY):
        base, _ = promotions.base_of(name, place.models)
        labels = promotions.state(base).labels
        if which not in labels:
            raise UsageError(f"No version of {name} is its {which}.", "`hubel list served` shows which there are.")
        return f"{name}/{labels[which]}"
    if layout.number(which) is None and (which == runs.CANDIDATE or runs.RUN.fullmatch(which)):
        return f"{name}@{which}"
    return f"{name}/{which}"

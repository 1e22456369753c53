"""The verbs about data: parse, call, print, like those of pipelines.command_line.commands."""

import json
import os
import shlex
from pathlib import Path

import click

from configs import words
from configs.errors import HubelError, UsageError
from pipelines.command_line import options, typed
from pipelines.command_line.options import quietly, state
from pipelines.process import requests

WIDEST = 120  # characters of a text that stand in a line
CLASSES_SHOWN = 12  # with more, a line says how many there are


@click.group("datasets")
def datasets():
    """Data sets: prepare one, look at what training will see of it."""


@datasets.command("prepare")
@click.argument("name")
@click.option("--from", "archives", metavar="DIR", help="Folder of its archives under their publisher's names; else: download.")
@options.workspace
@options.verbose
@options.as_json
def prepare(name, archives, workspace, as_json):
    """Prepare the TFDS data set NAME[/CONFIG][:VERSION] in the workspace, from archives on disk or from the network."""
    import time

    from components.example_gen import prepared, tfds
    from pipelines.command_line import steps_view
    from pipelines.process import supervise
    from pipelines.workspace.layout import Workspace
    from pipelines.workspace.runs import new_run_id

    start = time.monotonic()
    place = Workspace.at(workspace)
    folder = tfds.prepared([place.datasets], *tfds.parsed(name))
    is_there = folder is not None
    if is_there:
        tfds.check_complete(folder)
    else:
        request = requests.PrepareDataset(name, str(place.datasets), _folder(archives))
        with place.locked(f"hubel datasets prepare {name}") as lock:
            state.log = place.log("datasets", new_run_id(place, "datasets"))
            with steps_view.StepsView(f"Preparing {name}" + (f" from {archives}" if archives else ""), quiet=as_json) as view:
                folder = Path(supervise.ask(request, state.log, view, held=(lock,)))
    row = prepared.row(folder, place.datasets)
    if as_json:
        print(json.dumps({**row, "already": is_there, "seconds": round(time.monotonic() - start, 2)}))
    else:
        print(f"{row['name']} {row['version']} is prepared{' already' if is_there else ''}: {row['folder']}")
        print(f"  {_images(row['splits'])}; {_classes(row['classes'])}; {row['bytes'] / 2**20:.1f} MiB")
        print(f"  use it: data.source={row['source']}")


@datasets.command("preview")
@click.argument("config")
@options.assignments
@click.option("--out", metavar="DIR", help="Folder for the picture and the page.  [default: previews/NAME in the workspace]")
@click.option(
    "--images", "--examples", "examples", type=click.IntRange(1, 1000), default=16, show_default=True, help="Training ones shown."
)
@click.option("--samples", type=click.IntRange(1, 50), help="Augmented ones of each image.  [default: 4]")
@options.workspace
@options.verbose
@options.as_json
def preview(config, assignments, out, examples, samples, workspace, as_json):
    """Show training examples of CONFIG as the model gets them: images resized and augmented, a PNG and a page; of texts a table."""
    from components.example_gen import sources
    from configs import load
    from pipelines.command_line import steps_view
    from pipelines.workspace.layout import Workspace

    cfg = load.load(config, assignments)
    place = Workspace.at(workspace)
    sources.check(cfg.data.source, place.datasets)
    folder = Path(out).expanduser().absolute() if out else place.preview(cfg.name)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {out} is a file.", "Name a folder; it is made where it is not there.")
    request = requests.Preview(config, assignments, str(place.datasets), str(folder), examples, samples)
    with steps_view.StepsView(f"Looking at {cfg.data.source}", quiet=as_json) as view:
        value = quietly(request, view)
    if as_json:
        print(json.dumps(value))
    else:
        classes = f" of {words.classes(value['classes'])}" if value["classes"] else ""
        files = "".join(f"\n  {value[ending]}" for ending in ("png", "html") if value[ending])
        print(f"{words.count(value['images'], 'training ' + value['noun'])}{classes}:{files}")
        for note in value["notes"]:
            print(note)
        if "examples" in value:
            _print_tables(value)


def _print_tables(value: dict) -> None:
    """How many examples there are, and those that are shown, each in a line."""
    from pipelines.command_line import console

    counts, by_split, columns = value["counts"], value["by_split"].values(), value["columns"]
    by_class = [[name, *(f"{of[name]:,}" for of in by_split)] for name in next(iter(by_split), {})]
    console.table(["class", *counts], [*by_class, ["all", *(f"{count:,}" for count in counts.values())]], right=counts)
    rows = [[_line(row[column]) for column in columns] for row in value["examples"]]
    numbers = [name for name in columns if _is_number(value, name)]
    console.table(columns, [[_fitting(cell) for cell in row] for row in rows], right=numbers)
    if cut := sum(any(len(cell) > WIDEST for cell in row) for row in rows):
        print(f"{words.count(cut, 'line')} {'is' if cut == 1 else 'are'} cut at {WIDEST} characters; the page has more.")


def _is_number(value: dict, column: str) -> bool:
    return all(isinstance(row[column], int | float) for row in value["examples"])


def _line(cell) -> str:
    text = cell if isinstance(cell, str) else ", ".join(cell) if isinstance(cell, list) else f"{cell:,}"
    return " ".join(text.split())


def _fitting(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."


@click.command("datasets")
@options.workspace
@options.as_json
def list_datasets(workspace, as_json):
    """Data sets of TFDS that are prepared in the workspace, and `digits`, which needs no preparation."""
    from components.example_gen import prepared
    from pipelines.command_line import console
    from pipelines.workspace.layout import Workspace

    rows = prepared.listed(Workspace.at(workspace).datasets)
    if as_json:
        print(json.dumps(rows))
    else:
        columns = ["source", "version", "images", "classes", "MiB", ""]
        console.table(columns, [_row(row) for row in rows])


def _row(row: dict) -> list:
    remark = f"damaged: {row['error']}" if row["error"] else None if row["folder"] else "prepared by the first run"
    size = f"{row['bytes'] / 2**20:.1f}" if row["folder"] else None
    return [row["source"], row["version"], _images(row["splits"]), len(row["classes"]) or None, size, remark]


def _images(splits: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in splits.items())


def _classes(names: list[str]) -> str:
    if not names:
        return "no labels"
    shown = ", ".join(names[:CLASSES_SHOWN]) + (", ..." if len(names) > CLASSES_SHOWN else "")
    return f"{words.classes(len(names))} ({shown})"


def _folder(text: str | None) -> str | None:
    """An absolute path. Raises UsageError where it is no folder."""
    if text is None:
        return None
    path = Path(text).expanduser()
    if not path.is_dir():
        raise UsageError(f"--from {text}: there is no such folder.", "Name the folder that holds the archives.")
    return str(path.resolve())


@click.command("init")
@click.argument("path")
@click.option("--out", "file", metavar="FILE", help="The config to write.  [default: NAME.yaml, after the folder or the table]")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="COLUMN",
    help="Of a table or TFRecords: the label; again for each of a one-hot label; null: none.",
)
@click.option("--image", metavar="COLUMN", help="Of a table: the path of the image; of TFRecords: the image.")
@click.option("--text", metavar="COLUMN", help="Of a table or TFRecords: the text itself.")
@click.option(
    "--mask", metavar="PATTERN", help='Of a folder: where masks are, such as "masks/{name}.png"; of a table: their column.'
)
@click.option("--images", metavar="DIR", help="Of a table: the folder that its paths start from.  [default: the table's]")
@options.workspace
@options.verbose
@options.as_json
def init(path, file, force, labels, image, text, mask, images, workspace, as_json):
    """Look at the images or texts of PATH (a folder, a CSV file, TFRecords, tfds:NAME) and write a config for them."""
    from components.example_gen import sources
    from pipelines.command_line import steps_view
    from pipelines.init import proposal
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    source = proposal.source_of(path)
    name = proposal.name_of(source)
    out = _writable(file or f"{name}.yaml", force)
    read = proposal.read_by(source, labels, image, images, text, mask)
    sources.check(source, place.datasets)
    with steps_view.StepsView(f"Looking at {source}", quiet=as_json) as view:
        survey = quietly(requests.Look(source, str(place.datasets), **read), view)
        if pictures := proposal.pictures_of(source, survey):
            source, masks = pictures, survey["masks"]
            survey = quietly(requests.Look(source, str(place.datasets)), view)
            survey |= {"left_out": masks}
    made = proposal.propose(name, source, survey, file or out.name, read, **proposal.at_hand(survey, place))
    _write_config(out, made.text)
    if as_json:
        value = {"file": str(out), "name": name, "source": source, "found": survey, "passed_over": survey["passed_over"]}
        print(json.dumps({**value, "notes": made.notes}))
    else:
        print("\n".join([*proposal.summary(survey, source), *made.notes]))
        print(f"Wrote {out}\n  train it: {typed.command(f'hubel run {shlex.quote(file or out.name)}', state.workspace)}")


def _writable(file: str, force: bool) -> Path:
    """Where a config is to be written. Raises UsageError, HubelError where that cannot be."""
    out = Path(file).expanduser().absolute()
    if out.suffix not in (".yaml", ".yml"):
        raise UsageError(f"--out {file}: a config is a YAML file.", f"Write --out {out.name}.yaml")
    if not out.parent.is_dir():
        raise UsageError(f"--out {file}: there is no folder {out.parent}.", "Make it first, or choose another.")
    if out.is_dir() or (out.exists() and not force):
        raise UsageError(f"{out} is there already.", "Choose another with --out" + ("." if out.is_dir() else ", or add --force."))
    if not os.access(out.parent, os.W_OK):
        raise HubelError(f"{out.parent} cannot be written.", "Choose another place with --out.")
    return out


def _write_config(out: Path, text: str) -> None:
    """Write a config whole, after it was found valid."""
    from configs import atomic, load

    try:
        with atomic.replacing(out) as stage:
            stage.write_text(text, encoding="utf-8")
            load.load(str(stage))
    except OSError as error:
        raise HubelError(f"{out} cannot be written: {error.strerror}.", "Choose another place with --out.") from None

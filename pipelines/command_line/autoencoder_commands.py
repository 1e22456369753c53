"""The verbs about autoencoders: parse, call, print, like those of pipelines.command_line.commands."""

import json
import math
from collections.abc import Callable

import click

from configs import words
from pipelines.command_line import options
from pipelines.process import requests

ERRORS_SHOWN = 10
SCORES_SHOWN, FOLDERS_SHOWN = 40, 20
LARGEST = (2 - 2**-23) * 2.0**127  # of float32

_model = click.argument("model")
_images = click.argument("images", nargs=-1, required=True)
_out = click.option("--out", metavar="DIR", required=True, help="Folder for what is made; it is made where it is not there.")
_maybe_out = click.option("--out", metavar="DIR", help="Folder for what is made; without it, the table here is all.")
_force = click.option("--force", is_flag=True, help="Overwrite files that are there.")
_sheet = click.option("--sheet", "with_sheet", is_flag=True, help="Write sheet.png too: all at a glance.")
_seed = click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the random numbers.")


def _finite(context, option, asked: float | None) -> float | None:
    """Raises BadParameter for what is infinite or no number as float32, which scores are."""
    if asked is None or (math.isfinite(asked) and abs(asked) <= LARGEST):
        return asked
    raise click.BadParameter(f"{asked:g} is not a finite number of 32 bits.", context, option)


def _verb(name: str, *parameters: Callable) -> Callable:
    """A command of MODEL with the common flags; `parameters` stand in the order of the help."""

    def made(body: Callable) -> Callable:
        for parameter in reversed([_model, *parameters, _force, options.workspace, options.verbose, options.as_json]):
            body = parameter(body)
        return click.command(name)(body)

    return made


@_verb("reconstruct", _images, _out, _sheet)
def reconstruct(**asked):
    """Write what an autoencoder MODEL makes of IMAGES: files, or folders of them.

    MODEL is NAME, NAME/VERSION, NAME@candidate, a run or a SavedModel folder.
    """
    return _remade("reconstruct", asked)


@_verb("denoise", _images, _out, _sheet)
def denoise(**asked):
    """Write IMAGES (files, or folders of them) without their noise, by a MODEL that was trained to undo it."""
    return _remade("denoise", asked)


@_verb(
    "inpaint",
    _images,
    click.option("--mask", required=True, metavar="FILE|DIR", help="Bright where pixels are missing: one, or one a name."),
    _out,
    _sheet,
)
def inpaint(**asked):
    """Fill in the missing pixels of IMAGES (files, or folders of them) by an autoencoder MODEL; the others stay as they are."""
    return _remade("inpaint", asked)


@_verb(
    "encode",
    _images,
    _out,
    click.option("--format", "form", type=click.Choice(["npy", "csv"]), default="npy", show_default=True, help="Of the codes."),
)
def encode(as_json, **asked):
    """Write the codes that an autoencoder MODEL gives IMAGES: files, or folders of them."""
    value = _ask(requests.Encode, as_json, asked)
    codes = f"{words.count(len(_good(value)), 'code')} of {words.count(value['code_size'], 'number')}"
    said = f"{codes}: {value['codes']}" if value["codes"] else ""
    return _say(value, as_json, said)


@_verb("decode", click.argument("codes"), _out, _sheet)
def decode(as_json, **asked):
    """Write the images of CODES (a .npy or .csv file, as `hubel encode` writes them) by the MODEL that made them."""
    value = _ask(requests.Decode, as_json, asked)
    return _say(value, as_json, _written(value, asked["out"]))


@_verb(
    "generate",
    click.option("--count", type=click.IntRange(1, 100_000), default=16, show_default=True, help="How many images."),
    _seed,
    click.option("--label", metavar="CLASS", help="Of a conditional model: the class of the images."),
    _out,
    _sheet,
)
def generate(as_json, **asked):
    """Write new images, of codes drawn at random, by a variational MODEL."""
    value = _ask(requests.Generate, as_json, asked)
    return _say(value, as_json, _written(value, asked["out"]))


@_verb(
    "anomalies",
    _images,
    click.option(
        "--threshold",
        type=float,
        callback=_finite,
        metavar="SCORE",
        help="Above it an image is an anomaly.  [default: the model's]",
    ),
    click.option("--csv", "table", metavar="FILE", help="Write the table of all images as CSV, the highest score first."),
    _maybe_out,
    _sheet,
)
def anomalies(as_json, **asked):
    """Say how unlike its training images an autoencoder MODEL finds IMAGES: files, or folders of them; the strangest first."""
    from pipelines.command_line import console
    from reports import scores

    _need_out(asked)
    value = _ask(requests.Anomalies, as_json, asked)
    summary, lines = value["summary"], []
    if not as_json:
        words = {True: "anomaly", False: "normal", None: None}
        good = scores.ranked(_good(value))
        rows = [[row["file"], f"{row['anomaly_score']:.6f}", words[row["is_anomaly"]]] for row in good[:SCORES_SHOWN]]
        console.table(["file", "anomaly_score", ""], rows, right=["anomaly_score"])
        if len(good) > SCORES_SHOWN:
            print(f"... and {len(good) - SCORES_SHOWN:,} with lower scores; --csv FILE has all")
        if summary["folders"]:
            columns = ["folder", "images", "anomalies", "median score"]
            parts = sorted(summary["folders"], key=lambda part: -(part["median"] or 0))
            shown = [[part["folder"], part["images"], part["anomalies"], _six(part["median"])] for part in parts[:FOLDERS_SHOWN]]
            console.table(columns, shown, right=columns[1:])
            if len(parts) > FOLDERS_SHOWN:
                print(f"... and {len(parts) - FOLDERS_SHOWN:,} folders of lower scores; --json has all")
    if value["threshold"] is None and not value["calibrated"]:
        lines.append("Scores only: this model has no threshold. `--threshold SCORE` sets one.")
    elif summary["anomalies"] is not None:
        lines.append(f"{summary['anomalies']:,} of {summary['images']:,} are above the threshold of {value['threshold']:.6f}")
    lines += [f"Written to {asked['out']}"] if value["scores"] else []
    return _say(value, as_json, *lines, *([f"All scores: {value['csv']}"] if value["csv"] else []))


def _six(score: float | None) -> str | None:
    return None if score is None else f"{score:.6f}"


@_verb(
    "interpolate",
    click.argument("first"),
    click.argument("second"),
    click.option("--steps", type=click.IntRange(2, 1000), default=10, show_default=True, help="Images, both ends included."),
    click.option("--spherical", is_flag=True, help="Along a great circle instead of a straight line, for variational models."),
    _out,
)
def interpolate(as_json, first, second, **asked):
    """Write the images on the way from FIRST to SECOND, in the code space of an autoencoder MODEL, and a sheet of them."""
    value = _ask(requests.Interpolate, as_json, {**asked, "images": [first, second]})
    return _say(value, as_json, f"{len(value['steps'])} images in {asked['out']}", f"  {value['sheet']}")


@_verb(
    "embed",
    _images,
    click.option("--method", type=click.Choice(["pca", "tsne"]), default="pca", show_default=True, help="From codes to the plane."),
    _seed,
    _out,
)
def embed(as_json, **asked):
    """Write a map of IMAGES (files, or folders of them), alike ones near each other by their codes of an autoencoder MODEL."""
    value = _ask(requests.Embed, as_json, asked)
    kept = "" if value["explained"] is None else f", {value['explained']:.0%} of the codes' variance"
    return _say(value, as_json, f"{words.count(len(_good(value)), 'image')}{kept}:", *(f"  {file}" for file in value["files"]))


@_verb(
    "neighbours",
    _images,
    click.option("--among", required=True, metavar="DIR", help="Folder of the images to choose from."),
    click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="Neighbours of each."),
    _maybe_out,
    _sheet,
)
def neighbours(as_json, **asked):
    """Find the images of a folder that are most like IMAGES by their codes of an autoencoder MODEL."""
    from pipelines.command_line import console

    _need_out(asked)
    value = _ask(requests.Neighbours, as_json, asked)
    if not as_json:
        rows = [[row["file"], near["file"], f"{near['distance']:.4g}"] for row in _good(value) for near in row["neighbours"]]
        console.table(["file", "neighbour", "distance"], rows, right=["distance"])
    return _say(value, as_json, *value["files"], *_errors(value["unreadable"]))


VERBS = (reconstruct, denoise, inpaint, encode, decode, generate, anomalies, interpolate, embed, neighbours)


def _remade(verb: str, asked: dict) -> int:
    as_json = asked.pop("as_json")
    value = _ask(requests.Remake, as_json, {"verb": verb, **asked})
    return _say(value, as_json, _written(value, asked["out"]))


def _ask(kind: type[requests.Request], as_json: bool, asked: dict) -> dict:
    """Have a worker do it, with the model's folder in place of its name."""
    from pipelines.command_line import steps_view

    model, workspace = asked.pop("model"), asked.pop("workspace")
    with steps_view.StepsView(f"Asking {model}", quiet=as_json) as view:
        return options.ask_of(kind, model, workspace, asked, view)


def _need_out(asked: dict) -> None:
    if asked["with_sheet"] and not asked["out"]:
        raise click.UsageError("--sheet needs --out DIR.")


def _good(value: dict) -> list[dict]:
    return [row for row in value["images"] if "error" not in row]


def _written(value: dict, out: str) -> str:
    if not _good(value):
        return ""
    sheet = f"; all at a glance: {value['sheet']}" if value["sheet"] else ""
    return f"{words.count(len(_good(value)), 'image')} of {'x'.join(map(str, value['size'][:2]))} px in {out}{sheet}"


def _errors(rows: list[dict]) -> list[str]:
    bad = [f"{row['file']}: {row['error']}" for row in rows if "error" in row]
    return bad[:ERRORS_SHOWN] + ([f"... and {len(bad) - ERRORS_SHOWN} more"] if len(bad) > ERRORS_SHOWN else [])


def _say(value: dict, as_json: bool, *lines: str) -> int:
    """Print a value, or lines and what else a person must know. Returns the exit code: 1 where no image at all could be read."""
    if as_json:
        print(json.dumps(value))
    else:
        told = [line for line in lines if line]
        print("\n".join([*told, *options.remarks(value), *_errors(value["images"])]))
    return 0 if _good(value) else 1

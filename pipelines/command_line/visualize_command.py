"""`hubel visualize`: what is inside a network; parse, ask, print."""

import json
import time

import click

from pipelines.command_line import options
from pipelines.process import requests


@click.command("visualize")
@click.argument("model")
@click.argument("images", nargs=-1)
@click.option("--layer", metavar="L", help="The layer asked about, as `hubel show` has it; default: each method's.")
@click.option("--unit", metavar="K", help="The unit of it: a map, a value, or a class of the output by its name.")
@click.option("--method", "methods", multiple=True, metavar="M", help="Only this method; more than once for several.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of what is drawn at random.")
@click.option("--out", metavar="DIR", help="Folder for inside.html.  [default: visualizations/NAME in the workspace]")
@click.option("--png", is_flag=True, help="Write each picture as a PNG besides.")
@click.option("--force", is_flag=True, help="Overwrite a page that is there.")
@options.workspace
@options.verbose
@options.as_json
def visualize(model, images, layer, unit, methods, seed, out, png, force, workspace, as_json):
    """Look inside MODEL (NAME, NAME/VERSION, NAME@candidate or a run): filters, maps, what excites units, what decided on IMAGES.

    Without IMAGES a few of the run's test images are looked at. Without --method every method that suits the network is.
    """
    from pipelines.command_line import judging_commands
    from pipelines.workspace import runs, unchanged
    from pipelines.workspace.layout import Workspace

    start, place = time.monotonic(), Workspace.at(workspace)
    known = _known(methods)
    trained = runs.trained(place, model)
    examples = unchanged.examples_of(place, trained.config, trained.run)
    folder = examples / "Split-test" if examples else None
    test = sorted(str(path) for path in folder.iterdir() if path.is_file()) if folder and folder.is_dir() else []
    request = requests.Visualize(
        str(place.exported(trained.artifact)),
        trained.name,
        str(trained.artifact),
        test,
        images,
        layer,
        unit,
        known,
        seed,
        out or str(place.visualization(trained.config)),
        png,
        force or not out,
    )
    answer, _ = judging_commands.heard(request, f"Looking inside {trained.name}", as_json)
    value = {"asked": model, "run": trained.run, **answer, "seconds": round(time.monotonic() - start, 2)}
    if as_json:
        print(json.dumps(value))
        return 0
    for line in [*options.answered(value), *options.passed_over(value.get("passed_over", {})), *value["notes"]]:
        print(line)
    for row in value["methods"]:
        print(f"  {row['title']}{_figures(row['figures'])}")
    for row in value["missing"]:
        print(f"  not {row['method']}: {row['why']}")
    written = sum(len(row["pictures"]) for row in value["methods"])
    print(f"{value['page']} is written{f', and {written} PNGs beside it' if written else ''}. {value['seconds']:.1f} s")
    return 0


def _known(methods: tuple[str, ...]) -> list[str]:
    """Their names as files have them. Raises UsageError for an unknown one, with the known ones, before anything starts."""
    import difflib

    from configs import by_name
    from configs.errors import UsageError

    known = by_name.names(by_name.spec("keras_models.explain").submodule_search_locations, {"show"})
    for method in methods:
        if method.replace("-", "_") not in known:
            near = difflib.get_close_matches(method.replace("-", "_"), known, 1)
            guess = f"; did you mean {near[0]!r}?" if near else "."
            raise UsageError(f"There is no method {method!r}{guess}", f"There are {', '.join(known)}.")
    return [method.replace("-", "_") for method in methods]


def _figures(rows) -> str:
    """The mean of each sanity figure over the images; nothing where a method has none."""
    told = []
    for name in ("infidelity", "sensitivity", "randomised"):
        values = [row[name] for row in rows if row.get(name) is not None]
        told += [f"{name} {sum(values) / len(values):.2f}"] if values else []
    return f": {', '.join(told)}" if told else ""

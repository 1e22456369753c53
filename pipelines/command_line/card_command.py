"""`hubel card`: a model's card, after Mitchell et al. 2019; parse, ask, print."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pipelines.command_line import options


@click.command("card")
@click.argument("model")
@click.option("--out", metavar="DIR", help="Folder for model_card.json and model_card.html.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@options.workspace
@options.as_json
def card(model, out, force, workspace, as_json):
    """The model card of MODEL: data, figures by slice with intervals, config, lineage, limits, licences.

    MODEL is NAME, NAME/VERSION, NAME@candidate, a run, a SavedModel folder or a model's URL. A pushed version carries its card.
    """
    from configs import atomic, paths
    from configs.errors import UsageError
    from pipelines.command_line import away
    from pipelines.workspace import model_cards
    from pipelines.workspace.layout import Workspace
    from reports import model_card, model_card_page

    folder = Path(out).expanduser() if out else None
    files = [folder / Path(name).name for name in (model_card.FILE, model_card.PAGE)] if folder else []
    if folder and folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder.", "Give another with --out.")
    if there := [path for path in files if path.exists() and not force]:
        raise UsageError(f"{there[0]} is there already.", "Give another folder, or --force to overwrite.")
    with away.at_hand(model, whole_without=model_card.FILE) as path:
        value, is_carried = model_cards.of(Workspace.at(workspace), path, model if paths.is_url(model) else None)
    carries = value["model_details"]["version"] if is_carried else None
    asked = model.rstrip("/").rpartition("/")[2]
    notes = [f"{model} carries the card of version {carries}."] if carries and asked.isdecimal() and int(asked) != carries else []
    notes += [] if is_carried else [f"{model} carries no card: this one is made of what is on record."]
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(files, (json.dumps(value, indent=1), model_card_page.html(value)), strict=True):
            atomic.write_text(path, text)
    if as_json:
        print(json.dumps({"card": value, "carried": is_carried, "written": [str(path) for path in files]}))
        return 0
    if not folder:
        _show(value)
    for line in [*notes, *(f"{path} is written." for path in files)]:
        print(line)
    return 0


def _show(value: Mapping[str, Any]) -> None:
    """What a person looks for first; the page has all of it."""
    from pipelines.command_line import console
    from reports import model_card, model_card_page
    from reports.model_card_page import NOT_STATED, figure, interval, said

    details, data, analyses = value["model_details"], value["training_data"], value["quantitative_analyses"]
    print(f"{model_card_page.title(value)}: {said(details['architecture'])}, {said(details['task'])}, run {_run(details)}")
    for name, text in (
        ("intended use", value["intended_use"]["intended_use"]),
        ("out of scope", value["intended_use"]["out_of_scope"]),
        ("owner", details["owner"]),
        ("licence", details["licence"]),
        ("data", said(data["source"])),
        ("licence of the data", data["licence"]),
        ("examples", said(data["examples"])),
    ):
        print(f"  {name}: {said(text, NOT_STATED)}")
    rows = [
        [called, examples, name, figure(of["metrics"][name]), interval((of.get("intervals") or {}).get(name))]
        for called, examples, of in [
            ("all", value["evaluation_data"]["examples"], analyses["overall"]),
            *((model_card.called(part), part["examples"], part) for part in analyses["slices"] or ()),
        ]
        for name in of["metrics"] or {}
        if name != "example_count"
    ]
    console.table(["slice", "examples", "figure", "value", "95 %"], rows, right=["examples", "value", "95 %"])
    for caveat in value["caveats"]:
        print(f"- {caveat['text']}")


def _run(details: Mapping[str, Any]) -> str:
    from reports.model_card_page import said

    return said(details["lineage"].get("run"))

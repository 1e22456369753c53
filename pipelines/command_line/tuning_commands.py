"""`hubel list trials`: parse, read, print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from configs.errors import UsageError
from pipelines.command_line import options

if TYPE_CHECKING:  # milliseconds that no other verb waits for
    from pipelines.workspace.layout import Workspace


def _table(value: Mapping[str, Any]) -> None:
    from pipelines.command_line import console, trials_view
    from tuner.records import TrialRecord

    trials = [TrialRecord.model_validate(trial) for trial in value["trials"]]
    columns, rows = trials_view.cells(value["objective"], value["space"], trials)
    console.table(columns, rows, right=("seconds", value["objective"]))


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
    print(f"page: {value['page']}" if value["page"] else f"folder: {value['folder']}")
    if others:
        print(f"Other searches: {', '.join(value['others'])}")


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

"""What is on record in a workspace: its runs, and where each version comes from; parse, look, print."""

import json

import click

from pipelines.command_line import options


@click.command("runs")
@click.option("--sort", metavar="COLUMN", help="By a column, such as accuracy; -COLUMN: the highest first. None last.")
@click.option("--reverse", is_flag=True, help="The other way round.")
@click.option("--columns", "listed", metavar="A,B,...", help="These columns alone: of the record, or figures.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table for programs (RFC 4180) to stdout and nothing else.")
@options.workspace
@options.as_json
def list_runs(sort, reverse, listed, as_csv, workspace, as_json):
    """Runs of a workspace: which config, how it ended and why, figures of the test split. Oldest first."""
    from configs.errors import UsageError
    from pipelines.command_line import runs_view
    from pipelines.workspace import columns, runs
    from pipelines.workspace.layout import Workspace

    if as_csv and as_json:
        raise UsageError("--csv and --json print one thing each.", "Take one of them out.")
    records = runs.listed(Workspace.at(workspace))
    chosen = columns.chosen(listed, records) if listed is not None else None
    if sort is not None:
        is_descending = sort.startswith("-") != reverse
        records = columns.ordered(records, columns.named(sort.removeprefix("-"), records), is_descending)
    elif reverse:
        records = records[::-1]
    if as_csv:
        runs_view.csv(records, chosen or columns.names(records))
    elif as_json:
        kept = (
            "run",
            "config",
            "started",
            "seconds",
            "blessed",
            "metrics",
            "intervals",
            "status",
            "reason",
            "version",
            "model_dir",
        )
        rows = [{name: getattr(record, name) for name in kept} for record in records]
        if chosen:
            rows = [{name: columns.value(record, name) for name in chosen} for record in records]
        print(json.dumps(rows))
    elif chosen:
        runs_view.table(records, chosen)
    else:
        runs_view.terminal(records)


@click.command("lineage")
@click.argument("model")
@options.workspace
@options.as_json
def lineage(model, workspace, as_json):
    """Where MODEL comes from: its data, code, config, parents and run; what it replaced, who replaced it and when.

    MODEL is NAME/VERSION; NAME, its stable version; NAME@candidate or a run.
    """
    from pipelines.command_line import lineage_view
    from pipelines.workspace import lineage as recorded
    from pipelines.workspace.layout import Workspace

    value = recorded.of(Workspace.at(workspace), model)
    if as_json:
        print(json.dumps(value))
    else:
        lineage_view.terminal(value)

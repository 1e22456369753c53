"""`hubel report`: the page of a run, or of several side by side; parse, ask, print."""

import json

import click

from pipelines.command_line import options
from pipelines.process import requests


@click.command("report")
@click.argument("run", required=False)
@click.option("--compare", "others", is_flag=True, help="Put RUN and further RUNs side by side on one page.")
@click.argument("more", nargs=-1, metavar="[RUN...]")
@click.option("--full", is_flag=True, help="With what takes longer, such as what each unit of the network looks for.")
@click.option("--folds", type=click.IntRange(2, 20), metavar="N", help="Train N times on the rest, and judge each label by that.")
@click.option("--index", "indexed", is_flag=True, help="Write the page of the whole workspace anew, and name it.")
@click.option("--open", "opens", is_flag=True, help="Show it in a browser.")
@options.workspace
@options.verbose
@options.as_json
def report(run, others, more, full, folds, indexed, opens, workspace, as_json):
    """The page of a RUN: why its model may be trusted, or why not.

    RUN is a run, NAME (its newest), NAME@RUN, NAME@candidate or NAME/VERSION; the newest of all without it. What a run wrote is
    shown as it is; of a run without a page one is written.
    """
    from configs.errors import UsageError
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    if indexed and (run or others or full or folds):
        raise UsageError("--index is of the whole workspace.", "Name no run with it, and leave --compare, --full and --folds out.")
    if more and not others:
        raise UsageError(f"One run has a page of its own; {1 + len(more)} are named.", "To put them side by side, add --compare.")
    if indexed:
        from pipelines.workspace import index

        value = {"report": str(index.write(place)), "runs": len(runs.records(place))}
    elif others:
        if not more:
            raise UsageError("--compare puts runs side by side, and one is named.", "Name two or more.")
        if full or folds:
            raise UsageError("--compare reads what is on record; --full and --folds look at one run.", "Take one of them out.")
        records = [runs.named(place, each) for each in (run, *more)]
        value = _compared(place, records)
    else:
        record = runs.named(place, run)
        value = written(place, record, full or folds is not None, folds, as_json)
    if opens:
        click.launch(value["report"])
    if as_json:
        print(json.dumps(value))
    else:
        print(value["report"])
    return 0


def written(place, record, full, folds, quiet):
    """{report, run, config, status, written: whether it was just now}."""
    page = place.report(record.config, record.run)
    told = {"run": record.run, "config": record.config, "status": record.status}
    if page.is_file() and not full:
        return {"report": str(page), **told, "written": False}
    asked = requests.WriteReport(str(place.root), record.config, record.run, full, folds)
    with place.locked(f"hubel report {record.run}"):
        if folds is None:
            return {**options.quietly(asked), **told, "written": True}
        from pipelines.command_line import console

        with console.RunView(quiet=quiet) as view:  # so many trainings
            return {**options.quietly(asked, view), **told, "written": True}


def _compared(place, records):
    """{report, runs: [{run, config}]} and what pipelines.orchestration.comparing.compare has besides."""
    named = [[record.config, record.run] for record in records]
    out = place.root / "reports" / "comparisons" / f"{'-and-'.join(run for _, run in named)[:200]}.html"
    asked = requests.CompareRuns(str(place.root), named, str(out))
    return {**options.quietly(asked), "runs": [{"config": config, "run": run} for config, run in named]}

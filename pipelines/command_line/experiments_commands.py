"""The verbs about experiments: parse, call, print, like those of pipelines.command_line.commands."""

import json

import click

from configs import words
from pipelines.command_line import options
from pipelines.command_line.options import state
from pipelines.process import requests


@click.command("experiment")
@click.argument("name")
@options.assignments
@click.option("--seeds", type=click.IntRange(1, 100), help="Trainings of each arm, by seed; default: the file's.")
@options.workspace
@click.option("--dry-run", is_flag=True, help="Try each arm's network and say what it changes; train nothing.")
@options.verbose
@options.as_json
def experiment(name, assignments, seeds, workspace, dry_run, as_json):
    """Train every arm of the experiment NAME (a shipped name or a YAML file), print its table and write its plot."""
    import time

    from configs import experiment as experiments
    from pipelines.command_line import console, names, steps_view
    from pipelines.process import supervise
    from pipelines.workspace.layout import Workspace
    from pipelines.workspace.runs import new_run_id
    from reports import comparison

    start = time.monotonic()
    asked, place = experiments.load(name, assignments, seeds), Workspace.at(workspace)
    for arm in asked.arms:
        names.check(arm.config, place)
    given = name, assignments, seeds, str(place.root)
    if dry_run:
        value = options.quietly(requests.PlanExperiment(*given))
        if as_json:
            print(json.dumps(value))
        else:
            console.table(["arm", "changes"], [[arm, json.dumps(change)] for arm, change in value["arms"].items()])
            print(words.count(value["trainings"], "training"))
        return 0
    with place.locked(f"hubel experiment {name}") as lock:
        state.log, state.again = place.log(asked.pipeline, new_run_id(place, asked.pipeline)), options.GOES_ON
        with steps_view.StepsView(f"{asked.name}: {words.count(len(asked.arms), 'training')}", quiet=as_json) as view:
            value = supervise.ask(requests.RunExperiment(*given), state.log, view, held=(lock,))
    seconds = round(time.monotonic() - start, 2)
    if as_json:
        print(json.dumps({**value, "seconds": seconds}))
    else:
        columns, rows = value["table"]["columns"], value["table"]["rows"]
        console.table(columns, rows, right=columns[1 : 1 + len(asked.asked.show)])
        print("\n".join([*comparison.told(asked.asked, value["differences"]), *value["files"], f"{seconds:.1f} s"]))
    return 0


@click.command("experiments")
@options.as_json
def list_experiments(as_json):
    """Shipped experiments, with the first line of what each says of itself."""
    from configs import experiment as experiments
    from configs import load
    from pipelines.command_line import console

    rows = [{"name": name, "about": load.header(experiments.find(name))} for name in experiments.names()]
    if as_json:
        print(json.dumps(rows))
    else:
        console.table(["name", "about"], [[e["name"], e["about"].split("\n")[0]] for e in rows])

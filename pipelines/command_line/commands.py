"""The verbs: parse, call, print. Nothing heavy is imported here, and nothing at all before a verb needs it."""

import json
import os
import re
import sys
from pathlib import Path

import click

from configs import words
from configs.errors import FULL, HubelError, UsageError, first_line
from pipelines.command_line import (
    autoencoder_commands,
    card_command,
    datasets_commands,
    deploy_commands,
    drift_command,
    experiments_commands,
    judging_commands,
    options,
    promotion_commands,
    record_commands,
    report_command,
    run_commands,
    serve_commands,
    server,
    tensorboard_command,
    tuning_commands,
    typed,
    visualize_command,
)
from pipelines.command_line.options import quietly
from pipelines.command_line.options import state as _state
from pipelines.command_line.wanted import wants_json
from pipelines.process import requests

FREE = ("error", "text")  # columns of sentences: last in a table, so that no other is pushed away by the longest


def run(arguments: list[str]) -> int:
    """Run one command line. Returns the exit code; whatever went wrong is one sentence on stderr, or JSON on stdout."""
    _state.json, _state.verbose, _state.log, _state.again, _state.workspace = wants_json(arguments), False, None, "", None
    try:
        return _outcome(arguments)
    finally:
        _state.tell()


def _outcome(arguments: list[str]) -> int:
    try:
        code = cli.main(arguments, prog_name="hubel", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help())
        return 0
    except click.ClickException as error:
        hint = f"See `{error.ctx.command_path} --help`." if getattr(error, "ctx", None) else "See `hubel --help`."
        return _fail(UsageError(error.format_message(), hint))
    except click.Abort:
        raise KeyboardInterrupt from None
    except HubelError as error:
        return _fail(error)
    except BrokenPipeError:
        sys.stdout = None  # whoever read us has left, which is no failure of ours
        return 0
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        if error.errno in FULL:
            return _fail(HubelError(f"The disk is full{where}.", "Free some space (`hubel gc`) and run again."))
        return _fail(HubelError(f"{error.strerror or error}{where}.", "Check the path and its disk."))
    except Exception as error:  # the last line of defence between our own mistakes and a person
        return _fail(_unforeseen(error))


def _unforeseen(error: Exception) -> HubelError:
    """One sentence; the traceback goes to the end of the log, or into one of its own."""
    import tempfile
    import traceback

    try:
        if _state.log is None:
            descriptor, name = tempfile.mkstemp(prefix="hubel-", suffix=".log")
            os.close(descriptor)
            _state.log = Path(name)
        with _state.log.open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
    except OSError:
        _state.log = None  # a failure to say more is not worth more than what failed
    return HubelError(f"{type(error).__name__}: {first_line(error)}", "The log has the whole story." if _state.log else "")


def _fail(error: HubelError) -> int:
    if _state.log and _state.log.is_file() and error.exit_code == 1:
        error = HubelError(error.message, f"{error.hint} Log: {_state.log}".strip(), **error.details)
    hint = typed.sentence(error.hint, _state.workspace, cli)
    error = type(error)(error.message, hint, **error.details)
    if _state.json:
        print(json.dumps(error.as_json()))
    else:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
    return error.exit_code


def _version(context, option, asked):
    if asked:
        from importlib.metadata import version

        print(f"hubel {version('hubel')}")
        context.exit(0)


@click.group(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit.")
def cli():
    """From images to a served model with one command."""


cli.add_command(run_commands.run)
cli.add_command(tuning_commands.tune)
cli.add_command(judging_commands.evaluate)
cli.add_command(judging_commands.compare)
for _verb in (promotion_commands.promote, promotion_commands.rollback, promotion_commands.model_config):
    cli.add_command(_verb)
cli.add_command(serve_commands.serve)
cli.add_command(deploy_commands.deploy)
cli.add_command(drift_command.drift)
cli.add_command(card_command.card)
cli.add_command(report_command.report)
cli.add_command(tensorboard_command.tensorboard)
cli.add_command(record_commands.lineage)
cli.add_command(visualize_command.visualize)


@cli.group("list")
def list_group():
    """What there is: models, configs, experiments, datasets, runs, trials, served models."""


list_group.add_command(datasets_commands.list_datasets)
cli.add_command(datasets_commands.datasets)
cli.add_command(datasets_commands.init)
list_group.add_command(experiments_commands.list_experiments)
list_group.add_command(tuning_commands.list_trials)
list_group.add_command(promotion_commands.list_served)
list_group.add_command(record_commands.list_runs)
cli.add_command(experiments_commands.experiment)
for _verb in autoencoder_commands.VERBS:
    cli.add_command(_verb)


@list_group.command("models")
@options.as_json
def list_models(as_json):
    """Architectures by family: names, trainable parameters, default input, task and paper."""
    import keras_models
    from pipelines.command_line import list_view

    records = list_view.ordered(keras_models.catalog().values())
    if as_json:
        columns = ("name", "family", "aliases", "task", "params", "input_shape", "paper", "year")
        print(json.dumps([{column: _plain(getattr(record, column)) for column in columns} for record in records]))
    else:
        list_view.models(records)


@list_group.command("configs")
@options.as_json
def list_configs(as_json):
    """Shipped configs, with the first line of what each says of itself."""
    from configs import load
    from pipelines.command_line import console

    rows = [{"name": name, "about": load.header(load.find(name))} for name in load.names()]
    if as_json:
        print(json.dumps(rows))
    else:
        console.table(["name", "about"], [[c["name"], c["about"].split("\n")[0]] for c in rows])


@cli.command("show")
@click.argument("model")
@click.option("--input", "shape", metavar="HxWxC", help="Input size, such as 32x32x1; default: the builder's own.")
@click.option("--classes", type=click.IntRange(2), help="Number of classes; default: the builder's own.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="An option, as model.options.stem=small.")
@click.option("--markdown", is_flag=True, help="Print a table for GitHub, counts in full.")
@options.workspace
@options.verbose
@options.as_json
def show(model, shape, classes, assignments, markdown, workspace, as_json):
    """Arithmetic of MODEL, layer by layer: volumes, parameters, multiply-adds, receptive fields, memory.

    MODEL is a name from `hubel list models`, a builder's dotted path, a .keras file, or what a run trained: NAME/VERSION,
    NAME@candidate or a run.
    """
    from pipelines.command_line import show_view, variants_view
    from pipelines.workspace import runs
    from pipelines.workspace.layout import Workspace
    from serving import variants

    artifact = run = None
    converted = []
    if not model.endswith(".keras") and (runs.is_candidate(model) or re.fullmatch(r"[^/]+/[0-9]+", model)):
        place = Workspace.at(workspace)
        trained = runs.trained(place, model)
        artifact, run = str(trained.artifact), trained.run
        pushed = runs.record_of(place, trained).model_dir
        converted = variants.of(Path(pushed)) if pushed else []
    elif not model.endswith(".keras"):
        import keras_models
        from pipelines.command_line import names

        names.look_here_for_builders()
        keras_models.check(model)  # before a process that takes seconds to start
    asked = requests.Show(model, shape, classes, _model_options(assignments), artifact)
    value = {**quietly(asked), "asked": model, "run": run, "variants": converted}
    if as_json:
        print(json.dumps(value))
    elif markdown:
        show_view.markdown(value)
    else:
        show_view.terminal(value)
        if converted:
            variants_view.terminal(converted)
        for line in options.answered(value):
            print(line)


@cli.command("predict")
@click.argument("model")
@click.argument("images", nargs=-1)
@click.option("--text", "texts", multiple=True, metavar="TEXT", help="A text itself, for a model that reads texts.")
@click.option("--column", metavar="COLUMN", help="The column of a table that holds the texts; default: by its usual names.")
@click.option("--top", type=click.IntRange(1), default=1, show_default=True, help="Classes shown for each image or text.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--out", metavar="DIR", help="Folder for answers that are pictures, such as masks, as PNG named after the files.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@server.options
@options.workspace
@options.verbose
@options.as_json
def predict(model, images, top, form, workspace, as_json, texts=(), column=None, out=None, force=False, **asked):
    """Ask a MODEL (NAME, NAME/VERSION, NAME@candidate, a run or a SavedModel folder) about IMAGES: files, or folders of them.

    A model that reads texts takes files of a text a line, and tables that end in .csv or .tsv, in their place. With --server,
    MODEL is NAME, NAME/VERSION or NAME@LABEL there.
    """
    if not images and not texts:
        raise click.UsageError("Missing argument 'IMAGES...'.")
    from pipelines.command_line import console
    from serving import answers

    given = {"files": images, "top": top, "texts": texts, "column": column, "out": out, "force": force}
    there = server.asked_of(model, workspace, asked)
    if there:
        value = {**options.quietly(requests.PredictRemotely(**there, **given)), "asked": model, "run": None}
    else:
        value = options.ask_of(requests.Predict, model, workspace, given)
    rows, gives, about = value[value["many"]], value["gives"], answers.About(value["class_names"], top)
    columns = list(dict.fromkeys(name for row in rows for name in row if name not in value["unshown"]))

    def shown(column, told):
        return answers.kind(gives[column]).line(told, about) if column in gives and told is not None else told

    cells = [[shown(column, row.get(column)) for column in columns] for row in rows]
    if "written" in columns:
        place = columns.index("written")
        for line in cells:
            line[place] = ", ".join((line[place] or {}).values())
    if as_json or form == "json":
        print(json.dumps(options.answers(value)))
    elif form == "csv":
        import csv

        csv.writer(sys.stdout).writerows([columns, *cells])
    else:
        order = sorted(range(len(columns)), key=lambda place: FREE.index(columns[place]) if columns[place] in FREE else -1)
        console.table([columns[place] for place in order], [[line[place] for place in order] for line in cells])
    is_bare = as_json or form != "table"
    bare = [*options.carded(value), *options.passed_over(value.get("passed_over", {}))]
    for line in bare if as_json or form == "json" else options.remarks(value):
        click.echo(line, err=is_bare)
    return 1 if all("error" in row for row in rows) else 0


@cli.command("gc")
@click.option("--keep", type=click.IntRange(1), default=3, show_default=True, help="Runs and versions to keep of each config.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed; remove nothing.")
@options.workspace
@options.as_json
def gc(keep, dry_run, workspace, as_json):
    """Remove the artifacts, logs and pages of old runs, old versions of models, and what killed runs left behind."""
    from pipelines.workspace import index
    from pipelines.workspace.collect import collect
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    with place.locked("hubel gc", needs_room=False):
        value = collect(place, keep, dry_run)
        if not dry_run and place.index.is_file():
            index.kept(place)  # its links would lead nowhere
    if as_json:
        print(json.dumps(value))
    else:
        verb, gone = "Would remove" if dry_run else "Removed", len(value["removed"])
        what = words.count(gone, "folder or file", "folders and files")
        print("\n".join([*value["removed"], f"{verb} {what}, {value['bytes'] / 2**20:.1f} MiB."]))


@cli.command("doctor")
@options.workspace
@options.as_json
def doctor(workspace, as_json):
    """Check this machine and installation; say how to mend what is wrong."""
    from pipelines.command_line.doctor import examine

    checks = examine(workspace)
    if as_json:
        print(json.dumps([{"name": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy} for c in checks]))
    else:
        words = {True: "ok", False: "WRONG", None: "note"}
        for check in checks:
            print(f"{words[check.ok]:<6} {check.name}: {check.detail}" + (f"\n       {check.remedy}" if check.remedy else ""))
    return 1 if any(c.ok is False for c in checks) else 0


def _model_options(assignments) -> dict:
    """Of `--set`, where nothing but options of a model can be set."""
    from configs import load

    if not assignments:
        return {}
    tree = load.assigned(assignments)
    chosen = tree["model"].get("options") if list(tree) == ["model"] and isinstance(tree["model"], dict) else None
    if not isinstance(chosen, dict) or list(tree["model"]) != ["options"]:
        raise UsageError("`hubel show` can set options of the model alone.", "For example: --set model.options.stem=small")
    return chosen


def _plain(value):
    return list(value) if isinstance(value, tuple) else value

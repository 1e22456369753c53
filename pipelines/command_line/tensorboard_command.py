"""`hubel tensorboard`: which logs, from what is typed, and the life of the process that shows them."""

import contextlib
import json
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from pipelines.command_line import options
from pipelines.command_line.options import state

LOOK = 5.0  # s between looks for new runs
ENDS = (signal.SIGTERM, signal.SIGHUP)  # told to end, and its terminal closed: both leave nothing behind


class Terminated(BaseException):
    """One of ENDS came."""


@click.command("tensorboard")
@click.argument("name", required=False, metavar="[CONFIG|NAME]")
@click.option("--run", "asked", multiple=True, metavar="RUN", help="Of this run alone; more than once for several.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0 for every network.")
@click.option("--port", default=6006, show_default=True, type=click.IntRange(0, 65535), help="0 for any that is free.")
@options.workspace
@options.verbose
@options.as_json
def tensorboard(name, asked, host, port, workspace, as_json):
    """Show trainings in TensorBoard, also while they run, until Ctrl-C: curves, hyperparameters, images, graph, embeddings.

    Of the runs, searches and experiments of the whole workspace, or of NAME, the name of a config or of an experiment; CONFIG is a
    shipped config or a file. RUN is a run, NAME (its newest), NAME@RUN, NAME@candidate or NAME/VERSION.
    """
    from pipelines.process import requests, supervise
    from pipelines.workspace import runs, training_logs
    from pipelines.workspace.layout import Workspace

    place = Workspace.at(workspace)
    called = _name(place, name)
    logs = training_logs.of(place, called, asked)
    state.log = place.log("tensorboard", runs.new_run_id(place, "tensorboard"))
    before = {number: signal.getsignal(number) for number in ENDS}
    try:
        for number, what in before.items():
            if what is not signal.SIG_IGN:  # as nohup has a closed terminal
                signal.signal(number, _terminate)
        with tempfile.TemporaryDirectory(prefix="hubel-tensorboard-") as folder:
            training_logs.arrange(Path(folder), logs)
            with _following(lambda: training_logs.arrange(Path(folder), training_logs.of(place, called, asked))):
                request = requests.TensorBoard(folder, host, port)
                supervise.ask(request, state.log, lambda event: _show(event, logs, as_json))
    except (KeyboardInterrupt, Terminated):
        pass
    finally:
        for number, what in before.items():
            signal.signal(number, what)
    return 0


def _name(place, typed: str | None) -> str | None:
    """The name that runs of a config have, where a config is typed; any other is as it is."""
    from configs import load
    from configs.errors import HubelError
    from pipelines.workspace import runs

    if typed is None or runs.records(place, typed):
        return typed
    with contextlib.suppress(HubelError):
        return load.load(typed).name
    return typed


@contextlib.contextmanager
def _following(look: Callable[[], None]) -> Iterator[None]:
    """Look for new runs meanwhile."""
    from configs.errors import HubelError

    over = threading.Event()

    def follow():
        while not over.wait(LOOK):
            with contextlib.suppress(HubelError, OSError):  # such as while `hubel gc` removes some
                look()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _terminate(*_):
    raise Terminated


def _show(event: dict, logs, as_json: bool) -> None:
    """Say where it answers, and of what."""
    if event["event"] != "tensorboard":
        return
    if as_json:
        told = [{"run": log.run, "config": log.config, "name": log.name, "folder": str(log.folder)} for log in logs]
        print(json.dumps({"url": event["url"], "runs": told, "log": str(state.log)}), flush=True)
        return
    for log in logs:
        print(f"  {log.name}")
    print(f"TensorBoard {event['url']}\nlog {state.log}\nReady. Ctrl-C ends it.", flush=True)

"""What is kept of a search for people to look at: its page, TensorBoard's logs and the config of its best trial."""

import contextlib
import shlex
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from components import progress
from configs import atomic
from configs.errors import first_line, log_traceback
from configs.override import override
from configs.paths import workspace_default
from configs.schema.run import RunConfig
from configs.winner import without_search
from pipelines.workspace.layout import Workspace
from reports import tuning as page
from tuner import records

BEST = "best.yaml"  # in a study's folder: the config with the values of the best trial
SHARE = 100  # of the time of a search, one part may go into its page while it goes on


class Ended(BaseException):
    """Whoever asked for the search has it end, by SIGTERM, as after Ctrl-C."""


@contextlib.contextmanager
def kept(config: RunConfig, place: Workspace, run: str | None = None) -> Iterator[None]:
    """While the block lasts, what people look at is kept up of a search; see Kept.

    Raises:
        Ended: where a search is ended by SIGTERM, once its page is written.
    """
    listener = Kept(config, place, run)
    with progress.listening(listener):
        try:
            yield
        except Ended:
            listener.look()
            raise
        finally:
            listener.over()


class Kept:
    """Listens to a search and keeps up, in its study's folder, the page, TensorBoard's logs and the config of the best trial.

    Args:
        run: id of the run that the search is part of, which the study's record then names; no part of what TFX's cache knows Tuner
            by, so it does not come to the search by custom_config.
    """

    def __init__(self, config: RunConfig, place: Workspace, run: str | None = None):
        self._config, self._place, self._run = config, place, run
        self._folder: Path | None = None
        self._next = 0.0  # when the page may be written again
        self._before: Any = None  # what SIGTERM did

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Of each event of progress."""
        if event["event"] == "search":
            self._folder = self._place.tuning(self._config.name) / event["study"]["fingerprint"]
            self._next = time.monotonic() + SHARE
            if self._run is not None:
                records.note_run(self._folder, self._run)
            if threading.current_thread() is threading.main_thread():
                self._before = signal.signal(signal.SIGTERM, _end)
        elif event["event"] == "trial_done" and self._folder and time.monotonic() >= self._next:
            started = time.monotonic()
            self.look()
            self._next = time.monotonic() + SHARE * (time.monotonic() - started)
        elif event["event"] == "node_done" and event["name"] == "Tuner" and self._folder:
            self.over()
            self.look()

    def look(self) -> None:
        """Write it all, of a search that began."""
        if self._folder:
            look(self._folder, self._config, self._place)

    def over(self) -> None:
        """Have SIGTERM do again what it did before the search."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
            self._before = None


def _end(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough
    raise Ended


def look(folder: Path, config: RunConfig, place: Workspace) -> dict[str, float]:
    """Write what people look at, of all trials that are over. Returns the importance of each parameter.

    What goes wrong is a warning: it is not worth a search.
    """
    try:
        return _look(folder, config, place)
    except Exception as error:  # of four libraries that draw and write
        log_traceback()
        progress.emit("warning", text=f"The page of the search was not written: {type(error).__name__}: {first_line(error)}")
        return {}


def _look(folder: Path, config: RunConfig, place: Workspace) -> dict[str, float]:
    from tuner import hparams, importance

    study, trials = records.read(folder)
    shares = importance.of(study, trials)
    best = records.best(study, trials)
    if best is not None:
        atomic.write_text(folder / BEST, winner(config, best.values))
    hparams.write(folder, study, trials)
    train = command(folder, place) if best else ""
    page.write(folder / records.PAGE, page.Search(study, trials, records.ranking(study, trials), shares, train))
    return shares


def winner(config: RunConfig, values: Mapping[str, Any]) -> str:
    """The config with these values and without a search, as YAML that needs no other file."""
    return yaml.safe_dump(without_search(override(config, values)), sort_keys=False, allow_unicode=True)


def command(folder: Path, place: Workspace) -> str:
    """What a person types to train the best trial of a study."""
    where = "" if place == Workspace.at(workspace_default()) else f" --workspace {shlex.quote(str(place.root))}"
    return f"hubel run {shlex.quote(str(folder / BEST))}{where}"

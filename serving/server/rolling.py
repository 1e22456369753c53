"""An observer that keeps statistics of what is asked and answered (serving/statistics), for `hubel drift`.

A request costs its thread a place in a short queue. Another thread measures, of low priority, and rests so long after each that it
takes no more than SHARE of a core; what has no place in the queue meanwhile is passed over, and counted. So under load a sample is
measured, and all of it where there is little.
"""

import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from configs import locking
from configs.errors import HubelError
from serving.server.metrics import Metrics
from serving.server.observed import Answers
from serving.statistics import measures, written
from serving.statistics.cells import Numbers
from serving.statistics.measures import About
from serving.statistics.sizes import size_of
from serving.statistics.written import Statistics

SHARE = 0.01  # of a core, at most
WAITING = 32  # requests
HELD = 2**25  # bytes of what waits, about
EVERY = 5.0  # s between writings of the files
NICE = 10

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A request that waits to be measured."""

    version: "Version"
    feeds: Mapping[str, np.ndarray]
    answers: Answers
    size: int


@dataclass
class Version:
    """A version that answers: where its statistics are kept, None for memory alone, and what of its answers is looked at."""

    name: str
    number: int
    about: About
    statistics: Statistics
    folder: Path | None
    lock: contextlib.ExitStack
    outputs: dict[str, list[str]] = field(default_factory=dict)  # signature -> outputs
    is_changed: bool = False


class Rolling:
    """Keeps the statistics of all versions of a server. Use: `offer` as of an Observer, then `close`."""

    def __init__(self, folder: Path, metrics: Metrics, share: float = SHARE, clock: Callable[[], float] = time.time):
        """
        Args:
            folder: of the files, by model and version.
        """
        self._folder, self._metrics, self._share, self._clock = folder, metrics, share, clock
        self._versions: dict[tuple[str, int, str], Version] = {}
        self._queue: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._waiting, self._held = 0, 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="statistics", daemon=True)
        self._thread.start()

    def offer(self, servable: Any, feeds: Mapping[str, np.ndarray], answers: Answers, seconds: float) -> None:
        """As of an Observer."""
        key = servable.name, servable.version, servable.folder
        version = self._versions.get(key) or self._new(key)
        with self._lock:
            version.statistics.seen += 1
            version.is_changed = True
            if self._waiting >= WAITING or self._held >= HELD or self._is_closed:
                version.statistics.passed_over += 1
                return
            self._waiting += 1
        kept = {signature: _kept(version, signature, answered) for signature, answered in answers.items()}
        size = sum(size_of(array) for arrays in (feeds, *kept.values()) for array in arrays.values())
        with self._lock:
            self._held += size
        self._queue.put(Asked(version, feeds, kept, size))

    def close(self) -> None:
        """Measure what waits, for a second at most, and write."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(30)
        for version in self._versions.values():
            version.lock.close()

    def _new(self, key: tuple[str, int, str]) -> Version:
        with self._lock:
            if key in self._versions:
                return self._versions[key]
            name, number, path = key
            about, model = About.of(written.card_of(Path(path))), written.model_of(Path(path))
            folder, lock = self._folder / name / str(number), contextlib.ExitStack()
            kept: Statistics | None = None
            is_kept = False
            try:
                folder.mkdir(parents=True, exist_ok=True)
                lock.enter_context(locking.hold(folder / written.LOCK, "hubel serve"))
                kept, is_kept = Statistics.read(folder), True
            except locking.Held as other:
                log.warning("Statistics of %s version %s are kept in memory alone: %s keeps them", name, number, other.holder)
            except OSError as error:
                log.warning("Statistics of %s version %s are kept in memory alone: %s", name, number, error)
            except HubelError as error:
                log.warning("%s They are kept in memory alone.", error.message)
            if kept is not None and kept.model != model:
                log.warning("Statistics of %s version %s begin anew: those in %s are of another model", name, number, folder)
                kept = None
            version = Version(name, number, about, kept or Statistics(model), folder if is_kept else None, lock)
            self._versions[key] = version
            return version

    def _work(self) -> None:
        """The thread."""
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)  # of Linux: of this thread alone
        from PIL import Image  # noqa: F401 - its import is not to be taken for the first request's cost

        due, rest_until, last = time.monotonic() + EVERY, 0.0, float("inf")
        while True:
            try:
                asked = self._queue.get(timeout=max(due - time.monotonic(), 0.01))
            except queue.Empty:
                asked = None
            if asked is not None:
                start = time.thread_time()
                self._measure(asked)
                rest_until = time.monotonic() + (time.thread_time() - start) / self._share
            if time.monotonic() >= due or (self._stopping.is_set() and asked is None):
                start = time.thread_time()
                self._write()
                rest_until = max(rest_until, time.monotonic() + (time.thread_time() - start) / self._share)
                due = max(time.monotonic() + EVERY, rest_until)
            if self._stopping.is_set():
                last = min(last, time.monotonic() + 1.0)
                if asked is None or time.monotonic() > last:
                    self._write()
                    return
            else:
                self._stopping.wait(max(rest_until - time.monotonic(), 0))

    def _measure(self, asked: Asked) -> None:
        version = asked.version
        try:
            now = self._clock()
            with self._lock:
                version.statistics.since = version.statistics.since or now
            measured = version.statistics.windows.at(now)
            measured.add_several(version.about, asked.feeds, asked.answers)
        except Exception:
            log.exception("A request of %s version %s could not be measured", version.name, version.number)
        finally:
            with self._lock:
                self._waiting -= 1
                self._held -= asked.size
                version.is_changed = True

    def _write(self) -> None:
        for version in list(self._versions.values()):
            with self._lock:
                is_changed, version.is_changed = version.is_changed, False
            if not is_changed:
                continue
            self._show(version)
            if version.folder is None:
                continue
            try:
                version.statistics.write(version.folder)
            except OSError as error:
                log.error("Statistics of %s version %s cannot be written: %s", version.name, version.number, error)

    def _show(self, version: Version) -> None:
        """Put it among the metrics: counts, and the mean of each number."""
        model, number, statistics = version.name, str(version.number), version.statistics
        self._metrics.statistics.put(statistics.seen - statistics.passed_over, model, number, "measured")
        self._metrics.statistics.put(statistics.passed_over, model, number, "passed_over")
        recent = statistics.windows.since(self._clock() - 3600)
        for name, of in recent.features.items():
            if isinstance(of, Numbers) and of.count:
                self._metrics.means.put(of.mean, model, number, name)
            elif not isinstance(of, Numbers) and len(of.counts) <= 100:
                for label, often in of.counts.items():
                    self._metrics.shares.put(often / max(sum(of.counts.values()), 1e-12), model, number, name, label)


def _kept(version: Version, signature: str, answers: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What is looked at of a signature's answers."""
    outputs = version.outputs.get(signature)
    if outputs is None:
        outputs = version.outputs.setdefault(signature, measures.kept(version.about, signature, answers))
    return {name: answers[name] for name in outputs if name in answers}

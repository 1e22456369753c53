"""An observer that sends a share of what was answered to a second version too, and says how the two differ.

The client has its answer before that: the request waits in a bounded queue until it is LATER old, and a thread of low priority asks
the second version. What has no place in the queue is dropped and counted. Whatever becomes of it is in the log, the metrics and the
summary, and reaches no client. The second version is looked up anew for each request, so a promotion or an unloading is followed.
"""

import contextlib
import json
import logging
import math
import os
import queue
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from serving.server.manager import Manager
from serving.server.metrics import Metrics
from serving.server.observed import Answers
from serving.server.status import ServingError
from serving.statistics import written
from serving.statistics.cells import Numbers
from serving.statistics.measures import About
from serving.statistics.sizes import size_of

WAITING = 64  # requests
HELD = 2**26  # bytes of what waits, about
LATER = 0.01  # s: by then an answer is on its way
NICE = 10
LINES = 10  # of differences in the log, a second
NEARLY = 1e-5, 1e-5  # absolute and relative: numbers that differ by no more are alike
AGREES, DIFFERS, FAILED, UNAVAILABLE, DROPPED, ITSELF = "agrees", "differs", "failed", "unavailable", "dropped", "itself"
SIDES = ("answered", "shadow")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spec:
    """Which requests go where.

    Attributes:
        share: of requests, 0 to 1. of: the model whose requests they are; None: any.
        model: that they go to; None: the same one. version, label: of it.
    """

    share: float
    of: str | None = None
    model: str | None = None
    version: int | None = None
    label: str | None = None

    def __str__(self) -> str:
        return f"{self.model or self.of or 'each model'} {self.label or f'version {self.version}'}"


class Asked(NamedTuple):
    """A request that was answered and waits for the second version."""

    spec: Spec
    servable: Any
    feeds: Mapping[str, np.ndarray]
    answers: Answers
    seconds: float
    when: float  # time.monotonic()
    size: int


@dataclass
class Pair:
    """What was seen of a version and of its shadow."""

    model: str
    version: int
    shadow: int | None  # None where there is none
    outcomes: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    disagreeing: int = 0  # rows of which the two decide differently
    largest: dict[str, float] = field(default_factory=dict)  # output -> largest difference of a number
    ms: dict[str, Numbers] = field(default_factory=lambda: {side: Numbers() for side in SIDES})

    def as_json(self) -> dict[str, Any]:
        """`ms`: median and 95 % quantile of both sides, of requests that both answered."""
        quantiles = {
            side: dict(zip(("p50", "p95"), np.round(of.quantiles(np.array([0.5, 0.95])), 3).tolist(), strict=True))
            for side, of in self.ms.items()
            if of.count
        }
        return {
            "model": self.model,
            "version": self.version,
            "shadow": self.shadow,
            "requests": dict(sorted(self.outcomes.items())),
            "rows": self.rows,
            "disagreeing": self.disagreeing,
            "largest_difference": plain(self.largest),
            "ms": quantiles,
        }


class Shadow:
    """Use: `offer` as of an Observer, `close`, `summary`."""

    def __init__(self, manager: Manager, specs: Sequence[Spec], metrics: Metrics, dice: random.Random | None = None):
        self._manager, self._specs, self._metrics, self._dice = manager, tuple(specs), metrics, dice or random.Random()
        self._targets = {spec.model for spec in specs if spec.model != spec.of}
        self._queue: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._pairs: dict[tuple[str, int, int | None], Pair] = {}
        self._abouts: dict[str, About] = {}
        self._troubles: dict[Spec, str] = {}
        self._waiting = self._held = 0
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._second, self._lines, self._untold = 0, 0, 0
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self._thread.start()

    def offer(self, servable: Any, feeds: Mapping[str, np.ndarray], answers: Answers, seconds: float) -> None:
        """As of an Observer."""
        if servable.name in self._targets:  # somebody asked a shadow itself
            return
        for spec in self._specs:
            if spec.of not in (None, servable.name) or self._dice.random() >= spec.share:
                continue
            size = sum(size_of(array) for arrays in (feeds, *answers.values()) for array in arrays.values())
            with self._lock:
                if self._waiting >= WAITING or self._held + size > HELD or self._stopping.is_set():
                    is_dropped = True
                else:
                    is_dropped = False
                    self._waiting, self._held = self._waiting + 1, self._held + size
            if is_dropped:
                self._count(servable.name, servable.version, None, DROPPED)
            else:
                self._queue.put(Asked(spec, servable, feeds, answers, seconds, time.monotonic(), size))

    def close(self) -> None:
        """Take no more; ask for what waits, for a second at most."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(10)
        for pair in self.summary():
            log.info("%s", json.dumps({"shadow": pair}))
        if self._untold:
            log.info("%s differences from a shadow have no line of their own: there are %s a second", self._untold, LINES)

    def summary(self) -> list[dict[str, Any]]:
        """Of each pair of versions, as Pair.as_json."""
        with self._lock:
            return [pair.as_json() for _, pair in sorted(self._pairs.items(), key=lambda item: tuple(map(str, item[0])))]

    def _work(self) -> None:
        """The thread."""
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)  # of Linux: of this thread alone
        last = float("inf")
        while (asked := self._queue.get()) is not None:
            if self._stopping.is_set():
                last = min(last, time.monotonic() + 1.0)
            try:
                if time.monotonic() > last:
                    self._count(asked.servable.name, asked.servable.version, None, DROPPED)
                else:
                    time.sleep(max(asked.when + LATER - time.monotonic(), 0))
                    self._ask(asked)
            except Exception:
                log.exception("A request to the shadow %s failed", asked.spec)
                self._count(asked.servable.name, asked.servable.version, None, FAILED)
            finally:
                with self._lock:
                    self._waiting, self._held = self._waiting - 1, self._held - asked.size

    def _ask(self, asked: Asked) -> None:
        spec, answered = asked.spec, asked.servable
        with contextlib.ExitStack() as stack:
            try:
                target = spec.model or answered.name
                second = stack.enter_context(self._manager.lease(target, spec.version, spec.label))
            except ServingError as error:
                self._trouble(spec, f"{error.code}: {error.message}")
                self._count(answered.name, answered.version, None, UNAVAILABLE)
                return
            self._trouble(spec, "")
            if (second.folder, second.version) == (answered.folder, answered.version):
                self._count(answered.name, answered.version, second.version, ITSELF)
                return
            start = time.perf_counter()
            try:
                answers = _answers(getattr(second, "unobserved", second), asked)
            except ServingError as error:
                self._count(answered.name, answered.version, second.version, FAILED)
                self._tell(asked, second.version, {"error": f"{error.code}: {error.message[:500]}"})
                return
            seconds = time.perf_counter() - start
        self._compare(asked, second.version, answers, seconds)

    def _compare(self, asked: Asked, shadow: int, answers: Answers, seconds: float) -> None:
        disagreeing, largest = differences(self._about(asked.servable), asked.answers, answers)
        pairs = [(array, answers[name][alias]) for name, arrays in asked.answers.items() for alias, array in arrays.items()]
        differs = disagreeing > 0 or any(_is_apart(*pair) for pair in pairs)
        rows = max((len(array) for array, _ in pairs if np.ndim(array)), default=0)
        pair = self._count(asked.servable.name, asked.servable.version, shadow, DIFFERS if differs else AGREES)
        with self._lock:
            pair.rows += rows
            pair.disagreeing += disagreeing
            for name, difference in largest.items():
                pair.largest[name] = max(pair.largest.get(name, 0.0), difference)
            for side, took in zip(SIDES, (asked.seconds, seconds), strict=True):
                pair.ms[side].add([took * 1000])
        for side, took in zip(SIDES, (asked.seconds, seconds), strict=True):
            self._metrics.shadow_latency.add(took * 1e6, asked.servable.name, side)
        if differs:
            told = {"rows": rows, "disagreeing": disagreeing, "largest_difference": plain(largest)}
            told |= {"ms": round(asked.seconds * 1000, 3), "shadow_ms": round(seconds * 1000, 3)}
            self._tell(asked, shadow, told)

    def _about(self, servable: Any) -> About:
        if servable.folder not in self._abouts:
            self._abouts[servable.folder] = About.of(written.card_of(servable.folder))
        return self._abouts[servable.folder]

    def _count(self, model: str, version: int, shadow: int | None, outcome: str) -> Pair:
        with self._lock:
            pair = self._pairs.setdefault((model, version, shadow), Pair(model, version, shadow))
            pair.outcomes[outcome] = pair.outcomes.get(outcome, 0) + 1
        self._metrics.shadowed.add(model, outcome)
        return pair

    def _tell(self, asked: Asked, shadow: int, more: Mapping[str, Any]) -> None:
        """A line of JSON in the log, as long as there are not too many."""
        now = int(time.monotonic())
        if now != self._second:
            self._second, self._lines = now, 0
        if self._lines >= LINES:
            self._untold += 1
            return
        self._lines += 1
        row = {"model": asked.servable.name, "version": asked.servable.version, "shadow": shadow}
        row["signature"] = ", ".join(asked.answers)
        log.info("%s", json.dumps({"difference": row | dict(more)}))

    def _trouble(self, spec: Spec, trouble: str) -> None:
        """Say it once that there is no such version, and once that there is again."""
        before = self._troubles.get(spec, "")
        if trouble and trouble != before:
            log.warning("Nothing goes to the shadow %s until it is there: %s", spec, trouble)
        elif before and not trouble:
            log.info("The shadow %s is there again", spec)
        self._troubles[spec] = trouble


def _answers(servable: Any, asked: Asked) -> Answers:
    """What a second version answers to the same request."""
    if len(asked.answers) > 1:
        return servable.run_several({name: list(arrays) for name, arrays in asked.answers.items()}, asked.feeds)
    return {name: servable.run(name, asked.feeds, list(arrays)) for name, arrays in asked.answers.items()}


def differences(about: About, first: Answers, second: Answers) -> tuple[int, dict[str, float]]:
    """In how many rows two decide differently in any answer (the best class, each decision, whether it is an anomaly), and the
    largest difference of each output of numbers, SIGNATURE/OUTPUT where there are several; infinite where only one is finite, or
    where shapes differ."""
    wrong, largest = None, {}
    for signature, arrays in first.items():
        kinds = about.kinds(signature)
        for name, array in arrays.items():
            other, kind = np.asarray(second[signature][name]), kinds.get(name, "")
            if array.dtype.kind in "fiub" and other.dtype.kind in "fiub":
                largest[name if len(first) == 1 else f"{signature}/{name}"] = _largest(array, other)
            ours, theirs = _decided(array, kind), _decided(other, kind)
            if ours is None or theirs is None:
                continue
            is_alike = ours.shape == theirs.shape
            apart = (ours != theirs).reshape(len(ours), -1).any(1) if is_alike else np.ones(len(ours), bool)
            wrong = apart if wrong is None or len(wrong) != len(apart) else wrong | apart
    return (0 if wrong is None else int(wrong.sum())), largest


def plain(largest: Mapping[str, float]) -> dict[str, float | None]:
    """As JSON has it: None where two outputs cannot be compared."""
    return {name: difference if math.isfinite(difference) else None for name, difference in sorted(largest.items())}


def _decided(array: np.ndarray, kind: str) -> np.ndarray | None:
    """What each row decides; None where that output decides nothing."""
    if not array.ndim or not len(array):
        return None
    if kind == "names":
        return array[:, 0] if array.ndim == 2 and array.shape[1] else None
    if kind in ("decisions", "is_anomaly"):
        return array
    if kind == "probabilities" or (not kind and array.dtype.kind == "f" and array.ndim == 2 and array.shape[1] > 1):
        return np.argmax(array, 1)
    return array if not kind and array.dtype.kind in "OSU" else None


def _largest(first: np.ndarray, second: np.ndarray) -> float:
    if first.shape != second.shape:
        return float("inf")
    ours, theirs = first.astype(np.float64), second.astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.where((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)), 0.0, np.abs(ours - theirs))
    return float(np.where(np.isnan(apart), np.inf, apart).max(initial=0.0))


def _is_apart(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether they differ by more than rounding."""
    if first.shape != second.shape:
        return True
    if first.dtype.kind not in "fiub" or second.dtype.kind not in "fiub":
        return bool((first != second).any())
    return not np.allclose(first, second, atol=NEARLY[0], rtol=NEARLY[1], equal_nan=True)

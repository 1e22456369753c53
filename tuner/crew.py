"""The crew: a search's workers on this machine, each a process that may die and is started again under the same id."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from components import progress
from configs.errors import HubelError, UsageError
from tuner import worker
from tuner.chief import Chief
from tuner.oracle import LOCAL, Kept

GRACE = 5.0  # seconds that a worker has to end after its standard input closed
IDLE_DEATHS = 2  # of a worker that died before it had a trial, in a row, that end a search
PASSED_ON = ("warning", "note")  # events of a worker that a person is told
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
MEMINFO = Path("/proc/meminfo")


@dataclass
class _Member:
    """One worker. process: None once it is done. failure: what it said of its end. deaths: in a row, without a trial."""

    name: str
    process: subprocess.Popen | None = None
    listening: threading.Thread | None = None
    failure: HubelError | None = None
    deaths: int = 0


class Crew:
    """Workers of one search.

    Args:
        size: how many.
        lock: file descriptor that each inherits, so that what it guards stays guarded while one is alive.
    """

    def __init__(self, size: int, oracle: Kept, chief: Chief, lock: int):
        self._oracle, self._chief, self._lock = oracle, chief, lock
        self._members = [_Member(f"{LOCAL}{number}") for number in range(size)]
        self._events: queue.SimpleQueue = queue.SimpleQueue()
        self._said: set[str] = set()

    def work(self) -> None:
        """Until the search is over.

        Raises:
            HubelError, UsageError: what the oracle or a worker that could not begin says.
        """
        try:
            for member in self._members:
                self._start(member)
            while any(member.process for member in self._members):
                self._pass_on()
                self._chief.check()
                self._chief.do(self._oracle.check_time)
                for member in self._members:
                    if member.process and member.process.poll() is not None:
                        self._ended(member)
                time.sleep(0.05)
            self._pass_on()
            self._chief.check()
        finally:
            self._end_all()

    def _start(self, member: _Member) -> None:
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as write_end:
            member.process = subprocess.Popen(
                [sys.executable, "-P", "-m", worker.__name__, str(write_end.fileno())],
                stdin=subprocess.PIPE,
                pass_fds=(write_end.fileno(), self._lock),
                env={**os.environ, **threads(len(self._members))},
            )
        member.failure = None
        member.listening = threading.Thread(target=self._listen, args=(member, reading), daemon=True)
        member.listening.start()
        told = {"folder": str(self._oracle.question.folder), "address": f"127.0.0.1:{self._chief.port}", "name": member.name}
        with contextlib.suppress(BrokenPipeError):  # it died already
            member.process.stdin.write(json.dumps(told).encode() + b"\n")
            member.process.stdin.flush()

    def _listen(self, member: _Member, reading: int) -> None:
        with os.fdopen(reading) as events:
            for line in events:
                with contextlib.suppress(ValueError):  # a line that its death cut
                    event = json.loads(line)
                    if event["event"] == "failure":
                        error = event["error"]
                        kind = UsageError if error.pop("exit_code") == UsageError.exit_code else HubelError
                        member.failure = kind(**error)
                    else:
                        self._events.put(event)

    def _pass_on(self) -> None:
        """Workers' warnings and notes, each once."""
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if event["event"] in PASSED_ON and event["text"] not in self._said:
                    self._said.add(event["text"])
                    progress.emit(**event)

    def _ended(self, member: _Member) -> None:
        """A worker's process is gone: the search is over for it, or it grew, or it died."""
        code = member.process.wait()
        member.listening.join(GRACE)
        member.process.stdin.close()
        member.process = None
        if code == 0:
            return
        if code != worker.RENEW:
            reason = member.failure.message if member.failure else death(code)
            trial = self._chief.do(self._oracle.fail, member.name, reason)
            member.deaths = 0 if trial else member.deaths + 1
            if trial is None and isinstance(member.failure, HubelError):
                raise member.failure
            if member.deaths >= IDLE_DEATHS:
                raise HubelError(
                    f"A worker of the search died twice before it had a trial. {reason}", "The log has the whole story."
                )
            self._chief.check()
        self._start(member)

    def _end_all(self) -> None:
        alive = [member.process for member in self._members if member.process]
        for process in alive:
            with contextlib.suppress(OSError):
                process.stdin.close()
        end = time.monotonic() + GRACE
        for process in alive:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def death(code: int) -> str:
    """Why a process is gone, by its exit code: a sentence."""
    if code == -signal.SIGKILL:
        return f"Its process was killed by signal {signal.SIGKILL:d}, as the kernel does when memory runs out."
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"Its process was ended by signal {-code} ({signal.Signals(-code).name})."
    return f"Its process ended with code {code}."


def threads(workers: int) -> dict[str, str]:
    """Environment variables by which workers share this machine's cores; none for one worker. Those that are set stay."""
    if workers == 1:
        return {}
    each = max(1, len(os.sched_getaffinity(0)) // workers)
    return {name: str(each) for name in THREADS if name not in os.environ}


def doubts(workers: int, peak: int | None) -> list[str]:
    """What a person is warned of before so many workers start.

    Args:
        peak: bytes that one needs at most; None: as many as this process has, which has the same libraries and no data.
    """
    free, cores = available(), len(os.sched_getaffinity(0))
    each = peak or worker.resident()
    told = []
    if workers > 1 and free is not None and workers * each > free:
        need, most = workers * each / 2**30, max(1, free // each)
        told.append(
            f"{workers} workers need about {need:.1f} GiB of memory and {free / 2**30:.1f} are free: that is enough for {most}."
        )
    if workers > cores:
        told.append(f"{workers} workers share {cores} cores, so each is slower than with {cores} workers.")
    return told


def available() -> int | None:
    """Bytes of memory that are free, on the machine and within what a container may have; None where that is not known."""
    limits = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        line = next(line for line in MEMINFO.read_text().splitlines() if line.startswith("MemAvailable:"))
        limits.append(int(line.split()[1]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # "max" is no limit
        group = Path("/sys/fs/cgroup")
        limits.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    return min(limits, default=None)

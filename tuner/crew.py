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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from components import progress
from configs.errors import HubelError, from_json
from tuner import worker, worker_process
from tuner.chief import Chief
from tuner.oracle import LOCAL, Kept

GRACE = 5.0  # seconds that a worker has to end after its standard input closed
IDLE_DEATHS = 2  # of a worker that died before it had a trial, in a row, that end a search
PASSED_ON = ("warning", "note")  # events of a worker that a person is told
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
MEMINFO = Path("/proc/meminfo")


class Member:
    """One worker and its process, which may be another one later.

    Attributes:
        process: None while there is none.
        failure: what it said of its end.
        deaths: in a row, without a trial.
    """

    def __init__(self, name: str, listen: Callable[[dict], None]):
        self.name, self._listen = name, listen
        self.process: subprocess.Popen | None = None
        self.failure: HubelError | None = None
        self.deaths = 0
        self._listening: threading.Thread | None = None

    def start(self, folder: Path, address: str, inherited: tuple[int, ...] = (), environment: Mapping[str, str] | None = None):
        """Start a process that works for the chief of a study. inherited: file descriptors."""
        reading, writing = os.pipe()
        with os.fdopen(writing, "w") as events:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", worker_process.__name__, str(events.fileno())],
                stdin=subprocess.PIPE,
                pass_fds=(events.fileno(), *inherited),
                env={**os.environ, **(environment or {})},
            )
        self.failure = None
        self._listening = threading.Thread(target=self._hear, args=(reading,), daemon=True)
        self._listening.start()
        told = {"folder": str(folder), "address": address, "name": self.name}
        with contextlib.suppress(BrokenPipeError):  # it died already
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            self.process.stdin.flush()

    def ended(self) -> int:
        """The exit code of a process that is gone, all of whose events were heard."""
        code = self.process.wait()
        self._listening.join(GRACE)
        self.process.stdin.close()
        self.process = None
        return code

    def reason(self, code: int) -> str:
        """Why it is gone: a sentence."""
        return self.failure.message if self.failure else death(code)

    def _hear(self, reading: int) -> None:
        with os.fdopen(reading) as events:
            for line in events:
                with contextlib.suppress(ValueError):  # a line that its death cut
                    event = json.loads(line)
                    if event["event"] == "failure":
                        self.failure = from_json(event)
                    else:
                        self._listen(event)


def end(members: Iterable[Member]) -> None:
    """End the processes of members: by closing their standard input, and those that do not heed it by force."""
    alive = [member.process for member in members if member.process]
    for process in alive:
        with contextlib.suppress(OSError):
            process.stdin.close()
    latest = time.monotonic() + GRACE
    for process in alive:
        try:
            process.wait(max(0.0, latest - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Told:
    """Passes on workers' warnings and notes, each once; their threads put events in, one takes them out."""

    def __init__(self):
        self._events: queue.SimpleQueue = queue.SimpleQueue()
        self._said: set[str] = set()
        self.put = self._events.put

    def pass_on(self) -> None:
        """What came since."""
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if event["event"] in PASSED_ON and event["text"] not in self._said:
                    self._said.add(event["text"])
                    progress.emit(**event)


class Crew:
    """Workers of one search.

    Args:
        size: how many.
        lock: file descriptor that each inherits, so that what it guards stays guarded while one is alive.
    """

    def __init__(self, size: int, oracle: Kept, chief: Chief, lock: int):
        self._oracle, self._chief, self._lock = oracle, chief, lock
        self._told = Told()
        self._members = [Member(f"{LOCAL}{number}", self._told.put) for number in range(size)]

    def work(self) -> None:
        """Until the search is over.

        Raises:
            HubelError, UsageError: what the oracle or a worker that could not begin says.
        """
        try:
            for member in self._members:
                self._start(member)
            while any(member.process for member in self._members):
                self._told.pass_on()
                self._chief.check()
                self._chief.do(self._oracle.check_time)
                for member in self._members:
                    if member.process and member.process.poll() is not None:
                        self._ended(member)
                time.sleep(0.05)
            self._told.pass_on()
            self._chief.check()
        finally:
            end(self._members)

    def _start(self, member: Member) -> None:
        address = f"127.0.0.1:{self._chief.port}"
        member.start(self._oracle.question.folder, address, (self._lock,), threads(len(self._members)))

    def _ended(self, member: Member) -> None:
        """A worker's process is gone: the search is over for it, or it grew, or it died."""
        code = member.ended()
        if code == 0:
            return
        if code != worker_process.RENEW:
            reason = member.reason(code)
            trial = self._chief.do(self._oracle.fail, member.name, reason)
            member.deaths = 0 if trial else member.deaths + 1
            if trial is None and member.failure:
                raise member.failure
            if member.deaths >= IDLE_DEATHS:
                raise HubelError(
                    f"A worker of the search died twice before it had a trial. {reason}", "The log has the whole story."
                )
            self._chief.check()
        self._start(member)


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

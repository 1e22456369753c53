"""Asking a worker process for something, from the light side: its noise goes to a log, its events come here."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from configs import errors, locking
from configs.errors import HubelError, last_line
from pipelines.process.requests import Request

GRACE = 15  # seconds that a worker has after SIGTERM; a search writes its page in them
STARTUP = Path(__file__).with_name("startup")  # sitecustomize for the worker and the processes that Beam spawns


def ask(
    request: Request,
    log: Path,
    listen: Callable[[dict], None] = lambda event: None,
    held: tuple[int, ...] = (),
    grace: float = GRACE,
    to_the_end: bool = False,
) -> Any:
    """Have a request answered in a process of its own. Returns the JSON value.

    Args:
        log: file that gets everything the process and its libraries print.
        listen: told of each progress event.
        held: file descriptors that the process inherits (a lock that must outlive this process).
        grace: s that the process has to end in order where this one is interrupted.
        to_the_end: whether `listen` is told what the process said while it was ended so.

    Raises:
        HubelError, UsageError: what the function raised, or how the process died.
        KeyboardInterrupt: after the process and its children were ended.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    path = os.pathsep.join([str(STARTUP), *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_DEPRECATION_WARNINGS": "0", "PYTHONPATH": path}
    with log.open("ab") as sink:
        locking.share(sink)  # as long as the worker writes: `hubel gc` leaves it
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipelines.process.worker", str(writing)],
            stdin=subprocess.PIPE,
            stdout=sink,
            stderr=sink,
            pass_fds=(writing, *held),
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the worker in order
            env={**os.environ, **quiet},
        )
    os.close(writing)
    with os.fdopen(reading) as events:  # which stays open while a worker ends: what it says last must not fail
        try:
            try:
                worker.stdin.write(json.dumps({"call": request.calls, "arguments": request.arguments()}).encode() + b"\n")
                worker.stdin.flush()
            except BrokenPipeError:  # it died before it was asked; how, is said below
                with contextlib.suppress(BrokenPipeError):
                    worker.stdin.close()
            answer = None
            for line in events:
                event = json.loads(line)
                if event["event"] in ("result", "failure"):
                    answer = event
                else:
                    listen(event)
            code = worker.wait()
        except BaseException:
            _end(worker, grace)
            for event in _last(events) if to_the_end else ():
                listen(event)
            raise
    if answer is None:
        raise _died(code, log)
    if answer["event"] == "failure":
        raise errors.from_json(answer)
    return answer["value"]


def _last(events: IO[str]) -> Iterator[dict]:
    """What an interrupted worker told at its end, as far as it is there."""
    os.set_blocking(events.fileno(), False)
    with contextlib.suppress(OSError, ValueError, TypeError):  # such as of a line that is not whole, or of what is not there yet
        for line in events:
            event = json.loads(line)
            if event["event"] not in ("result", "failure"):
                yield event


def _end(worker: subprocess.Popen, grace: float) -> None:
    """End a worker and every process that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(grace)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _died(code: int, log: Path) -> HubelError:
    if code < 0:
        name = signal.Signals(-code).name
        cause = " (often: out of memory)" if name == "SIGKILL" else ""
        return HubelError(
            f"The worker process was ended by {name}{cause}.", "Run the same command again: it goes on where it stopped."
        )
    last = last_line(log.read_text(errors="replace")) if log.is_file() else "no log"
    return HubelError(f"The worker process ended with code {code}: {last}", "The log has the whole story.")

"""A worker on another machine than its chief: it finds the search that the chief leads, and has a process run its trials.

The process may die, as of a lack of memory, and is started again under the same id: the chief gives it its trial once more, and
when it dies of that again counts the trial as failed. Nothing but keras-tuner's own calls goes over the network; records are in the
workspace that both see.
"""

import os
import socket
import time
from pathlib import Path

import grpc

from components import progress
from configs.errors import HubelError
from tuner import chief, crew, records, worker, worker_process

MOST_DEATHS = 3  # of a worker, in a row, without a trial that was over in between


def join(tuning: str, address: str, name: str | None = None) -> dict:
    """Work for the chief of a search on another machine until it is over.

    Args:
        tuning: folder of the config's studies, in the workspace that both see.
        address: HOST:PORT of the chief; it is waited for.
        name: stays when this machine is started anew; by default its name, which stays in an indexed Kubernetes Job.

    Returns:
        {study, trials: how many were run here}.

    Raises:
        UsageError: for what is no HOST:PORT.
        HubelError: where no chief answers, where it leads no search in this workspace, and where workers die without end.
    """
    name = name or os.environ.get("HOSTNAME") or socket.gethostname()
    folder = led(Path(tuning), address)
    told = crew.Told()
    member = crew.Member(name, told.put)
    before = _own(folder, name)
    over = before
    try:
        while True:
            member.start(folder, address)
            while member.process.poll() is None:
                told.pass_on()
                time.sleep(0.05)
            code = member.ended()
            told.pass_on()
            if code == 0:
                return {"study": folder.name, "trials": _own(folder, name) - before}
            if code == worker_process.RENEW:
                continue
            reason = member.reason(code)
            member.deaths = member.deaths + 1 if _own(folder, name) == over else 1
            over = _own(folder, name)
            if member.deaths >= MOST_DEATHS:
                raise member.failure or HubelError(
                    f"The worker died {MOST_DEATHS} times in a row. {reason}", "The log has the whole story."
                )
            progress.emit("warning", text=f"The worker is started again. {reason}")
    finally:
        crew.end([member])


def led(tuning: Path, address: str) -> Path:
    """The folder of the study that a chief leads, which is waited for. Raises as `join`."""
    _, port = chief.parsed(address)
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        worker.await_chief(channel, address)
    end = time.monotonic() + worker.SHARED
    while True:
        folders = [folder for folder in sorted(tuning.glob("*")) if (chief.told(folder) or {}).get("port") == port]
        if folders:
            return max(folders, key=lambda folder: (folder / chief.FILE).stat().st_mtime)
        if time.monotonic() > end:
            raise HubelError(f"A chief answers, and there is no search of its in {tuning}.", "Do both see one workspace?")
        time.sleep(0.5)


def _own(folder: Path, name: str) -> int:
    """How many trials a worker brought to an end."""
    _, trials = records.read(folder)
    return sum(trial.is_over and trial.worker == name for trial in trials)

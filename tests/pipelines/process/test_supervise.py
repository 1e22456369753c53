"""A worker and whoever asked it: neither outlives what it was for."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from configs.errors import HubelError
from pipelines.process import requests, supervise
from tests.pipelines.conftest import eventually, is_alive

ASK = """
import sys
from pathlib import Path
from pipelines.process import requests, supervise

class Wait(requests.Request):
    calls = "signal:pause"

supervise.ask(Wait(), Path(sys.argv[1]))
"""


class Wait(requests.Request):
    calls = "signal:pause"


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_kill_9_of_who_asked_ends_a_worker_whatever_it_does(tmp_path):
    asking = subprocess.Popen([sys.executable, "-c", ASK, str(tmp_path / "log")])
    try:
        assert eventually(lambda: children(asking.pid))
        [worker] = children(asking.pid)
        threads = Path(f"/proc/{worker}/task")
        assert eventually(lambda: len(list(threads.iterdir())) > 1), "it watches whoever asked before it does what it was asked"
    finally:
        asking.kill()
        asking.wait()
    assert eventually(lambda: not is_alive(worker))


@pytest.mark.parametrize("threads", [1, 2], ids=["before it was asked", "while it works"])
def test_a_worker_that_is_killed_is_one_sentence(threads, tmp_path):
    """It watches whoever asked, in a thread, before it does what it was asked."""
    others = {*children(os.getpid())}

    def kill():
        assert eventually(lambda: {*children(os.getpid())} - others)
        [worker] = {*children(os.getpid())} - others
        assert eventually(lambda: len(list(Path(f"/proc/{worker}/task").iterdir())) >= threads)
        os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(HubelError) as died:
        supervise.ask(Wait(), tmp_path / "log")
    killer.join()
    assert died.value.message == "The worker process was ended by SIGKILL (often: out of memory)."
    assert died.value.hint == "Run the same command again: it goes on where it stopped."


def test_what_a_worker_says_as_it_is_ended_is_heard_as_far_as_it_is_there():
    reading, writing = os.pipe()
    os.write(writing, b'{"event": "shadows", "pairs": []}\n{"event": "result", "value": 1}\n{"event": "st')
    with os.fdopen(reading) as events:
        assert list(supervise._last(events)) == [{"event": "shadows", "pairs": []}]
    os.close(writing)

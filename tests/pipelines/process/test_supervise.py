"""A worker and whoever asked it: neither outlives what it was for."""

import subprocess
import sys
from pathlib import Path

from tests.pipelines.conftest import eventually, is_alive

ASK = """
import sys
from pathlib import Path
from pipelines.process import requests, supervise

class Wait(requests.Request):
    calls = "signal:pause"

supervise.ask(Wait(), Path(sys.argv[1]))
"""


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

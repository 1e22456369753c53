"""Real runs through the command line, shared by the tests that look at what they left."""

import contextlib
import importlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.cheaper import beam_remembers, parity_is_forked  # noqa: F401
from tests.once import made_once


@dataclass
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return (self.out + self.err).splitlines()


def hubel(*arguments, timeout=1100, module="pipelines.command_line.cli", **environment) -> Outcome:
    """Run `hubel` as a person would; or, with the same words, what stands in `module`."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def in_process(*arguments, together: bool = False) -> Outcome:
    """What `hubel` does, in this process, which has its libraries: for tests of what a verb does, not of the processes it starts.

    The worker's part is the same function of the same JSON, and gives back the same; what it prints goes into the same log.

    Args:
        together: whether `out` has both, in the order they came, as of `hubel ... 2>&1`.
    """
    from pipelines.command_line import commands

    out, err = io.StringIO(), io.StringIO()
    with workers_here(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out if together else err):
        code = commands.run([*map(str, arguments)])
    return Outcome(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def workers_here():
    """Have this process do what a worker would be asked for, while the context lasts."""
    from components import progress
    from pipelines.process import supervise

    def ask(request, log, listen=lambda event: None, held=(), grace=0, to_the_end=False):
        log.parent.mkdir(parents=True, exist_ok=True)
        module, _, function = request.calls.partition(":")
        with pytest.MonkeyPatch.context() as patch, log.open("a") as sink:
            patch.setattr(progress, "_listeners", [lambda event: listen(json.loads(json.dumps(event)))])
            with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
                value = getattr(importlib.import_module(module), function)(**json.loads(json.dumps(request.arguments())))
        return json.loads(json.dumps(value))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervise, "ask", ask)
        yield


class Running:
    """A `hubel` that goes on while the test looks, and is ended on the way."""

    def __init__(self, *arguments, **environment):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.command_line.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
            # A shell that starts tests in the background has them ignore Ctrl-C, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.seen: list[str] = []

    def wait_for(self, text: str) -> None:
        """Read stderr until a line holds the text."""
        for line in self.process.stderr:
            self.seen.append(line)
            if text in line:
                return
        raise AssertionError(f"{text!r} never came: {''.join(self.seen)}")

    def workers(self) -> list[int]:
        """Process ids of its children."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def end(self, how: signal.Signals) -> Outcome:
        """Send a signal and wait; says what else was printed."""
        self.process.send_signal(how)
        try:
            out, err = self.process.communicate(timeout=300)
        except subprocess.TimeoutExpired:
            self.process.kill()  # the tests that follow need the workspace's lock
            raise
        return Outcome(self.process.returncode, out, "".join(self.seen) + err)


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition, seconds=300) -> bool:
    """Whether a condition comes true in time; the processes of others are not ours to wait for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _first_run(tmp_path_factory) -> Path:
    """Folder of one whole `hubel run digits_lenet5.tiny --json` without a network."""

    def run(folder):
        command = ("run", "digits_lenet5.tiny", "--json", "--workspace", folder / "workspace")
        outcome = hubel(folder / "attempts.json", *command, module="tests.pipelines.offline")
        shutil.copytree(folder / "workspace", folder / "finished", symlinks=True)
        (folder / "outcome.json").write_text(json.dumps(asdict(outcome)))

    return made_once(tmp_path_factory, "digits_run", run)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """(workspace, outcome) of that run. Tests may change the workspace, so those that ask for it are all in one file."""
    folder = _first_run(tmp_path_factory)
    return folder / "workspace", Outcome(**json.loads((folder / "outcome.json").read_text()))


@pytest.fixture(scope="session")
def attempts(tmp_path_factory) -> int:
    """How often that run, in any of its processes, tried to reach another machine."""
    counted = json.loads((_first_run(tmp_path_factory) / "attempts.json").read_text())
    return pytest.skip("this system allows no network namespaces") if counted is None else counted


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A copy of the workspace as that run left it, for what only looks at models and data."""
    return _first_run(tmp_path_factory) / "finished"


@pytest.fixture
def without_tensorflow(tmp_path_factory) -> dict[str, str]:
    """Environment of a `hubel` in whose processes an import of TensorFlow is an error, whatever would catch it."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "tensorflow.py").write_text("import os, sys; print('TensorFlow is imported', file=sys.stderr); os._exit(70)\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


@pytest.fixture(scope="session")
def scans(tmp_path_factory):
    """Folder of eight real digits as PNG files, and their classes by file name."""
    from PIL import Image
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("scans")
    images = load_digits()
    for index in range(8):
        Image.fromarray((images.images[index] * 255 / 16).astype("uint8")).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace for all runs of a file, which are of one pipeline, so that data is prepared once."""
    from pipelines.workspace.layout import Workspace

    return Workspace.at(str(tmp_path_factory.mktemp("place")))

"""What makes tests cheap that are not about it, and changes nothing that they see; for a conftest to import."""

import contextlib
import functools
import io
import json
import multiprocessing
import runpy
import subprocess
import sys
import types
from pathlib import Path
from types import SimpleNamespace

import pytest


class Forked:
    """The parity gate's other process, forked off one that has TensorFlow and none of hubel, since an import of that is four
    seconds of a core. As much of subprocess.Popen as components.infra_validator.parity asks."""

    def __init__(self, script: str):
        self._script, self._process, self.stdin = script, None, io.StringIO()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.kill()

    def communicate(self, line: str, timeout: float) -> tuple[None, str]:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tensorflow"])
        self._process = context.Process(target=replay, args=(self._script, json.loads(self.stdin.getvalue()), line))
        self._process.start()
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._script, timeout)
        return None, ""  # what it has to say is on pytest's own standard error

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def poll(self) -> int | None:
        return self.returncode

    @property
    def returncode(self) -> int | None:
        return self._process and self._process.exitcode


@contextlib.contextmanager
def no_server(model: Path, folder: Path):
    """Nothing is started: the embedded server is asked by the tests of components/infra_validator, and in whole runs."""
    yield SimpleNamespace(ways={}, names=["none, in this test"], refused={}, notes=[], servable=None)


def replay(script: str, model: str, line: str) -> None:
    """What the script does once it was asked; here it is another process, and TensorFlow alone answers."""
    module = types.ModuleType("components.infra_validator.servers")
    module.serving = no_server
    sys.modules[module.__name__] = module
    runpy.run_path(script)["main"](model, lambda: line)


@pytest.fixture(autouse=True, scope="module")
def parity_is_forked():
    """Tests of components/infra_validator, and commands as a person types them, start the process as hubel does."""
    from components.infra_validator import parity

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "_started", lambda: Forked(str(Path(parity.__file__).with_name("replay.py"))))
        yield


@pytest.fixture(autouse=True, scope="session")
def beam_remembers():
    """As in every run: a stage's pipeline takes a third of the time."""
    from components.compat import beam

    beam.install()


@contextlib.contextmanager
def eagerly(wanted: bool = True):
    """Tracing a training step takes seconds, a step of tests' models a hundredth of one."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(wanted)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@pytest.fixture(scope="module")
def eager():
    """For the tests of a whole file."""
    with eagerly():
        yield


@pytest.fixture
def no_saved_model(monkeypatch):
    """Trainer leaves its model as a .keras file alone: a SavedModel takes longer than a test's training."""
    from components import keys
    from components.trainer import export

    def write(folder, model, task, card, data):
        folder.parent.mkdir(parents=True)
        model.save(folder.parent / keys.KERAS_FILE)

    monkeypatch.setattr(export, "write", write)


@contextlib.contextmanager
def crew_is_here():
    """The one worker of a search is of this process, which has its libraries; pipelines/test_tune.py has it in its own."""
    from tuner import crew, roles, worker

    def work(self):
        [member] = self._members
        worker.Worker(self._oracle.question.folder, f"127.0.0.1:{self._chief.port}", member.name).search()

    with pytest.MonkeyPatch.context() as patch:
        for name in (roles.ADDRESS, roles.PORT, roles.ID):  # a worker sets them
            patch.setenv(name, "")
            patch.delenv(name)
        patch.setattr(crew.Crew, "work", work)
        yield


@contextlib.contextmanager
def loaded_once():
    """A SavedModel that verbs ask again is loaded once, and each of its signatures built once: a second or more each time."""
    from pipelines.verbs.served import Served

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Served, "load", functools.cache(Served.load))
        yield


@contextlib.contextmanager
def conversion_is_here(but=()):
    """Converter converts in this process, which has TensorFlow, but to the forms that are named; what runs its files is started as
    ever, and imports none.

    Yields what starts either.
    """
    from components.converter import convert, work

    start = work._process

    def process(script, asked, does):
        if script != work.CONVERT or asked["form"] in but:
            return start(script, asked, does)
        try:
            convert.main(**asked)
        except Exception as error:
            return f"the process that {does} ended with code 1: {convert.said(error)}"
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_process", process)
        yield start


@contextlib.contextmanager
def no_page():
    """Runs end before the page that Reporter writes, which tests/components/reporter has, and `hubel run` elsewhere."""
    from pipelines.orchestration import pipeline

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "_reporter", lambda known, nodes: None)
        yield

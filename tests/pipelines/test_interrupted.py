"""Ctrl-C and kill -9 at bad moments: nothing half-done is visible, and the next run goes on."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.pipelines.conftest import Running, eventually, hubel, in_process, is_alive

EPOCHS = 40
RUN = ("run", "digits_lenet5.tiny", "--set", f"train.epochs={EPOCHS}", "--set", "train.early_stopping=null")
NAME = "digits_lenet5_tiny"

# Put on the worker's path: kills it in the middle of Pusher's copying, after the first file.
KILLER = """
import os, shutil, signal
_copy = shutil.copy2
def copy2(source, target, **options):
    _copy(source, target, **options)
    if ".staged-" in os.fspath(target):
        os.kill(os.getpid(), signal.SIGKILL)
shutil.copy2 = copy2
shutil.copytree.__defaults__ = tuple(copy2 if value is _copy else value for value in shutil.copytree.__defaults__)
shutil.copytree.__kwdefaults__ = {
    name: copy2 if value is _copy else value for name, value in (shutil.copytree.__kwdefaults__ or {}).items()
}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """One workspace for the whole story below: its tests run in the order in which they stand."""
    return tmp_path_factory.mktemp("interrupted") / "workspace"


def models(workspace) -> list[str]:
    folder = workspace / "models" / NAME
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_ctrl_c_while_libraries_load_is_clean(workspace):
    running = Running(*RUN, "--workspace", workspace)
    running.wait_for("Loading")
    outcome = running.end(signal.SIGINT)
    assert outcome.code == 130
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("Stopped. The same command goes on from here")


def ended_in_json(running, workspace) -> None:
    """By Ctrl-C: it says so on the way that was asked for, and leaves no worker."""
    [worker] = running.workers()
    outcome = running.end(signal.SIGINT)
    assert outcome.code == outcome.json["error"]["exit_code"] == 130
    assert outcome.json["error"]["message"] == "Stopped."
    assert outcome.json["error"]["hint"].startswith("The same command goes on from here")
    assert outcome.err.strip() == ""  # click ends the line that a terminal's ^C stands in
    assert not is_alive(worker)
    assert in_process("list", "runs", "--json", "--workspace", workspace).json[-1]["status"] == "stopped"


def test_ctrl_c_is_json_where_that_is_asked_for(workspace):
    running = Running(*RUN, "--json", "--workspace", workspace)
    assert eventually(lambda: any("numpy" in Path(f"/proc/{pid}/maps").read_text() for pid in running.workers()))
    ended_in_json(running, workspace)


@pytest.mark.whole  # as process/test_supervise.py has it of a worker that waits
def test_kill_9_of_the_command_in_transform_ends_its_worker_too(workspace):
    running = Running(*RUN, "--workspace", workspace)
    running.wait_for("ExampleValidator")
    workers = running.workers()
    assert workers
    running.end(signal.SIGKILL)
    assert eventually(lambda: not any(is_alive(pid) for pid in workers))


@pytest.mark.every  # as above while libraries load, and below in Trainer
def test_ctrl_c_in_transform_is_clean_and_json_where_that_is_asked_for(workspace):
    running = Running(*RUN, "--json", "--workspace", workspace)
    outputs = workspace / "pipelines" / NAME / "Transform"
    before = set(outputs.glob("*/*"))
    assert eventually(lambda: set(outputs.glob("*/*")) - before)
    ended_in_json(running, workspace)


@pytest.mark.whole  # as process/test_supervise.py has it of a worker that waits, and trainer/test_resume.py of what is kept
def test_kill_9_of_the_worker_in_trainer_is_one_sentence(workspace):
    running = Running(*RUN, "--workspace", workspace)
    running.wait_for("Transform")
    state = workspace / "training" / NAME
    assert eventually(lambda: any(len(json.loads(p.read_text())["history"]) >= 6 for p in state.glob("*/state.json")))
    [worker] = running.workers()
    os.kill(worker, signal.SIGKILL)
    out, err = running.process.communicate(timeout=300)
    assert running.process.returncode == 1
    assert "SIGKILL" in err
    assert "Traceback" not in out + err
    assert models(workspace) == []


@pytest.mark.whole  # as components/trainer/test_resume.py has it of going on, and above while libraries load
def test_training_goes_on_at_the_epoch_it_was_in_and_ctrl_c_stops_it_cleanly(workspace):
    [state] = (workspace / "training" / NAME).glob("*/state.json")
    done = len(json.loads(state.read_text())["history"])
    running = Running(*RUN, "--workspace", workspace, CUDA_VISIBLE_DEVICES="-1")
    running.wait_for("Transform")
    assert re.search(r"ExampleValidator +cached", "".join(running.seen))
    assert eventually(lambda: len(json.loads(state.read_text())["history"]) > done)
    history = json.loads(state.read_text())["history"]
    [worker] = running.workers()
    outcome = running.end(signal.SIGINT)
    assert outcome.code == 130
    assert "Traceback" not in outcome.err
    assert not is_alive(worker)
    assert "no GPU: training on the CPU" in outcome.err
    epochs = [int(number) for number in re.findall(r"epoch (\d+)/", outcome.err)]
    assert all(epoch > done for epoch in epochs), (done, epochs)
    assert len(history) < EPOCHS
    assert in_process("list", "runs", "--json", "--workspace", workspace).json[-1]["status"] == "stopped"


@pytest.mark.whole  # as components/pusher/test_publish.py has it of publishing alone
def test_kill_9_in_pusher_leaves_no_version(workspace, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(KILLER)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    outcome = hubel(*RUN, "--workspace", workspace, PYTHONPATH=path)
    assert outcome.code == 1
    assert "SIGKILL" in outcome.err
    assert [name for name in models(workspace) if name.isdigit()] == []
    assert models(workspace)[0].startswith(".staged-")
    assert not list((workspace / "training" / NAME).rglob("*.h5"))


@pytest.mark.whole  # as test_run.py has it of a version that was deleted
def test_the_next_run_does_only_what_is_missing_and_cleans_up(workspace):
    outcome = in_process(*RUN, "--workspace", workspace, "--json")
    assert outcome.code == 0, outcome.err
    assert {c["name"] for c in outcome.json["components"] if not c["cached"]} == {"Pusher", "Reporter"}
    assert models(workspace) == ["1"]
    assert (workspace / "models" / NAME / "1/saved_model.pb").is_file()


@pytest.mark.whole  # as workspace/test_collect.py has it of what lies there
def test_gc_removes_what_killed_runs_left_and_nothing_that_is_needed(workspace):
    (workspace / "datasets/digits/incomplete.ABCDEF_1.0.0").mkdir()  # as TFDS stages
    value = in_process("gc", "--keep", "1", "--json", "--workspace", workspace).json
    assert value["bytes"] > 0
    assert not list(workspace.glob("datasets/*/incomplete.*"))
    [last] = in_process("list", "runs", "--json", "--workspace", workspace).json
    assert [path.stem for path in (workspace / "logs" / NAME).iterdir()] == [last["run"]]
    assert models(workspace) == ["1"]
    plan = in_process(*RUN, "--dry-run", "--json", "--workspace", workspace).json
    assert all(component["cached"] for component in plan["components"])

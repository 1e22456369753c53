"""`hubel tensorboard`: TensorBoard itself answers about a run, and ends in order."""

import contextlib
import http.client
import json
import signal
import socket
import time
import urllib.parse
from pathlib import Path

import pytest

from pipelines.command_line.tensorboard_command import tensorboard
from pipelines.process import supervise
from pipelines.workspace import training_logs
from tests.pipelines.conftest import Running, in_process
from tests.slower import PATIENCE


def asked(url, path, body=None, **query):
    """What TensorBoard answers; body: JSON that is posted."""
    there = urllib.parse.urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(there.hostname, there.port, timeout=PATIENCE)) as connection:
        method, told = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, f"/data/{path}?{urllib.parse.urlencode(query)}", told, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.read())
        return answer.read()


def test_tensorboard_shows_a_run_without_tensorflow(finished, without_tensorflow):
    running = Running("tensorboard", "digits_lenet5.tiny", "--workspace", finished, "--port", "0", "--json", **without_tensorflow)
    value = json.loads(running.process.stdout.readline())
    url, [log] = value["url"], value["runs"]
    run, history = log["name"], json.loads(Path(log["folder"], "history.json").read_text())
    deadline = time.monotonic() + PATIENCE
    while len(json.loads(asked(url, "runs"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert set(json.loads(asked(url, "runs"))) == {run, f"{run}/train", f"{run}/validation"}
    assert {"loss", "accuracy", "learning_rate"} <= json.loads(asked(url, "plugin/scalars/tags"))[f"{run}/train"].keys()
    rows = json.loads(asked(url, "plugin/scalars/scalars", run=f"{run}/validation", tag="loss"))
    assert [(step, round(value, 5)) for _, step, value in rows] == [
        (epoch, round(figures["val_loss"], 5)) for epoch, figures in enumerate(history, 1)
    ]
    experiment = json.loads(asked(url, "plugin/hparams/experiment", {}))
    assert {"train.optimizer.learning_rate", "model.name"} <= {info["name"] for info in experiment["hparamInfos"]}
    wanted = {
        "allowedStatuses": ["STATUS_SUCCESS"],
        "colParams": [{"metric": {"group": "", "tag": "kept/val_loss"}}],
        "startIndex": 0,
        "sliceSize": 9,
    }
    groups = json.loads(asked(url, "plugin/hparams/session_groups", wanted))["sessionGroups"]
    assert [group["hparams"]["train.batch_size"] for group in groups] == [32]
    [kept] = [row for row in groups[0]["metricValues"] if row["name"]["tag"] == "kept/val_loss"]
    assert round(kept["value"], 5) == round(min(figures["val_loss"] for figures in history), 5)
    assert json.loads(asked(url, "plugin/images/tags"))[f"{run}/train"]["training"]["samples"] == 8
    assert json.loads(asked(url, "plugin/graphs/info"))[run]["run_graph"]
    assert b"Conv2D" in asked(url, "plugin/graphs/graph", run=run, limit_attr_size=1024, large_attrs_key="_large")
    assert json.loads(asked(url, "plugin/projector/runs")) == [run]
    labels = asked(url, "plugin/projector/metadata", run=run, name="validation").decode().split()
    assert len(labels) == len(asked(url, "plugin/projector/tensor", run=run, name="validation")) / 4 / 84  # LeNet's f6
    assert asked(url, "plugin/projector/sprite_image", run=run, name="validation").startswith(b"\x89PNG")
    # Meanwhile its port is taken.
    port = urllib.parse.urlsplit(url).port
    outcome = in_process("tensorboard", "--workspace", finished, "--port", port)
    assert (outcome.code, outcome.err.splitlines()[0]) == (1, f"Port {port} of 127.0.0.1 is taken.")
    ended = running.end(signal.SIGINT)
    assert (ended.code, ended.err) == (0, "")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def ends_at_once(*_):
    raise AssertionError("nobody took the signal, and the process would have ended as it was")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_however_it_is_ended_its_links_are_gone(tmp_path, monkeypatch, how):
    (tmp_path / "log").mkdir()
    there = []

    def ask(request, *of):
        there.append(Path(request.folder))
        assert (there[0] / "digits" / "run").readlink() == tmp_path / "log"
        signal.raise_signal(how)

    monkeypatch.setattr(training_logs, "of", lambda *of: [training_logs.Log("digits/run", tmp_path / "log", "digits")])
    monkeypatch.setattr(supervise, "ask", ask)
    before = signal.signal(signal.SIGHUP, ends_at_once)
    try:
        assert tensorboard.main(["--workspace", str(tmp_path)], standalone_mode=False) == 0
    finally:
        assert signal.signal(signal.SIGHUP, before) is ends_at_once
    assert not there[0].exists()
    assert (tmp_path / "log").is_dir()


def test_a_closed_terminal_ends_none_that_nohup_started(tmp_path, monkeypatch):
    monkeypatch.setattr(training_logs, "of", lambda *of: [])
    monkeypatch.setattr(supervise, "ask", lambda *of: signal.raise_signal(signal.SIGHUP) or ended.append(True))
    before, ended = signal.signal(signal.SIGHUP, signal.SIG_IGN), []
    try:
        assert tensorboard.main(["--workspace", str(tmp_path)], standalone_mode=False) == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert ended == [True]


def test_what_is_not_there_is_a_sentence(tmp_path):
    wrong = {(): "There is no log", ("nothing",): "There is no run of 'nothing'", ("--run", "x"): "There is no run"}
    for arguments, said in wrong.items():
        outcome = in_process("tensorboard", *arguments, "--workspace", tmp_path)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(said)
    assert not list(tmp_path.iterdir())

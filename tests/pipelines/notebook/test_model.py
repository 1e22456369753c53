"""What a notebook gets of a workspace: the records of the command line."""

import html
import re

import numpy as np
import pytest
from PIL import Image

import pipelines
from configs.errors import UsageError
from pipelines.command_line import run_commands
from pipelines.notebook.page import BASE, Report
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from tests import browser
from tests.pipelines.conftest import in_process, workers_here

NAME = "digits_lenet5_tiny"


def test_what_was_not_run_yet_is_its_config(tmp_path):
    model = pipelines.load("digits_lenet5.tiny", workspace=tmp_path)
    assert (model.name, model.config.train.epochs, model.runs, model.versions) == (NAME, 2, [], [])
    for ask in (lambda: model.figures, lambda: model.keras, lambda: model.report(), lambda: model.predict(np.zeros((8, 8)))):
        with pytest.raises(UsageError):
            ask()
    with pytest.raises(UsageError, match="no trained model 'nothing'"):
        pipelines.load("nothing", workspace=tmp_path)
    with pytest.raises(UsageError, match=r"unknown key train.epoch "):
        model.run(train={"epoch": 3})
    assert not list(tmp_path.iterdir())


def test_nothing_heavy_is_imported_before_it_is_needed(finished, without_tensorflow):
    """Run as a script, so that what this process has imported counts for nothing."""
    import os
    import subprocess
    import sys

    code = f"""
import pipelines
model = pipelines.load({NAME!r}, workspace={str(finished)!r})
print(model.figures, model.runs, model.versions, model.config.name, model.report().path, repr(model))
"""
    environment = {**os.environ, **without_tensorflow}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_records_figures_and_versions_are_those_of_the_command_line(finished):
    model = pipelines.load(NAME, workspace=finished)
    [told] = in_process("list", "runs", "--json", "--workspace", finished).json
    [run] = model.runs
    assert (run.id, run.blessed, run.version, run.figures) == (told["run"], told["blessed"], told["version"], told["metrics"])
    assert model.figures == run.figures == pipelines.load(NAME, told["version"], finished).figures
    assert run.config.name == model.config.name == NAME
    [version] = model.versions
    assert (version["version"], version["label"]) == (told["version"], "stable")
    assert list(model.table().columns[:3]) == ["run", "status", "version"]
    assert model.table()["accuracy"][0] == told["metrics"]["accuracy"]


def test_answers_are_those_of_predict(finished, scans, tmp_path):
    model = pipelines.load(NAME, workspace=finished)
    files = sorted(map(str, scans.iterdir()))[:3]
    told = in_process("predict", NAME, *files, "--top", "2", "--workspace", finished, "--json").json
    pixels = [np.array(Image.open(file)) for file in files]
    with workers_here():
        answers = model.predict([files[0], pixels[1], Image.open(files[2])], top=2)
    assert answers == [{**row, "file": name} for row, name in zip(told, [files[0], "image 1", "image 2"], strict=True)]


def test_the_page_stands_in_a_frame_of_its_own(finished):
    report = pipelines.load(NAME, workspace=finished).report()
    shown = report._repr_html_()
    assert shown.count("<") == 2  # the frame alone: nothing of the page is the notebook's
    assert html.unescape(
        re.fullmatch(r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts" style="[^"]*"></iframe>', shown)[1]
    ) == report.html.replace("<head>", f"<head>{BASE}", 1)


@pytest.mark.browser
def test_a_link_in_the_frame_leads_to_its_place_there(chromium, tmp_path):
    told = "addEventListener('hashchange', () => parent.postMessage(location.href, '*')); document.querySelector('a').click()"
    (tmp_path / "page.html").write_text(f"<!doctype html><html><head></head><a href='#aim'>a</a><script>{told}</script></html>")
    heard = "<script>addEventListener('message', event => { globalThis.heard = event.data })</script>"
    (tmp_path / "notebook.html").write_text(f"<!doctype html>{heard}{Report(tmp_path / 'page.html')._repr_html_()}")
    with browser.started(chromium, tmp_path / "profile") as chrome:
        chrome.open(tmp_path / "notebook.html", 1000, ready="globalThis.heard !== undefined")
        assert chrome.run("heard") == "about:srcdoc#aim"


def test_it_is_called_like_its_keras_model(finished):
    model = pipelines.load(NAME, workspace=finished)
    pixels = np.zeros((1, 32, 32, 1), np.float32)
    np.testing.assert_array_equal(model(pixels, training=False), model.keras(pixels, training=False))
    assert len(model.get_weights()) == len(model.keras.get_weights())
    with pytest.raises(AttributeError):
        _ = model._ipython_display_


def test_of_a_run_that_trained_nothing_there_is_no_network(tmp_path):
    place = Workspace.at(tmp_path)
    RunRecord("20260101-120000", "mine", "2026-01-01T12:00:00", "failed", reason="<b>").save(place.run("mine", "20260101-120000"))
    with pytest.raises(UsageError, match="no trained model 'mine'"):
        pipelines.load("mine", workspace=tmp_path)


def test_a_version_is_run_again_as_its_own_run_was(tmp_path, monkeypatch):
    place, asked = Workspace.at(tmp_path), []
    for version, run in ((1, "20260101-120000"), (2, "20260102-120000")):
        record = RunRecord(run, "mine", f"{run[:4]}-01-0{version}T12:00:00", "done", version=version, model_uri=str(tmp_path))
        record.save(place.run("mine", run))

    def wanted(called, *of):
        asked.append(called)
        raise UsageError("That is all.")

    monkeypatch.setattr(run_commands, "wanted", wanted)
    for model in (pipelines.load("mine", 1, tmp_path), pipelines.load("mine", workspace=tmp_path)):
        with pytest.raises(UsageError, match="That is all"):
            model.run()
    assert asked == [str(place.run("mine", run) / "config.yaml") for run in ("20260101-120000", "20260102-120000")]

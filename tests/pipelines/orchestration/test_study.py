"""What is kept of a search is kept up while it goes on, and what goes wrong with it does not end the search."""

import os
import signal
import time

import pytest
import yaml

from components import progress
from configs import load
from pipelines.orchestration import study
from pipelines.workspace.layout import Workspace
from tests.pipelines.command_line.test_tuning_commands import left
from tuner import records

CONFIG = load.load("digits_lenet5")


@pytest.fixture
def place(tmp_path):
    return Workspace.at(tmp_path)


def begin(made, now, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return {"event": "search", "study": made.study.model_dump(mode="json"), "trials": []}


def test_the_page_is_written_on_the_way_but_seldom_and_at_the_end(place, monkeypatch):
    made, now = left(place.root, parameters=0), [0.0]
    page = place.tuning("digits_lenet5") / "a1b2c3d4" / records.PAGE
    kept = study.Kept(CONFIG, place)
    kept(begin(made, now, monkeypatch))
    for seconds, is_there in ((10.0, False), (99.0, False), (101.0, True)):
        now[0] = seconds
        kept({"event": "trial_done", "trial": "0000"})
        assert page.exists() == is_there
    page.unlink()
    kept({"event": "node_done", "name": "Transform", "cached": False, "seconds": 1.0})
    assert not page.exists()
    kept({"event": "node_done", "name": "Tuner", "cached": False, "seconds": 1.0})
    assert page.exists()
    best = yaml.safe_load((page.parent / study.BEST).read_text())
    assert best["train"]["batch_size"] == made.best.values["train.batch_size"]
    assert "tune" not in best


def test_a_search_that_is_ended_writes_its_page_first_and_no_other_run_does(place, monkeypatch):
    made = left(place.root, parameters=0)
    page, before = place.tuning("digits_lenet5") / "a1b2c3d4" / records.PAGE, signal.getsignal(signal.SIGTERM)

    @study.kept(CONFIG, place)
    def search():
        progress.emit(**begin(made, [0.0], monkeypatch))
        assert not page.exists()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)

    with pytest.raises(study.Ended):
        search()
    assert page.exists()
    assert signal.getsignal(signal.SIGTERM) == before
    with study.kept(CONFIG, place):
        progress.emit(**begin(made, [0.0], monkeypatch))
        progress.emit("node_done", name="Tuner", cached=False, seconds=1.0)
        assert signal.getsignal(signal.SIGTERM) == before, "Trainer ends as it always does"


def test_a_study_names_the_run_that_works_on_it_once(place, monkeypatch):
    made = left(place.root, parameters=0)
    folder = place.tuning("digits_lenet5") / "a1b2c3d4"
    before = records.read_study(folder).runs
    for run in ("20260102-030405", None, "20260102-030405"):
        study.Kept(CONFIG, place, run)(begin(made, [0.0], monkeypatch))
    assert records.read_study(folder).runs == [*before, "20260102-030405"]


def test_what_goes_wrong_with_the_page_is_a_warning(place, monkeypatch):
    made, told = left(place.root), []
    (place.tuning("digits_lenet5") / "a1b2c3d4/trials/0001.json").write_text("{")
    kept = study.Kept(CONFIG, place)
    kept(begin(made, [0.0], monkeypatch))
    with progress.listening(told.append):
        kept({"event": "node_done", "name": "Tuner", "cached": False, "seconds": 1.0})
    assert [event["event"] for event in told] == ["warning"]
    assert "0001.json is damaged" in told[0]["text"]


def test_the_command_names_the_workspace_where_it_is_not_the_usual_one(place, tmp_path, monkeypatch):
    assert study.command(tmp_path / "a b", place) == f"hubel run '{tmp_path}/a b/best.yaml' --workspace {tmp_path}"
    monkeypatch.setenv("HUBEL_WORKSPACE", str(tmp_path))
    assert study.command(tmp_path, place) == f"hubel run {tmp_path}/best.yaml"

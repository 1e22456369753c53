"""A page is worth no run: what goes wrong with it is a warning, and a failure goes on as it was, with its page if there is one."""

import sys

import pytest

from components import keys, progress
from components.reporter import component, recorded
from components.reporter.material import Artifact, Failure
from configs.errors import HubelError, UsageError
from pipelines.orchestration import reporting
from pipelines.orchestration.local import NodeResult
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from tests.components import digits


@pytest.fixture
def heard():
    """Events."""
    events = []
    with progress.listening(events.append):
        yield events


def fails(root):
    with reporting.noted(subject(root)):
        progress.emit("node", name="ExampleGen")
        progress.emit("node", name="Trainer")
        raise HubelError("Trainer ran out of memory.", "Use smaller images.")


def test_a_failure_has_its_page_and_the_stage_in_which_it_was(tmp_path, monkeypatch, heard):
    told = []
    monkeypatch.setattr(reporting, "written", lambda of, failure: told.append((of.run, failure)) or "/there.html")
    with pytest.raises(HubelError, match="ran out of memory") as raised:
        fails(tmp_path)
    assert told == [("20260101-120000", Failure("Trainer", "Trainer ran out of memory.", "Use smaller images."))]
    assert raised.value.as_json()["error"]["report"] == "/there.html"
    assert heard[-1] == {"event": "note", "text": "What there is of the run: /there.html"}


def test_a_page_that_cannot_be_written_is_a_warning_and_the_failure_is_as_it_was(tmp_path, monkeypatch, heard, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(reporting, "written", full)
    with pytest.raises(HubelError, match="ran out of memory") as raised:
        fails(tmp_path)
    assert "report" not in raised.value.details
    assert heard[-1]["event"] == "warning"
    assert "The page of the run was not written: OSError" in heard[-1]["text"]
    assert "Traceback" in capsys.readouterr().err, "the log has the whole story"


def subject(root) -> reporting.Subject:
    return reporting.Subject(Workspace.at(root), "digits", "20260101-120000", {}, {})


def test_reporters_page_is_copied_and_one_that_it_could_not_write_is_written_after_it(tmp_path, monkeypatch, heard):
    artifact = tmp_path / "artifact"
    artifact.mkdir()
    results = {"Reporter": NodeResult("Reporter", False, 1.0, {"report": [(str(artifact), {"run": "20260101-120000"})]})}
    monkeypatch.setattr(reporting, "written", lambda of, failure: "/there.html")
    assert reporting.kept(subject(tmp_path), results) == "/there.html"
    (artifact / component.PAGE).write_text("<html>")
    kept = reporting.kept(subject(tmp_path), results)
    assert kept == str(tmp_path.resolve() / "reports" / "digits" / "20260101-120000.html")
    assert reporting.kept(subject(tmp_path), {}) is None, "a pipeline that serves nothing has none"
    (tmp_path / "reports" / "digits").rename(tmp_path / "aside")
    (tmp_path / "reports" / "digits").write_text("no folder")
    assert reporting.kept(subject(tmp_path), results) is None
    assert heard[-1]["event"] == "warning"


def test_both_sides_call_the_page_by_one_name():
    assert (reporting.PAGE, reporting.REPORTER) == (component.PAGE, component.Reporter.__name__)


def test_a_log_that_takes_no_more_changes_no_failure(tmp_path, monkeypatch, heard):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

        flush = write

    monkeypatch.setattr(sys, "stderr", Full())
    monkeypatch.setattr(reporting, "written", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(HubelError, match="ran out of memory"):
        fails(tmp_path)


@pytest.mark.parametrize(
    ("task", "members", "said"),
    [("classification", ["a/1"], "An ensemble is made of models"), ("reconstruction", [], "answer no probabilities of classes")],
)
def test_folds_that_cannot_be_are_refused_and_no_page_is_written(tmp_path, monkeypatch, task, members, said):
    place = Workspace.at(tmp_path)
    RunRecord("20260101-120000", "digits", "2026-01-01T12:00:00", "done").save(place.run("digits", "20260101-120000"))
    (place.run("digits", "20260101-120000") / "config.yaml").write_text("extends: digits_lenet5\nname: digits\n")
    model = tmp_path / "model"
    model.mkdir()
    card = digits.card(task=task, members={name: digits.card().model_dump(mode="json") for name in members})
    (model / keys.CARD_FILE).write_text(card.model_dump_json())
    made = Artifact(model, id=1)
    monkeypatch.setattr(recorded, "of_run", lambda *_: {"model": made, "examples": Artifact(tmp_path)})
    inputs = {"transform_graph": tmp_path, "schema": tmp_path}
    (tmp_path / "schema.pbtxt").touch()
    place.metadata.touch()
    monkeypatch.setattr(recorded, "training", lambda *_: ({"training_dir": str(tmp_path)}, inputs))
    with pytest.raises(UsageError, match=said) as raised:
        reporting.write(str(tmp_path), "digits", "20260101-120000", True, 5)
    assert raised.value.exit_code == 2
    assert not [*place.root.glob("reports/**/*.html")]

"""What a run trained is found by NAME@candidate and by its id, whether it was pushed or not; what is not there is one sentence."""

import pytest
from tfx.utils import path_utils

from configs.errors import UsageError
from pipelines.command_line import options
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

FIRST, SECOND, THIRD = "20261130-002329", "20261130-002407", "20261130-002407-2"


@pytest.fixture
def place(tmp_path):
    """Two runs of `digits`, the second not blessed, one that failed after them, and one of `letters` at the same second."""
    made = Workspace.at(tmp_path / "workspace")

    def trained(config, run, number, status, **fields):
        folder = made.pipeline(config) / "Trainer" / "model" / str(number)
        made.exported(folder).mkdir(parents=True)
        (made.exported(folder) / "saved_model.pb").touch()
        runs.RunRecord(run, config, f"2026-11-30T00:00:0{number}", status, model_uri=str(folder), **fields).save(
            made.run(config, run)
        )

    pushed = made.served("digits") / "1"
    trained("digits", FIRST, 1, "done", version=1, model_dir=str(pushed))
    trained("digits", SECOND, 2, "not blessed")
    trained("letters", SECOND, 3, "not blessed")
    runs.RunRecord(THIRD, "digits", "2026-11-30T00:00:09", "failed", reason="x").save(made.run("digits", THIRD))
    pushed.mkdir(parents=True)
    (pushed / "saved_model.pb").touch()
    return made


def model_of(place, config, number):
    return place.pipeline(config) / "Trainer" / "model" / str(number)


def refused(place, model) -> UsageError:
    with pytest.raises(UsageError) as caught:
        runs.exported(place, model)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_the_export_lies_where_tfx_puts_it(tmp_path):
    assert str(Workspace.exported(tmp_path)) == path_utils.serving_model_path(str(tmp_path))


@pytest.mark.parametrize(
    ("model", "config", "number", "name"),
    [
        ("digits@candidate", "digits", 2, f"digits@{SECOND}"),  # the failed run after it trained nothing
        (f"digits@{SECOND}", "digits", 2, f"digits@{SECOND}"),
        (f"digits@{FIRST}", "digits", 1, f"digits@{FIRST}"),
        (FIRST, "digits", 1, f"digits@{FIRST}"),
        ("letters@candidate", "letters", 3, f"letters@{SECOND}"),
        ("digits", "digits", 1, "digits/1"),
        ("digits/1", "digits", 1, "digits/1"),
    ],
)
def test_every_name_leads_to_its_model(place, model, config, number, name):
    run = FIRST if number == 1 else SECOND
    assert runs.trained(place, model) == runs.Trained(name, config, model_of(place, config, number), run)
    assert runs.run_of(place, model, runs.exported(place, model)) == run
    served = place.served("digits") / "1" if "/" in name else place.exported(model_of(place, config, number))
    assert runs.exported(place, model) == served
    assert runs.artifact(place, model) == str(model_of(place, config, number))


def test_a_folder_leads_to_the_first_run_that_has_it(place, tmp_path):
    exported = place.exported(model_of(place, "digits", 2))
    again = runs.RunRecord("20261130-010000", "digits", "2026-11-30T01:00:00", "done", model_uri=str(model_of(place, "digits", 2)))
    again.save(place.run("digits", again.run))
    assert runs.run_of(place, str(exported), exported) == SECOND
    assert runs.run_of(place, "digits@candidate", exported) == again.run, "what was asked for is what that run left"
    assert runs.run_of(place, str(tmp_path), tmp_path) is None


@pytest.mark.parametrize(
    ("asked", "run", "said"),
    [
        ("digits@candidate", SECOND, [f"digits@candidate is what run {SECOND} trained."]),
        (f"digits@{SECOND}", SECOND, []),
        (SECOND, SECOND, []),
        ("digits", FIRST, []),
        ("folder", None, []),
    ],
)
def test_who_answered_is_said_where_the_name_does_not(asked, run, said):
    assert options.answered({"asked": asked, "run": run}) == said
    assert options.remarks({"asked": asked, "run": run, "images": []}) == said


def test_a_run_that_two_configs_have_is_asked_for_by_its_name(place):
    error = refused(place, SECOND)
    assert error.message == f"2 runs are called {SECOND}."
    assert error.hint == f"Say which: digits@{SECOND} or letters@{SECOND}."


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nobody@candidate", "There is no run of 'nobody' on record in "),
        ("@candidate", "There is no run of '' on record in "),
        ("*@candidate", "There is no run of '*' on record in "),
        ("digits@nothing", "There is no run 'digits@nothing' on record in "),
        ("20991130-002329", "There is no run '20991130-002329' on record in "),
        (f"digits@{THIRD}", f"Run {THIRD} of digits has trained no model: it is failed."),
    ],
)
def test_a_candidate_that_never_was_is_one_sentence(place, model, message):
    assert refused(place, model).message.startswith(message)


def test_a_candidate_that_gc_removed_is_one_sentence_with_the_command_that_makes_it_again(place):
    folder = model_of(place, "digits", 2)
    folder.rename(folder.with_name("gone"))
    error = refused(place, "digits@candidate")
    assert error.message == f"What run {SECOND} of digits trained is there no more: {folder}."
    assert f"`hubel run {place.run('digits', SECOND) / 'config.yaml'}`" in error.hint


def test_who_asks_for_what_was_not_pushed_is_told_of_the_candidate(place):
    assert "letters@candidate" in refused(place, "letters").hint
    assert "candidate" not in refused(place, "nobody").hint
    assert "candidate" not in refused(place, "digits/9").hint  # what there is of it was pushed under another number
    assert "candidate" not in refused(place, "letters/9").hint


def test_a_run_that_goes_on_is_waited_for(place, monkeypatch):
    going = runs.RunRecord("20261130-002500", "digits", "2026-11-30T00:00:10", "running")
    going.save(place.run("digits", going.run))
    monkeypatch.setattr(runs, "listed", runs.records)  # as while it is alive
    assert refused(place, "digits@20261130-002500").hint == "Wait until it is done."


def test_a_folder_with_such_a_name_is_that_folder(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a@b").mkdir()
    (tmp_path / "a@b" / "saved_model.pb").touch()
    assert str(runs.exported(place, "a@b")) == "a@b"

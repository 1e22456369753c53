"""Which logs TensorBoard is shown, by name and run."""

import dataclasses

import pytest

from configs.errors import UsageError
from pipelines.workspace import runs, training_logs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from tests.pipelines.command_line.test_tuning_commands import left
from tuner import hparams, records


def of_trials(place):
    """A search on record of a run, and what it wrote for TensorBoard."""
    left(place.root, study="study0", count=2, at=1.7e9)
    [folder] = place.root.glob("tuning/*/study0")
    hparams.write(folder, *records.read(folder))
    records.note_run(folder, "20260101-120000")
    RunRecord("20260101-120000", folder.parent.name, "2026-01-01T12:00:00", "searched").save(
        place.run(folder.parent.name, "20260101-120000")
    )
    return folder


def test_trials_of_a_search_have_a_log_each(tmp_path):
    place = Workspace.at(tmp_path)
    folder = of_trials(place)
    logs = training_logs.of(place)
    trials = sorted(path.name for path in (folder / "hparams").iterdir() if path.name != hparams.SPACE)
    assert [log.name for log in logs] == [f"{folder.parent.name}/search-study0/{trial}" for trial in trials]
    assert training_logs.of(place, asked=["20260101-120000"]) == logs
    RunRecord("20260101-130000", folder.parent.name, "2026-01-01T13:00:00", "searched").save(
        place.run(folder.parent.name, "20260101-130000")
    )
    with pytest.raises(UsageError, match=r"no log for TensorBoard of run .*@20260101-130000"):
        training_logs.of(place, asked=["20260101-130000"])


def test_trainings_of_an_experiment_are_found_by_its_name(tmp_path):
    place = Workspace.at(tmp_path)
    for execution in (9, 10, 11):
        folder = place.model_run("experiment_rates", execution)
        (folder / "train").mkdir(parents=True)
        if execution != 11:
            (folder / "train/events.out.tfevents.1.a.2.3").touch()
    for name in ("rates", "experiment_rates", None):
        assert [log.name for log in training_logs.of(place, name)] == ["experiment_rates/9", "experiment_rates/10"]
    with pytest.raises(UsageError, match="no run of 'others'") as error:
        training_logs.of(place, "others")
    assert "experiment_rates" in error.value.hint


def test_a_run_without_a_log_and_a_workspace_without_runs_are_told(tmp_path):
    place = Workspace.at(tmp_path)
    with pytest.raises(UsageError, match="no log for TensorBoard of any run"):
        training_logs.of(place)
    RunRecord("20260101-120000", "a", "2026-01-01T12:00:00").save(place.run("a", "20260101-120000"))
    place.metadata.write_bytes(b"no database")
    with pytest.raises(UsageError, match="no log for TensorBoard of a in"):
        training_logs.of(place, "a")


def test_a_run_has_the_log_of_its_training_and_one_that_repeats_it_the_same(finished):
    place = Workspace.at(finished)
    [record] = runs.records(place)
    [log] = training_logs.of(place, "digits_lenet5_tiny")
    assert (log.name, log.run) == (f"digits_lenet5_tiny/{record.run}", record.run)
    assert (log.folder / "history.json").is_file()
    again = dataclasses.replace(record, run="20991231-000000", unchanged_since=record.run, started="2099")
    again.save(place.run(record.config, again.run))
    try:
        assert training_logs.of(place) == [log]
        assert [repeated.folder for repeated in training_logs.of(place, asked=[again.run])] == [log.folder]
        with pytest.raises(UsageError, match=f"is of {record.config}"):
            training_logs.of(place, "other", [again.run])
    finally:
        (place.run(record.config, again.run) / "run.json").unlink()


def test_links_that_are_there_stay(tmp_path):
    logs = [training_logs.Log(f"a/{number}", tmp_path / "log", "a") for number in range(2)]
    training_logs.arrange(tmp_path / "board", logs[:1])
    training_logs.arrange(tmp_path / "board", logs)
    assert {path.name: path.readlink() for path in (tmp_path / "board/a").iterdir()} == {
        "0": tmp_path / "log",
        "1": tmp_path / "log",
    }

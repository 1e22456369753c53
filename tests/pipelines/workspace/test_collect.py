"""What `hubel gc` keeps of what answers."""

import subprocess
import sys

from configs import locking
from pipelines.workspace import pages
from pipelines.workspace.collect import collect
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from serving import promotions
from tests.pipelines.command_line.test_tuning_commands import left


def test_a_version_that_lacks_its_model_is_kept_in_the_place_of_none_that_answers(tmp_path):
    place = Workspace.at(tmp_path)
    (tmp_path / "pipelines/digits").mkdir(parents=True)
    for version in (1, 2, 10):
        folder = place.served("digits") / str(version)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"graph")
    (place.served("digits") / "11/variables").mkdir(parents=True)
    removed = collect(place, keep=1)["removed"]
    assert removed == ["models/digits/1", "models/digits/2"]
    assert (place.served("digits") / "10/saved_model.pb").is_file()


def test_the_searches_that_were_worked_on_last_are_kept(tmp_path):
    (tmp_path / "pipelines/digits_lenet5").mkdir(parents=True)
    for number in range(4):
        left(tmp_path, study=f"study{number}", count=1, at=1.7e9 + 1000 * number)
    (tmp_path / "tuning/digits_lenet5/half").mkdir()  # of a hubel before there were records
    removed = collect(Workspace.at(tmp_path), keep=2)["removed"]
    assert removed == [f"tuning/digits_lenet5/{name}" for name in ("half", "study0", "study1")]
    assert (tmp_path / "tuning/digits_lenet5/study3/study.json").is_file()


def test_what_killed_runs_left_goes_and_what_answers_stays(tmp_path):
    place = Workspace.at(tmp_path)
    served = place.served("digits")
    left_behind = [served / ".staged-12", place.training("digits") / "fingerprint", place.datasets / "digits/incomplete.ABC_1.0.0"]
    needed = [served / "1", place.datasets / "digits/1.0.0"]
    for folder in (place.root / "pipelines/digits", *left_behind, *needed):
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"bytes")
    value = collect(place, keep=1)
    assert {tmp_path / path for path in value["removed"]} == {*left_behind}
    assert value["bytes"] == len(left_behind) * len(b"bytes")
    assert not [folder for folder in left_behind if folder.exists()]
    assert all((folder / "saved_model.pb").is_file() for folder in needed)


def test_what_clients_get_is_kept_however_old_it_is(tmp_path):
    place = Workspace.at(tmp_path)
    base = place.served("digits")
    (tmp_path / "pipelines/digits").mkdir(parents=True)
    base.parent.mkdir()
    for version in range(1, 7):
        promotions.pushed(base, version)
        (base / str(version)).mkdir(parents=True)
        (base / str(version) / "saved_model.pb").write_bytes(b"graph")
    promotions.promote(base, 3)
    assert promotions.state(base).kept == {1, 3, 6}
    assert collect(place, keep=1)["removed"] == ["models/digits/2", "models/digits/4", "models/digits/5"]


def test_the_page_of_a_run_goes_with_it_and_stays_with_it(tmp_path):
    place = Workspace.at(tmp_path)
    runs = [f"20260101-12000{number}" for number in range(3)]
    for run in runs:
        RunRecord(run, "digits", run, "done").save(place.run("digits", run))
        pages.write_text(place, "digits", run, run)
    removed = collect(place, keep=2)["removed"]
    assert removed == [f"pipelines/digits/runs/{runs[0]}", f"reports/digits/{runs[0]}.html"]
    assert sorted(path.name for path in place.reports("digits").iterdir()) == [f"{runs[1]}.html", f"{runs[2]}.html", "latest.html"]


def test_the_last_pages_of_evaluations_stay_also_of_what_no_run_here_trained(tmp_path):
    place = Workspace.at(tmp_path)
    names = [f"20260101-120000{number}" for number in ("", "-2", "-10")]
    pages_of = {place.evaluation(model, name) for model in ("digits", "from-elsewhere") for name in names}
    own = place.evaluation("digits", "kept-by-a-person")
    for page in (*pages_of, own):
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("page")
    removed = collect(place, keep=1)["removed"]
    folders = ("reports/digits/evaluations", "reports/from-elsewhere/evaluations")
    assert removed == [f"{folder}/{name}.html" for folder in folders for name in names[:2]]
    assert own.is_file()


def test_the_log_of_a_server_that_runs_is_kept_and_not_counted(tmp_path):
    logs = tmp_path / "logs/serve"
    logs.mkdir(parents=True)
    for number in range(4):
        (logs / f"{number}.log").write_text("said")
    with (logs / "0.log").open("ab") as held:
        locking.share(held)
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=held)
    try:  # whoever started it has closed it, or is dead
        assert collect(Workspace.at(tmp_path), keep=1)["removed"] == ["logs/serve/1.log", "logs/serve/2.log"]
        assert (logs / "0.log").is_file()
    finally:
        child.communicate(b"\n")
    assert collect(Workspace.at(tmp_path), keep=1)["removed"] == ["logs/serve/0.log"]


def test_the_logs_of_a_training_that_no_run_has_go_and_are_counted(tmp_path):
    place = Workspace.at(tmp_path)
    log = place.model_run("digits", 7)
    (log / "train").mkdir(parents=True)
    (log / "train/events.out.tfevents.1.a.2.3").write_bytes(b"events")
    value = collect(place, keep=1)
    assert value == {"removed": ["pipelines/digits/Trainer/model_run/7"], "bytes": len(b"events")}
    assert not log.exists()

"""`hubel promote`, `rollback`, `model-config` and `list served`, as they are typed."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import statistics_pb2
from tensorflow_serving.config import model_server_config_pb2

from pipelines.command_line import console
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from reports import model_card
from serving import promotions
from serving.statistics import written
from tests.pipelines.conftest import hubel, in_process
from tests.serving.test_promotions import appear, labels

TINY = "digits_lenet5_tiny"


@pytest.fixture
def place(tmp_path):
    """A workspace with three versions of a model, the first of which is stable."""
    made = Workspace.at(tmp_path / "workspace")
    for version in (1, 2, 3):
        appear(made.models, version)
    return made


def test_what_was_and_what_is_are_told(place):
    said = in_process("promote", "digits", "--workspace", place.root)
    assert said.lines == ["digits: version 3 is stable; version 1 was.", f"  {place.models / 'model.config'}"]
    assert said.code == 0
    assert in_process("promote", "digits/3", "--workspace", place.root).lines[0] == "digits: version 3 was stable already."
    value = in_process("rollback", "digits", "--reason", "slow", "--json", "--workspace", place.root).json
    config = str(place.models / "model.config")
    assert value == {
        "model": "digits", "label": "stable", "was": 3, "is": 1, "canary": None, "before": None, "versions": [1, 2, 3],
        "skipped": [], "reason": "slow", "config": config,
    }  # fmt: skip
    [served] = in_process("list", "served", "--json", "--workspace", place.root).json
    assert (served["stable"], served["canary"], served["versions"]) == (1, None, [1, 2, 3])
    assert [(entry["by"], entry["version"], entry["replaced"], entry["reason"]) for entry in served["history"][-2:]] == [
        ("promote", 3, 1, None),
        ("rollback", 1, 3, "slow"),
    ]
    lines = in_process("list", "served", "--workspace", place.root).out.splitlines()
    assert [line.split()[:3] for line in lines[1:2]] == [["digits", "1", "stable"]]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        (["promote", "dogs"], "There is no served model 'dogs'", "There: digits."),
        (["promote", "digits/9"], "There is no version 9 of digits.", "There are: digits/1, digits/2, digits/3."),
        (["promote", "digits/2", "--force"], "--force is for what was not pushed", "Leave it out."),
        (["promote", "digits/2", "--reason", " "], "--reason is empty.", "--reason TEXT"),
        (["promote", "digits@candidate"], "There is no run of 'digits' on record", "`hubel list runs"),
        (["promote", "digits@candidate", "--force"], "There is no run of 'digits' on record", "`hubel list runs"),
        (["rollback", "digits"], "There is nothing to roll digits back to: version 1 is stable", "There are: 1, 2, 3."),
        (["rollback", "digits/2"], "digits/2 names a version", "`hubel rollback digits"),
        (["rollback", "dogs"], "There is no served model 'dogs'", "There: digits."),
        (["model-config", "--base-path", "models"], "The base path 'models' is not absolute.", "/models"),
        (["model-config", "--models", "/none"], "There is no folder /none.", "--models"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(place, command, message, hint):
    before = {path: path.read_bytes() for path in place.models.rglob("*") if path.is_file() and path.name[0] != "."}
    said = in_process(*command, "--json", "--workspace", place.root)
    assert said.code == 2
    error = said.json["error"]
    assert error["message"].startswith(message)
    assert hint in error["hint"]
    assert {path: path.read_bytes() for path in place.models.rglob("*") if path.is_file() and path.name[0] != "."} == before


@pytest.mark.parametrize("command", [("promote", "digits/2"), ("promote", "digits"), ("rollback", "digits")])
def test_a_version_whose_graph_cannot_be_read_becomes_stable_by_no_verb(place, command):
    in_process("promote", "digits/2", "--workspace", place.root)
    if command[0] == "promote":
        in_process("rollback", "digits", "--workspace", place.root)
    for version in {"rollback": "1"}.get(command[0], "23"):
        (place.models / "digits" / version / "saved_model.pb").write_bytes(b"cut off")
    before = (place.models / "model.config").read_bytes(), (place.models / "promotions.json").read_bytes()
    said = in_process(*command, "--json", "--workspace", place.root)
    assert said.code == 2
    assert said.json["error"]["message"].endswith("is damaged: saved_model.pb cannot be read. Nothing was changed.")
    assert ((place.models / "model.config").read_bytes(), (place.models / "promotions.json").read_bytes()) == before


def test_a_damaged_record_is_a_failure(place):
    (place.models / "promotions.json").write_text("{")
    said = in_process("promote", "digits/2", "--json", "--workspace", place.root)
    assert (said.code, said.json["error"]["exit_code"]) == (1, 1)


def test_model_config_is_printed_for_a_container_or_written(place, tmp_path):
    printed = in_process("model-config", "--base-path", "/models", "--workspace", place.root).out
    [model] = text_format.Parse(printed, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert model.base_path == "/models/digits"
    assert dict(model.version_labels) == {"stable": 1, "canary": 3}
    told = in_process("model-config", "--out", tmp_path / "a.config", "--json", "--workspace", place.root).json
    assert (tmp_path / "a.config").read_text() == told["config"] == (place.models / "model.config").read_text()
    assert told["models"] == {"digits": {"versions": [1, 3], "stable": 1, "canary": 3}}
    shutil.rmtree(place.models / "digits/1")
    gone = in_process("model-config", "--models", place.models)
    assert "Version 1 of digits is on record as stable and is not there any more." in gone.err


def test_a_workspace_without_models_has_an_empty_config(tmp_path):
    said = in_process("model-config", "--workspace", tmp_path)
    assert (said.code, said.out.split()) == (0, ["model_config_list", "{", "}"])
    assert in_process("list", "served", "--json", "--workspace", tmp_path).json == []


def test_a_run_s_result_says_that_it_is_a_canary(capsys):
    value = {
        "metrics": {}, "slices": [], "comparison": "", "blessed": True, "model": "scans", "version": 2, "model_dir": "/m/scans/2",
        "seconds": 1.0, "labels": {"stable": 1, "canary": 2},
    }  # fmt: skip
    console.result(value)
    assert "it is the canary, version 1 is stable; to change that: hubel promote scans/2" in capsys.readouterr().out
    console.result(value | {"labels": {"stable": 2}})
    assert "promote" not in capsys.readouterr().out


def test_the_help_needs_no_tensorflow(without_tensorflow):
    for verb in ("promote", "rollback", "model-config"):
        assert hubel(verb, "--help", **without_tensorflow).code == 0


@pytest.fixture
def unblessed(finished, tmp_path):
    """A copy of a workspace in which another model is live than the last run's, which was not blessed."""
    shutil.copytree(finished, tmp_path / "workspace", symlinks=True)
    place = Workspace.at(tmp_path / "workspace")
    [record] = runs.records(place, TINY)
    runs.dataclasses.replace(record, blessed=False, reason="accuracy 0.5 is below 0.9", version=None, model_dir=None).save(
        place.run(TINY, record.run)
    )
    (place.models / TINY / "1/saved_model.pb").write_bytes(b"another")
    return place, record


def means(dataset):
    """Of each number that is measured of answers."""
    return {"/".join(of.path.step): of.num_stats.mean for of in dataset.features if of.HasField("num_stats")}


def test_a_candidate_is_pushed_and_promoted_by_force_alone_and_the_reason_goes_with_it(unblessed):
    place, record = unblessed
    asked = in_process("promote", f"{TINY}@candidate", "--workspace", place.root)
    assert asked.code == 2
    assert asked.lines[0] == f"What run {record.run} of {TINY} trained was not blessed: accuracy 0.5 is below 0.9."
    assert "--force --reason TEXT" in asked.lines[1]
    bare = in_process("promote", f"{TINY}@candidate", "--force", "--workspace", place.root)
    assert (bare.code, bare.lines[1]) == (2, "Give one: --reason TEXT.")
    assert sorted(path.name for path in (place.models / TINY).iterdir()) == ["1"]
    command = ("promote", f"{TINY}@candidate", "--force", "--reason", "the camera is broken", "--json", "--workspace", place.root)
    value = in_process(*command).json
    assert (value["was"], value["is"], value["blessed"], value["run"]) == (1, 2, False, record.run)
    assert labels(place.models, TINY) == {"stable": 2}
    card = json.loads((place.models / TINY / "2/assets.extra/hubel.json").read_text())
    assert card["forced"]["reason"] == "the camera is broken"
    assert card["forced"]["verdict"] == "accuracy 0.5 is below 0.9"
    files = (place.models / TINY / version / written.OF_TRAINING for version in "12")
    first, second = (statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes()).datasets for file in files)
    assert first[0] == second[0], "of the training split the same as what the run's own push carries"
    assert first[1].num_examples == second[1].num_examples > 0
    assert means(second[1]) == pytest.approx(means(first[1]), rel=1e-5)
    told = in_process("card", TINY, "--json", "--workspace", place.root).json
    assert told["carried"]
    assert told["card"]["verdict"]["forced"] == card["forced"]
    assert told["card"]["caveats"][0]["text"].endswith("the camera is broken")
    assert told["card"]["quantitative_analyses"]["overall"] == {"metrics": record.metrics, "intervals": record.intervals}
    assert "the camera is broken" in (place.models / TINY / "2" / model_card.PAGE).read_text()
    [kept] = runs.records(place, TINY)
    assert (kept.version, kept.forced, kept.blessed) == (2, "the camera is broken", False)
    assert "Pushed since by a person, as version 2: the camera is broken" in place.report(TINY, record.run).read_text()
    assert runs.trained(place, f"{TINY}/2").run == record.run
    with sqlite3.connect(place.metadata) as database:
        query = """
            SELECT p.string_value, o.uri FROM ExecutionProperty p JOIN Execution e ON e.id = p.execution_id
            JOIN Type t ON t.id = e.type_id AND t.name = 'PushByForce' JOIN Event i ON i.execution_id = e.id AND i.type = 3
            JOIN Artifact m ON m.id = i.artifact_id AND m.uri = ? JOIN Event w ON w.execution_id = e.id AND w.type = 4
            JOIN Artifact o ON o.id = w.artifact_id WHERE p.name = 'reason'"""
        lineage = database.execute(query, (record.model_uri,)).fetchall()
    assert lineage == [("the camera is broken", str(place.models / TINY / "2"))]
    again = in_process(*command).json
    assert (again["is"], again["remarks"]) == (2, [f"run {record.run} pushed it as version 2 by force before"])
    assert Path(value["config"]).is_file()


def test_a_forced_push_of_a_first_version_says_that_none_was_stable(unblessed):
    place, _ = unblessed
    shutil.rmtree(place.models)
    said = in_process("promote", f"{TINY}@candidate", "--force", "--reason", "the first", "--workspace", place.root)
    assert said.lines[0] == f"{TINY}: version 1 is stable; none was."


def test_a_forced_push_without_what_the_model_was_trained_on_says_so(unblessed, tmp_path):
    place, _ = unblessed
    with sqlite3.connect(place.metadata) as database:
        [(folder,)] = database.execute(
            "SELECT a.uri FROM Artifact a JOIN Type t ON t.id = a.type_id WHERE t.name = 'ExampleStatistics'"
        ).fetchall()
        database.execute("UPDATE Artifact SET uri = ? WHERE uri = ?", (str(tmp_path / "gone"), folder))
    command = ("promote", f"{TINY}@candidate", "--force", "--reason", "all the same", "--workspace", place.root)
    value = in_process(*command, "--json").json
    assert value["is"] == 2
    assert any("`hubel drift` cannot judge it: " in remark for remark in value["remarks"])
    assert not (place.models / TINY / "2" / written.OF_TRAINING).exists()


def test_a_candidate_that_was_pushed_needs_no_force(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "workspace", symlinks=True)
    place = Workspace.at(tmp_path / "workspace")
    [record] = runs.records(place, TINY)
    moved = runs.dataclasses.replace(record, model_dir=str(place.models / TINY / "1"))
    moved.save(place.run(TINY, record.run))
    told = in_process("card", f"{TINY}/1", "--json", "--workspace", place.root).json
    assert told["carried"]
    analyses = told["card"]["quantitative_analyses"]
    assert analyses["overall"] == {"metrics": record.metrics, "intervals": record.intervals}
    assert analyses["slices"] == record.slices
    assert told["card"]["model_details"]["lineage"]["run"] == record.run
    assert told["card"]["training_data"]["citation"].startswith("@misc{alpaydin1998optical")
    value = in_process("promote", f"{TINY}@candidate", "--json", "--workspace", place.root).json
    assert (value["is"], value["remarks"]) == (1, [f"run {record.run} pushed it as version 1: nothing was forced"])


def test_what_is_stable_at_a_url_is_moved_there(tmp_path):
    models = tmp_path / "away"
    models.mkdir()
    for number in (1, 2):
        promotions.pushed(models / "digits", number)
        (models / "digits" / str(number)).mkdir(parents=True)
        (models / "digits" / str(number) / "saved_model.pb").write_bytes(b"graph")
    url = f"file://{models}/digits"
    told = in_process("promote", url, "--json", "--reason", "better", "--workspace", tmp_path / "workspace").json
    assert (told["model"], told["was"], told["is"], told["canary"], told["reason"]) == ("digits", 1, 2, None, "better")
    assert f'base_path: "{url}"' in (models / "model.config").read_text()
    assert in_process("rollback", url, "--workspace", tmp_path).lines[0] == "digits: version 1 is stable; version 2 was."
    assert promotions.state(models / "digits").stable == 1
    assert in_process("promote", f"{url}/2", "--json", "--workspace", tmp_path).json["is"] == 2
    refused = in_process("rollback", f"{url}/2", "--workspace", tmp_path)
    assert refused.code == 2
    assert "names a version" in refused.err

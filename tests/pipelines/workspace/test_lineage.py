"""Lineage of a version: each thing from where it is on record, and what is not on record named."""

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from configs.errors import UsageError
from pipelines.workspace import lineage, runs, unchanged
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from reports import model_card
from serving import promotions
from tests.pipelines.conftest import in_process
from tests.serving.test_promotions import appear

FIRST, SECOND, THIRD = "20260101-120000", "20260101-130000", "20260101-140000"
MADE = (  # id, stage, output, execution
    (7, "components.example_gen.component.ExampleGen", "examples", 1),
    (9, "Trainer", "model", 2),
)
TABLES = """
    CREATE TABLE Type (id INTEGER, name TEXT);
    CREATE TABLE Context (id INTEGER, type_id INTEGER, name TEXT);
    CREATE TABLE Execution (id INTEGER, create_time_since_epoch INTEGER, last_update_time_since_epoch INTEGER);
    CREATE TABLE Association (context_id INTEGER, execution_id INTEGER);
    CREATE TABLE Artifact (id INTEGER, uri TEXT);
    CREATE TABLE Event (id INTEGER, artifact_id INTEGER, execution_id INTEGER, type INTEGER);
    CREATE TABLE EventPath (event_id INTEGER, is_index_step INTEGER, step_key TEXT);
    CREATE TABLE ArtifactProperty (artifact_id INTEGER, name TEXT, is_custom_property INTEGER, string_value TEXT, int_value INTEGER,
        double_value REAL, bool_value INTEGER);
    CREATE TABLE ExecutionProperty (execution_id INTEGER, name TEXT, is_custom_property INTEGER, string_value TEXT);
    INSERT INTO Type VALUES (1, 'pipeline_run'), (2, 'node');
"""


@pytest.fixture
def place(tmp_path):
    """A parent `base/1`, two versions of `digits` started from it, and a run of `digits` that pushed nothing. Version 2 carries a
    card; of version 1 ML Metadata knows, which is laid out as ML Metadata's own tables are."""
    made = Workspace.at(tmp_path)
    for name, run, version in (
        ("base", FIRST, 1),
        ("digits", SECOND, 1),
        ("digits", THIRD, 2),
        ("digits", "20260101-150000", None),
    ):
        appear(made.models, version, name) if version else None
        folder = str(made.models / name / str(version)) if version else None
        record = RunRecord(run, name, f"2026-01-01T{run[9:11]}:00:00", "done" if version else "not blessed", 1.0, bool(version))
        RunRecord(**{**vars(record), "version": version, "model_dir": folder, "git_revision": "abc"}).save(made.run(name, run))
        config = {"name": name, "data": {"source": "tfds:digits"}, "model": {"initial": "base" if name == "digits" else None}}
        (made.run(name, run) / "config.yaml").write_text(json.dumps({**config, "extends": "digits_lenet5"}))
    value = {"run": SECOND, "starts_from": ["base/1"]}
    unchanged.Answer(SECOND, {"code": "c0de"}, value).save(made.run("digits", SECOND))
    card = made.models / "digits/2" / model_card.FILE
    card.parent.mkdir(parents=True)
    told = {"lineage": {"run": THIRD, "source_sha256": "c4rd"}, "starts_from": ["base/1"]}
    data = {"source": "tfds:digits", "digest": "d1g", "examples": {"train": 5, "test": 2}}
    card.write_text(json.dumps({"model_details": told, "training_data": data}))
    database(made, f"digits@{SECOND}")
    return made


def database(place, run):
    with sqlite3.connect(place.metadata) as opened:
        opened.executescript(TABLES)
        opened.execute("INSERT INTO Context VALUES (1, 1, ?)", (run,))
        for number, stage, key, execution in MADE:
            opened.execute("INSERT INTO Context VALUES (?, 2, ?)", (10 + execution, stage))
            opened.execute("INSERT INTO Execution VALUES (?, 1000, 2000)", (execution,))
            opened.execute("INSERT INTO Association VALUES (1, ?), (?, ?)", (execution, 10 + execution, execution))
            opened.execute("INSERT INTO Artifact VALUES (?, ?)", (number, str(place.root / key)))
            opened.execute("INSERT INTO Event VALUES (?, ?, ?, 4)", (execution, number, execution))
            opened.execute("INSERT INTO EventPath VALUES (?, 0, ?)", (execution, key))
        opened.execute(
            "INSERT INTO ArtifactProperty VALUES (7, 'counts', 1, ?, NULL, NULL, NULL)", (json.dumps({"train": 3, "test": 1}),)
        )
        opened.execute("INSERT INTO ExecutionProperty VALUES (1, 'content_digest', 1, 'feed')")
    (place.root / "examples").mkdir()
    opened.close()


def test_what_a_card_says_of_a_version(place):
    value = lineage.of(place, "digits/2")
    assert (value["run"], value["outcome"], value["label"]) == (THIRD, "done", "canary")
    assert value["data"] == {"source": "tfds:digits", "digest": "d1g", "splits": {"train": 5, "test": 2}}
    assert value["code"] == {"digest": "c4rd", "git_revision": "abc"}
    assert value["parents"] == [{"key": "model.initial", "asked": "base", "name": "base/1", "run": FIRST}]
    assert [lack["what"] for lack in value["missing"]] == ["artifacts"]


def test_what_ml_metadata_and_the_record_of_the_run_say_where_there_is_no_card(place):
    value = lineage.of(place, "digits/1")
    assert value["data"] == {"source": "tfds:digits", "digest": "feed", "splits": {"train": 3, "test": 1}}
    assert value["code"] == {"digest": "c0de", "git_revision": "abc"}
    assert value["parents"][0]["name"] == "base/1"
    assert [(each["id"], each["stage"], each["output"], each["is_there"]) for each in value["artifacts"]] == [
        (7, "ExampleGen", "examples", True),
        (9, "Trainer", "model", False),
    ]
    assert [lack["what"] for lack in value["missing"]] == ["folders"]


def test_a_run_puts_the_revision_of_the_code_on_record(tmp_path):
    root = Path(lineage.__file__).parents[2]
    if not (root / ".git").exists():
        pytest.skip("no checkout")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    made = Workspace.at(tmp_path)
    with runs.recorded(made, "digits", FIRST, "name: digits") as done:
        done({"blessed": True})
    assert runs.records(made)[0].git_revision.startswith(head)


def test_who_replaced_it_and_when(place):
    promotions.promote(place.models / "digits", 2, "better on nines")
    value = lineage.of(place, "digits/1")
    assert (value["label"], value["replaced_by"]["version"], value["replaced_by"]["reason"]) == (None, 2, "better on nines")
    assert value["replaced_by"]["when"]
    assert value["replaced_by"] == lineage.of(place, "digits")["took_over"], "digits is its stable version"
    promotions.rollback(place.models / "digits")
    assert lineage.of(place, "digits/1")["replaced_by"] is None, "it is stable again"
    assert lineage.of(place, "digits/2")["replaced_by"]["by"] == "rollback"


def test_a_run_that_pushed_nothing_has_a_lineage_too(place):
    value = lineage.of(place, "20260101-150000")
    assert (value["version"], value["changes"], value["replaced_by"]) == (None, [], None)
    assert {lack["what"] for lack in value["missing"]} == {"artifacts", "data", "code"}


def test_a_version_without_a_run_says_so(place):
    appear(place.models, 1, "copied")
    value = lineage.of(place, "copied/1")
    assert value["run"] is None
    assert value["missing"][0]["what"] == "run"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("digits/9", "There are: digits/1, digits/2."),
        ("dogs", "There: base, digits."),
        ("digits/x", "There are: digits/1, digits/2."),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(place, asked, hint):
    with pytest.raises(UsageError) as error:
        lineage.of(place, asked)
    assert error.value.hint == hint
    assert in_process("lineage", asked, "--workspace", place.root).code == 2


def test_it_is_told_to_people_and_to_programs(place):
    promotions.promote(place.models / "digits", 2)
    said = in_process("lineage", "digits/1", "--workspace", place.root)
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert {"model digits/1", "data digest feed", "splits train 3, test 1", f"model.initial base/1, of run {FIRST}"} <= {*lines}
    assert any(line.startswith("replaced by version 2, by promote, 20") for line in lines)
    assert lines[-1] == "Not on record: folders: those of the artifacts 9 are not there any more."
    assert in_process("lineage", "digits/1", "--json", "--workspace", place.root).json == lineage.of(place, "digits/1")

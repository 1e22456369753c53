"""`hubel card`: the card that a version carries, or one of what is on record, without TensorFlow."""

import dataclasses
import json
import uuid

import pytest

from components import keys
from configs import load
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace
from pipelines.workspace.runs import RunRecord
from pipelines.workspace.unchanged import Answer
from reports import model_card
from tests.pipelines.conftest import in_process
from tests.reports.cards import RUN, TECHNICAL, known

NAME, ID = "signs", RUN["run"]
OF_RECORD = ("run", "config", "metrics", "intervals", "slices", "reason")


@pytest.fixture
def place(tmp_path):
    """A workspace with a run whose model was not blessed."""
    made = Workspace.at(tmp_path / "workspace")
    artifact = made.pipeline(NAME) / "Trainer/model/7"
    appear(made.exported(artifact))
    of_run = {name: RUN[name] for name in OF_RECORD} | {"reason": "accuracy 0.7 is below 0.9"}
    record = RunRecord(**of_run, started="2026-01-01T12:00:00", status="not blessed", blessed=False, model_uri=str(artifact))
    record.save(made.run(NAME, ID))
    config = load.load("digits_lenet5", [f"name={NAME}", "card.contact=signs@example.org"])
    (made.run(NAME, ID) / "config.yaml").write_text(load.dump(config))
    return made


def appear(folder):
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / keys.CARD_IN_EXPORT).write_text(json.dumps(TECHNICAL))


def ask(place, *arguments):
    return in_process("card", *arguments, "--workspace", place.root)


def test_of_a_candidate_it_is_made_of_what_is_on_record(place):
    told = ask(place, f"{NAME}@candidate", "--json").json
    assert not told["carried"]
    card = told["card"]
    assert card["quantitative_analyses"]["slices"] == RUN["slices"]
    assert card["quantitative_analyses"]["overall"] == {"metrics": RUN["metrics"], "intervals": RUN["intervals"]}
    assert card["model_details"]["contact"] == "signs@example.org"
    assert (card["model_details"]["version"], card["model_details"]["lineage"]["run"]) == (None, ID)
    assert card["verdict"]["blessed"] is False
    assert len(card["model_details"]["lineage"]["model_sha256"]) == 64
    assert {"images", "classes", "leakage"} <= set(card["not_on_record"])
    Answer(ID, {}, RUN).save(place.run(NAME, ID))
    card = ask(place, f"{NAME}@{ID}", "--json").json["card"]
    assert card["training_data"]["by_class"] == RUN["classes"]
    assert card["not_on_record"] == ["software"]
    assert card["verdict"]["blessed"] is False, "the run's record is the newer word"


def test_in_a_terminal_it_says_figures_and_limits(place):
    said = ask(place, f"{NAME}@candidate")
    assert said.code == 0
    rows = [line.split() for line in said.lines]
    assert ["all", "120", "accuracy", "0.7083", "0.6216", "to", "0.7822"] in rows
    assert ["stop", "8", "accuracy", "0.1818", "0.0514", "to", "0.4770"] in rows
    assert "- It was not blessed: accuracy 0.7 is below 0.9." in said.lines
    assert said.lines[-1] == f"{NAME}@candidate carries no card: this one is made of what is on record."


def test_both_files_are_written_and_none_is_overwritten(place, tmp_path):
    told = ask(place, f"{NAME}@candidate", "--out", tmp_path / "out", "--json").json
    assert json.loads((tmp_path / "out/model_card.json").read_text()) == told["card"]
    assert "<h2>Intended use</h2>" in (tmp_path / "out/model_card.html").read_text()
    assert told["written"] == [str(tmp_path / "out" / name) for name in ("model_card.json", "model_card.html")]
    again = ask(place, f"{NAME}@candidate", "--out", tmp_path / "out")
    assert (again.code, again.lines) == (
        2, [f"{tmp_path}/out/model_card.json is there already.", "Give another folder, or --force to overwrite."],
    )  # fmt: skip
    assert ask(place, f"{NAME}@candidate", "--out", tmp_path / "out", "--force").code == 0
    assert ask(place, f"{NAME}@candidate", "--out", tmp_path / "out/model_card.json").code == 2


def test_a_version_s_own_card_is_shown(place, tmp_path):
    appear(place.models / NAME / "4")
    written = model_card.of(known())
    (place.models / NAME / "4" / model_card.FILE).write_text(json.dumps(written))
    for name in (NAME, f"{NAME}/4", str(place.models / NAME / "4")):
        told = ask(place, name, "--json").json
        assert told["carried"]
        assert told["card"] == json.loads(json.dumps(written))
    assert (
        "<h1>signs, version 4</h1>"
        in (ask(place, NAME, "--out", tmp_path / "out"), tmp_path / "out/model_card.html")[1].read_text()
    )


def test_the_parts_of_a_card_are_named():
    assert list(model_card.of(known())) == ["schema", *model_card.PARTS]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_technical_card_that_cannot_be_read_is_said(place, text):
    appear(place.models / NAME / "4")
    (place.models / NAME / "4" / keys.CARD_IN_EXPORT).write_text(text)
    refused = ask(place, f"{NAME}/4", "--json")
    assert refused.code == 1
    assert "(assets.extra/hubel.json) cannot be read: " in refused.json["error"]["message"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "cannot be read"), ('{"schema": 2}', "is of schema 2"), ("[]", "cannot be read"), ('{"schema": 1}', "cannot be read")],
)
def test_a_card_that_cannot_be_read_is_a_failure(place, text, says):
    appear(place.models / NAME / "4")
    (place.models / NAME / "4" / model_card.FILE).write_text(text)
    said = ask(place, NAME)
    assert says in said.lines[0]
    assert said.code == 1


def test_of_what_nobody_knows_there_is_none(place):
    appear(place.models / "foreign" / "1")
    (place.models / "foreign" / "1" / keys.CARD_IN_EXPORT).unlink()
    said = ask(place, "foreign")
    assert said.code == 2
    assert said.lines[0].startswith("Nothing is known of foreign")
    assert ask(place, "nothing").code == 2


def test_a_version_that_was_copied_says_whose_card_it_carries(place):
    for version in ("1", "2"):
        appear(place.models / NAME / version)
        (place.models / NAME / version / model_card.FILE).write_text(
            json.dumps(model_card.of(dataclasses.replace(known(), version=1)))
        )
    assert f"{NAME}/2 carries the card of version 1." in ask(place, f"{NAME}/2").lines
    assert "carries the card" not in ask(place, f"{NAME}/1").out


def test_a_model_at_a_url_has_the_card_that_it_carries_or_one_of_what_is_on_record(place, tmp_path):
    import tensorflow as tf

    url = f"ram://{uuid.uuid4().hex}/models/{NAME}"
    base = tmp_path / "pushed" / NAME
    appear(base / "1")
    (base / "1" / "variables").mkdir()
    (base / "1" / "variables/variables.data-00000-of-00001").write_bytes(b"weights")
    carried = model_card.of(known())
    for version in ("1", "2"):
        for path in (path for path in (base / "1").rglob("*") if path.is_file()):
            there = f"{url}/{version}/{path.relative_to(base / '1').as_posix()}"
            tf.io.gfile.makedirs(there.rpartition("/")[0])
            tf.io.gfile.copy(str(path), there)
    with tf.io.gfile.GFile(f"{url}/1/{model_card.FILE}", "w") as file:
        file.write(json.dumps(carried))
    told = ask(place, f"{url}/1", "--json").json
    assert (told["carried"], told["card"]) == (True, carried)
    [record] = runs.records(place, NAME)
    dataclasses.replace(record, version=2, model_dir=f"{url}/2").save(place.run(NAME, ID))
    here = ask(place, str(base / "1"), "--json").json["card"]["model_details"]["lineage"]["model_sha256"]
    for asked in (url, f"{url}/2/"):
        told = ask(place, asked, "--json").json
        assert not told["carried"]
        lineage = told["card"]["model_details"]["lineage"]
        assert (lineage["run"], lineage["model_sha256"]) == (ID, here), "of all that lies there, not of names and sizes"
        assert told["card"]["model_details"]["version"] == 2
    assert ask(place, f"file://{base}/1", "--json").json["card"]["model_details"]["lineage"]["model_sha256"] == here
    refused = ask(place, "nosuch://bucket/models/signs", "--json")
    assert refused.code == 1
    assert refused.json["error"]["message"].startswith("TensorFlow cannot read nosuch://bucket/models/signs: ")

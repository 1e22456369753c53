"""A Schema of a person's own: read, written as it is, and held against the data's classes."""

import json

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from components import keys, progress, targets
from components.schema_gen import component, pinned
from configs.errors import HubelError, UsageError
from tests.components.digits import NAMES


def written(tmp_path, text: str, names: list[str]) -> schema_pb2.Schema:
    """What the executor writes where `text` is pinned and the data has classes `names`."""
    examples, schema = standard_artifacts.Examples(), standard_artifacts.Schema()
    examples.set_string_custom_property(keys.CLASS_NAMES, json.dumps(names))
    examples.set_string_custom_property(keys.CHANGES, json.dumps({"turned": 3}))
    schema.uri = str(tmp_path / "schema")
    component.Executor().Do({"examples": [examples]}, {"schema": [schema]}, {component.PINNED: text})
    return text_format.Parse((tmp_path / "schema" / "schema.pbtxt").read_text(), schema_pb2.Schema())


def test_nothing_pinned_is_nothing():
    assert pinned.read(None) == ""


def test_a_pinned_schema_is_written_as_it_is(artifacts, tmp_path):
    text = pinned.read(str(artifacts.schema))
    assert "changed:turned=3" in text
    assert written(tmp_path, text, NAMES) == text_format.Parse(artifacts.schema.read_text(), schema_pb2.Schema())


def test_a_schema_that_calls_the_id_by_its_former_name_is_read_as_of_now(artifacts, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(progress, "_listeners", [said.append])
    now = artifacts.schema.read_text()
    (tmp_path / "before.pbtxt").write_text(now.replace(keys.EXAMPLE_ID, "image/id"))
    text = pinned.read(str(tmp_path / "before.pbtxt"))
    assert text_format.Parse(text, schema_pb2.Schema()) == text_format.Parse(now, schema_pb2.Schema())
    assert ["image/id" in event["text"] for event in said] == [True]
    assert pinned.read(str(artifacts.schema)) == now
    assert len(said) == 1


def test_what_is_measured_of_masks_by_now_is_no_new_column_of_a_schema_that_was_pinned_before():
    kind, schema = targets.of(keys.MASK), schema_pb2.Schema()
    kind.complete(schema, ["sky", "sea"])
    [sea, sky] = sorted(schema.feature, key=lambda feature: feature.name)
    assert (sea.name, sky.name) == ("mask/share/sea", "mask/share/sky")
    assert (sea.type, sea.presence.min_fraction) == (schema_pb2.FLOAT, 0.0)
    sea.presence.min_fraction = 0.5  # what a person has pinned stays
    kind.complete(schema, ["sky", "sea"])
    assert [feature.presence.min_fraction for feature in schema.feature if feature.name == sea.name] == [0.5]


def test_what_was_done_to_other_images_does_not_stay_in_a_pinned_schema(artifacts, tmp_path):
    text = artifacts.schema.read_text().replace("turned=3", "turned=88")
    assert list(written(tmp_path, text, NAMES).annotation.tag) == ["changed:turned=3"]


@pytest.mark.parametrize(
    ("names", "words"), [([*NAMES, "ten"], "new: ten"), (NAMES[:-1], "gone: nine"), (NAMES[::-1], "another order")]
)
def test_other_classes_than_the_pinned_ones_are_refused(artifacts, tmp_path, names, words):
    with pytest.raises(HubelError, match=words) as caught:
        written(tmp_path, artifacts.schema.read_text(), names)
    assert "data.pinned_schema" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"\xff", "cannot be read"), (b"feature {", "is no Schema"), (b"", "describes no feature")],
    ids=lambda value: str(value),
)
def test_a_file_that_is_no_schema_is_refused(tmp_path, content, words):
    path = tmp_path / "schema.pbtxt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        pinned.read(str(path))


def test_a_huge_file_is_not_read(tmp_path):
    (tmp_path / "schema.pbtxt").write_bytes(b"#" * (pinned.MAX_BYTES + 1))
    with pytest.raises(UsageError, match=str(pinned.MAX_BYTES)):
        pinned.read(str(tmp_path / "schema.pbtxt"))

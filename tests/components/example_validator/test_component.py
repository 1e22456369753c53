"""Anomalies in words, and the run that they stop; statistics and schema are TFDV's own of the digits."""

import json

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.types import standard_artifacts

from components import keys
from components.example_gen import records
from components.example_validator import component
from configs.errors import HubelError


def anomalies(tmp_path, **described) -> str:
    proto = anomalies_pb2.Anomalies()
    for name, description in described.items():
        proto.anomaly_info[name].description = description
    (tmp_path / "SchemaDiff.pb").write_bytes(proto.SerializeToString())
    return str(tmp_path)


def test_each_anomaly_is_a_part_of_a_sentence(tmp_path):
    folder = anomalies(tmp_path, label="Unexpectedly large value: 10.", id="x" * 1000 + " y")
    first, second = component.describe(folder, "test")
    assert second == "label in test: Unexpectedly large value: 10"
    assert first.startswith("id in test: ")
    assert len(first) < 250
    assert component.describe(anomalies(tmp_path), "test") == []


@pytest.fixture(scope="module")
def validated(artifacts, tmp_path_factory):
    """Statistics of the digits, and what the executor makes of them under a schema that allows labels up to `highest`."""
    folder = tmp_path_factory.mktemp("validated")
    statistics = tfdv.generate_statistics_from_tfrecord(str(artifacts.examples / f"Split-{keys.TEST}" / "*"))
    for split in keys.SPLITS:
        place = folder / "statistics" / f"Split-{split}"
        place.mkdir(parents=True)
        (place / "FeatureStats.pb").write_bytes(statistics.SerializeToString())

    def do(highest: int, allow: bool, name: str):
        schema = text_format.Parse(artifacts.schema.read_text(), schema_pb2.Schema())
        [label] = [feature for feature in schema.feature if feature.name == keys.LABEL]
        label.int_domain.max = highest
        (folder / name).mkdir()
        (folder / name / "schema.pbtxt").write_text(text_format.MessageToString(schema))
        made = {
            "statistics": standard_artifacts.ExampleStatistics(),
            "schema": standard_artifacts.Schema(),
            "anomalies": standard_artifacts.ExampleAnomalies(),
        }
        made["statistics"].uri, made["schema"].uri = str(folder / "statistics"), str(folder / name)
        made["anomalies"].uri = str(folder / f"{name}-anomalies")
        made["statistics"].split_names = '["train", "validation", "test"]'
        properties = {"exclude_splits": "[]", "allow_anomalies": "true" if allow else "false", "source_digest": ""}
        inputs = {key: [made[key]] for key in ("statistics", "schema")}
        result = component.Executor().Do(inputs, {"anomalies": [made["anomalies"]]}, properties)
        [artifact] = result.output_artifacts["anomalies"].artifacts
        assert json.loads(artifact.custom_properties[keys.DRIFT].string_value) == {}
        assert json.loads(artifact.custom_properties[keys.SKEW].string_value) == dict.fromkeys(
            (keys.LABEL, keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH), 0.0
        )
        return folder / f"{name}-anomalies"

    return do


@pytest.mark.parametrize(("anomaly", "has_skew"), [(True, False), (False, True), (None, True)])
def test_images_that_inliers_leave_to_the_test_split_are_no_skew(tmp_path, anomaly, has_skew):
    for split, labels in ((keys.TRAIN, [0, 1] * 5), (keys.TEST, [0, 1] * 5 + [7] * 10)):
        place = tmp_path / f"Split-{split}"
        place.mkdir()
        with tf.io.TFRecordWriter(str(tmp_path / f"{split}.tfrecord")) as writer:
            for label in labels:
                is_outlier = None if anomaly is None else anomaly and label == 7
                writer.write(records.example(b"", b"id", label, {keys.ANOMALY: is_outlier}))
        measured = tfdv.generate_statistics_from_tfrecord(str(tmp_path / f"{split}.tfrecord"))
        (place / "FeatureStats.pb").write_bytes(measured.SerializeToString())
    made = {"statistics": standard_artifacts.ExampleStatistics(), "schema": standard_artifacts.Schema()}
    for artifact in made.values():
        artifact.uri = str(tmp_path)
    made["statistics"].split_names = '["train", "test"]'
    (tmp_path / "schema").mkdir()
    made["schema"].uri = str(tmp_path / "schema")
    (tmp_path / "schema/schema.pbtxt").write_text('feature { name: "label" type: INT }')
    anomalies = metadata_store_pb2.Artifact()
    component.Executor()._measure({key: [given] for key, given in made.items()}, anomalies)
    skew = json.loads(anomalies.custom_properties[keys.SKEW].string_value)
    assert (skew.get(keys.LABEL, 0) > 0.1) == has_skew == bool(skew)


def test_sound_data_passes(validated):
    assert sorted(path.name for path in validated(9, False, "sound").iterdir()) == [f"Split-{s}" for s in sorted(keys.SPLITS)]


def test_anomalies_stop_the_run_in_words(validated):
    with pytest.raises(HubelError) as caught:
        validated(8, False, "unsound")
    assert "3 anomalies" in caught.value.message
    assert "label in train" in caught.value.message
    assert "data.allow_anomalies=true" in caught.value.hint


def test_anomalies_that_are_allowed_are_recorded_and_nothing_more(validated):
    assert "label in train" in component.describe(str(validated(8, True, "allowed") / "Split-train"), "train")[0]

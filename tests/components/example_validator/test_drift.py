"""Distances between two sets of digits, and which statistics a run's are compared with."""

import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from components import keys
from components.example_gen import pictures, records
from components.example_validator import drift
from components.example_validator.resolver import CURRENT, EARLIER, LatestOtherStatistics
from components.inputs import storage_of
from tests.components.digits import images


def statistics(folder, name: str, indices, darker: int = 1):
    """TFDV's statistics of digits, their pixels divided by `darker`."""
    pixels, labels = images()
    path = folder / name
    with tf.io.TFRecordWriter(str(path)) as writer:
        for index in indices:
            picture = pictures.read(tf.io.encode_png(pixels[index] // darker).numpy())
            writer.write(records.example(picture.encoded, b"id", int(labels[index]), measures=picture.measures))
    return tfdv.generate_statistics_from_tfrecord(str(path))


def test_what_changed_is_measured_and_what_did_not_is_zero(artifacts, tmp_path):
    before, after = statistics(tmp_path, "before", range(300)), statistics(tmp_path, "after", range(300), darker=4)
    schema = tfdv.infer_schema(before)
    unchanged = text_format.MessageToString(schema)
    moved, skewed = drift.measured(after, schema, earlier=before, served=after)
    assert set(moved) == set(skewed) == {keys.LABEL, *storage_of("image").numbers}
    assert moved[keys.IMAGE_BRIGHTNESS] > 0.5
    assert {moved[name] for name in (keys.LABEL, keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH, keys.IMAGE_CHANNELS)} == {0.0}
    assert set(skewed.values()) == {0.0}
    assert text_format.MessageToString(schema) == unchanged


def test_a_split_has_outliers_where_one_image_is_none_of_the_inliers(tmp_path):
    def of(anomalies, name):
        path = tmp_path / name
        with tf.io.TFRecordWriter(str(path)) as writer:
            for anomaly in anomalies:
                writer.write(records.example(b"", b"id", 1, {keys.ANOMALY: anomaly}))
        return tfdv.generate_statistics_from_tfrecord(str(path))

    assert drift.has_outliers(of([False, True, False], "some"))
    assert not drift.has_outliers(of([False, False], "inliers"))
    assert not drift.has_outliers(of([None, None], "unasked"))


def test_other_classes_are_drift_of_the_label(tmp_path):
    labels = images()[1]
    low, high = ([i for i in range(600) if (labels[i] < 5) == is_low] for is_low in (True, False))
    moved, skewed = drift.measured(statistics(tmp_path, "a", low), schema_of_labels(), earlier=statistics(tmp_path, "b", high))
    assert moved[keys.LABEL] > 0.9
    assert skewed == {}
    assert drift.measured(statistics(tmp_path, "c", low), schema_of_labels()) == ({}, {})


def schema_of_labels() -> schema_pb2.Schema:
    schema = schema_pb2.Schema()
    schema.feature.add(name=keys.LABEL, type=schema_pb2.INT)
    return schema


def artifact(number: int, folder):
    made = standard_artifacts.ExampleStatistics()
    made.id, made.uri = number, str(folder)
    return made


def test_the_newest_statistics_of_other_data_are_taken(tmp_path):
    first, second, gone = artifact(1, tmp_path), artifact(2, tmp_path), artifact(4, tmp_path / "gone")
    current = artifact(3, tmp_path)

    def resolved(*known):
        inputs = LatestOtherStatistics().resolve_artifacts(None, {CURRENT: [current], EARLIER: list(known)})
        assert inputs[CURRENT] == [current]
        return inputs[EARLIER]

    assert resolved(second, first, current, gone) == [second]
    assert resolved(current) == resolved() == resolved(gone) == []

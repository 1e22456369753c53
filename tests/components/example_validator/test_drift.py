"""Distances between two sets of digits, and which statistics a run's are compared with."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from scipy.spatial.distance import jensenshannon
from tensorflow_data_validation import StatsOptions
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import Channel, standard_artifacts

from components import keys
from components.example_gen import pictures, records
from components.example_validator import drift
from components.example_validator.resolver import CURRENT, EARLIER, LatestOtherStatistics
from components.inputs import storage_of
from components.statistics_gen.component import StatisticsGen
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


def lengths(folder, name: str, words):
    """Statistics as StatisticsGen makes them, of texts of so many words."""
    path, options = folder / name, StatisticsGen(Channel(type=standard_artifacts.Examples), "text").exec_properties
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in words:
            measures = {keys.TEXT_WORDS: int(number), keys.TEXT_CHARACTERS: int(5 * number)}
            writer.write(records.example(b"rain", b"id", 0, measures=measures, reads="text"))
    return tfdv.generate_statistics_from_tfrecord(str(path), stats_options=StatsOptions.from_json(options["stats_options_json"]))


def apart(ours, theirs) -> dict[str, float]:
    drifted, skewed = drift.measured(ours, tfdv.infer_schema(ours), earlier=theirs, served=theirs)
    assert drifted == skewed
    assert set(skewed) == {keys.LABEL, *storage_of("text").numbers}
    assert skewed[keys.LABEL] == 0
    return {name: skewed[name] for name in storage_of("text").numbers}


def by_tfdv(ours, theirs) -> float:
    schema = tfdv.infer_schema(ours)
    tfdv.get_feature(schema, keys.TEXT_WORDS).skew_comparator.jensen_shannon_divergence.threshold = 1.0
    [told] = tfdv.validate_statistics(ours, schema, serving_statistics=theirs).drift_skew_info
    return told.skew_measurements[0].value


def test_a_few_very_long_texts_neither_hide_a_skew_of_lengths_nor_are_one(tmp_path):
    random = np.random.default_rng(0)
    train, alike, shifted = random.poisson(20, 3000), random.poisson(20, 1000), random.poisson(26, 1000)
    ours, same, longer = (lengths(tmp_path, str(number), of) for number, of in enumerate((train, alike, shifted)))
    outlying = lengths(tmp_path, "outlying", [*train, 100_000, 150_000, 200_000])
    long_too = lengths(tmp_path, "both", [*shifted, 200_000])
    assert by_tfdv(outlying, same) > 0.3, "three of 3,003 texts"
    assert by_tfdv(outlying, long_too) < 0.01, "all lie in one of its cells"
    for number in (ours, outlying):
        assert max(apart(number, same).values()) < 0.02
        assert min(apart(number, longer).values()) > 0.1
        assert min(apart(number, long_too).values()) > 0.1
    assert set(apart(ours, ours).values()) == {0.0}


def test_of_counts_the_divergence_is_that_of_their_shares(tmp_path):
    def of(name, *counts):
        return lengths(tmp_path, name, np.repeat(np.arange(1, len(counts) + 1), counts))

    def expected(ours, theirs):
        return jensenshannon(ours, theirs, base=2) ** 2

    half, other = of("half", 500, 500), of("other", 200, 800)
    assert apart(half, other)[keys.TEXT_WORDS] == pytest.approx(expected([500, 500], [200, 800]), abs=2e-3)
    assert apart(of("short", 1000), of("long", 0, 1000))[keys.TEXT_WORDS] == 1
    three = apart(of("three", 300, 400, 300), of("others", 100, 400, 500))[keys.TEXT_WORDS]
    assert three == pytest.approx(expected([3, 4, 3], [1, 4, 5]), abs=2e-3)


def test_a_twentieth_of_very_long_texts_is_a_skew(tmp_path):
    random = np.random.default_rng(1)
    ours = lengths(tmp_path, "ours", random.poisson(20, 2000))
    theirs = lengths(tmp_path, "theirs", [*random.poisson(20, 950), *[5000] * 50])
    assert 0.01 < apart(ours, theirs)[keys.TEXT_WORDS] < 0.1


def test_statistics_of_before_are_compared_by_the_quantiles_that_they_have(tmp_path):
    random = np.random.default_rng(2)
    ours = lengths(tmp_path, "now", random.poisson(20, 2000))
    before = [tfdv.generate_statistics_from_tfrecord(str(tmp_path / "now"))]
    lengths(tmp_path, "then", random.poisson(40, 2000))
    before += [tfdv.generate_statistics_from_tfrecord(str(tmp_path / "then"))]
    for of in before:
        [words] = [feature for feature in of.datasets[0].features if feature.path.step[0] == keys.TEXT_WORDS]
        assert [len(histogram.buckets) for histogram in words.num_stats.histograms] == [10, 10]
    assert apart(ours, before[0])[keys.TEXT_WORDS] < 0.05
    assert apart(ours, before[1])[keys.TEXT_WORDS] > 0.5


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

"""Images without a label, where others have one: left out of what learns from labels and kept by what does not, always counted."""

import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from components import keys, targets
from components.example_gen import component, sources, splits, summary
from components.example_gen.sources import Raw
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig
from tests.components.example_gen.test_component import ids

LABELS = ["cat", "dog", "nan", "None", ""]


@pytest.fixture
def table(tmp_path):
    """60 images: 24 of two classes, the others without a label in three ways."""
    lines = ["file,label"]
    for number in range(60):
        Image.new("L", (4, 4), 4 * number).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{LABELS[number % 5]}")
    (tmp_path / "table.csv").write_text("\n".join(lines))
    return tmp_path


def made(folder: Path, learns_labels: bool, **data):
    """(label or None by id, artifact, what standard error said) of ExampleGen on the table."""
    import tensorflow as tf

    data = DataConfig(source=f"csv:{folder / 'table.csv'}", **data)
    located = sources.locate(data, folder / "datasets")
    artifact = standard_artifacts.Examples()
    artifact.uri = str(folder / "examples")
    node = component.ImageExampleGen(data, located, learns_labels)
    component.Executor().Do({}, {"examples": [artifact]}, {k: v for k, v in node.exec_properties.items() if v is not None})
    labels = {}
    for path in sorted((folder / "examples").glob("Split-*/*")):
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            row = tf.train.Example.FromString(record).features.feature
            [image_id] = ids([row])
            labels[image_id.decode()] = row[keys.LABEL].int64_list.value[0] if keys.LABEL in row else None
    return labels, artifact


def test_what_learns_labels_gets_no_image_without_one(table, capfd):
    labels, artifact = made(table, True)
    assert labels == {f"{number}.png": number % 5 for number in range(60) if number % 5 < 2}
    assert json.loads(artifact.get_string_custom_property(keys.CLASS_NAMES)) == ["cat", "dog"]
    assert json.loads(artifact.get_string_custom_property(keys.UNLABELLED)) == {"nan": 12, "None": 12, "empty": 12}
    counts = json.loads(artifact.get_string_custom_property(keys.COUNTS))
    assert counts == {"train": 18, "validation": 2, "test": 4}  # shares of what is used
    lines = summary.lines(table / "examples" / summary.UNLABELLED)
    assert Counter(line["reason"] for line in lines) == {"nan": 12, "None": 12, "empty": 12}
    assert {line["id"] for line in lines} == {f"{number}.png" for number in range(60) if number % 5 > 1}
    [said] = summary.warnings(table / "examples", needs_labels=True)
    for words in (
        "36 images have no label",
        "12 None",
        "are left out",
        "if None is a class of yours, set data.missing_markers: []",
    ):
        assert words in said
    assert 'Without a label, left out: {"' in capfd.readouterr().err


def test_what_does_not_keeps_them_without_a_number(table):
    labels, artifact = made(table, False)
    assert labels == {f"{number}.png": number % 5 if number % 5 < 2 else None for number in range(60)}
    assert json.loads(artifact.get_string_custom_property(keys.UNLABELLED)) == {"nan": 12, "None": 12, "empty": 12}
    [said] = summary.warnings(table / "examples")
    assert "are kept: this model learns without labels" in said


def test_with_inliers_an_image_without_a_label_is_neither_trained_nor_judged_on(table):
    labels, _ = made(table, False, inliers=[0], limit=40)
    assert set(labels.values()) == {0, 1}
    assert splits.Plan.is_outlier(Raw(bytes, b"", None), DataConfig(inliers=[0])) is None


def test_missing_labels_may_be_refused_before_anything_starts(table):
    data = DataConfig(source=f"csv:{table / 'table.csv'}", missing_labels="refuse")
    located = sources.locate(data, table / "datasets")
    with pytest.raises(UsageError, match=r"36 images of csv:.* have no label \(12 None, 12 empty, 12 nan\)") as caught:
        component.ImageExampleGen(data, located, True)
    assert "data.missing_labels: drop" in caught.value.hint
    component.ImageExampleGen(data, located, False)  # nothing needs them
    with pytest.raises(HubelError, match="have no label"):  # where only reading tells
        component.check_labels(data, {"-1": 3})


def test_a_class_that_an_autoencoder_has_no_image_of_is_nothing_to_stop_for():
    counts, classes = {"train": 2, "validation": 1, "test": 1}, {"train": {"cat": 2, "dog": 0}}
    component._check(counts, classes, [], DataConfig(), needs_labels=False)


def test_a_schema_of_data_with_missing_labels_asks_for_none():
    schema = schema_pb2.Schema()
    label = schema.feature.add(name=keys.LABEL, type=schema_pb2.INT)
    label.presence.min_fraction = 1.0
    label.shape.dim.add(size=1)
    targets.of(keys.LABEL).allow_missing(schema)
    assert not label.HasField("shape")
    assert label.presence.min_fraction == 0

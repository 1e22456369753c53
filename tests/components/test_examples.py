"""What ExampleGen wrote, read back."""

import ast

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components import examples
from components.example_gen import records
from tests import sources


@pytest.fixture
def stored(tmp_path):
    """An Examples artifact whose split test has two files, and what is none."""
    folder = tmp_path / "Split-test"
    (folder / "folder").mkdir(parents=True)
    for name, ids in (("b.gz", [b"3"]), ("a.gz", [b"1", b""])):
        with tf.io.TFRecordWriter(str(folder / name), tf.io.TFRecordOptions(compression_type="GZIP")) as file:
            for number, image_id in enumerate(ids):
                file.write(records.example(b"image", image_id, number, measures={"image/brightness": 0.5}))
    artifact = standard_artifacts.Examples()
    artifact.uri, artifact.split_names = str(tmp_path), '["test"]'
    return artifact


def test_files_stand_in_order_and_folders_are_none(stored, tmp_path):
    expected = [str(tmp_path / "Split-test" / name) for name in ("a.gz", "b.gz")]
    assert examples.files_of(stored, "test") == examples.files_of([stored], "test") == expected


def test_ids_are_those_of_the_records_and_the_values_those_written(stored):
    files = examples.files_of(stored, "test")
    parsed = list(examples.parsed(examples.records_of(files).as_numpy_iterator()))
    assert list(examples.ids_of(files)) == [examples.values(example, "example/id")[0] for example in parsed] == [b"1", b"", b"3"]
    assert [list(examples.values(example, "label")) for example in parsed] == [[0], [1], [0]]
    assert list(examples.values(parsed[0], "image/brightness")) == [0.5]


def test_asking_for_a_feature_adds_none(stored):
    [example, *_] = examples.parsed(examples.records_of(examples.files_of(stored, "test")).as_numpy_iterator())
    before = sorted(example.features.feature)
    assert list(examples.values(example, "mask")) == list(examples.values(example, None)) == []
    assert sorted(example.features.feature) == before


PARSERS = {
    "components/examples.py",
    "components/example_gen/tfrecord.py",  # files of other people
    "components/transform/copies.py",  # transformed ones, which it writes anew
}


def parses(node) -> bool:
    if not (isinstance(node, ast.Attribute) and node.attr in ("FromString", "ParseFromString")):
        return False
    return ast.unparse(node.value).endswith("train.Example")


def opens(node) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("TFRecordDataset", "tf_record_iterator", "ReadFromTFRecord")


def test_no_other_file_opens_records():
    others = {
        "components/example_gen/tfrecord.py",  # of other people
        "components/trainer/warmup.py",  # requests that warm a model up
        "serving/server/loading.py",  # the same
    }
    assert sources.files_that(opens, "components", "tuner", "pipelines", "serving") == {"components/examples.py"} | others


def test_files_may_be_named_by_a_tensor(stored):
    files = examples.files_of(stored, "test")
    names = tf.data.Dataset.from_tensors(files).flat_map(examples.records_of)
    assert list(names.as_numpy_iterator()) == list(examples.records_of(files).as_numpy_iterator())


def test_no_other_file_takes_records_apart():
    assert sources.files_that(parses, "components", "tuner", "pipelines") == PARSERS

"""preprocessing_fn through TFT's own Beam implementation (see tests.components.digits.write_transform)."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components import keys, targets
from components.transform import preprocessing
from configs.schema.slices.transform import TransformSlice
from tests.components import digits
from tests.components.trainer.graphs import random_ops


@pytest.fixture(scope="module")
def output(artifacts):
    return tft.TFTransformOutput(str(artifacts.transform))


def transformed(output, split):
    raw = tf.io.parse_example(digits.examples(split), output.raw_feature_spec())
    return output.transform_features_layer()(raw)


def test_only_what_training_reads_is_in_a_record(output):
    targets = {keys.LABEL, keys.IMAGE_HEIGHT, keys.IMAGE_WIDTH}  # those that were asked for
    assert set(output.transformed_feature_spec()) == {keys.PIXELS, keys.EXAMPLE_ID, *targets}


def test_pixels_ids_and_labels_come_through(output):
    features = transformed(output, keys.VALIDATION)
    places = list(digits.rows(keys.VALIDATION))
    decoded = [tf.io.parse_tensor(record, tf.uint8) for record in features[keys.PIXELS]]
    assert np.array_equal(decoded, digits.images()[0][places])
    assert features[keys.LABEL].numpy().tolist() == digits.images()[1][places].tolist()
    assert features[keys.EXAMPLE_ID].numpy().tolist() == [f"digit-{i}".encode() for i in places]


def test_without_targets_labels_are_left_out(output):
    raw = tf.io.parse_example(digits.examples(keys.TEST)[:2], output.raw_feature_spec())
    chosen = TransformSlice(transform=digits.AUTOENCODER["transform"], targets=[]).model_dump_json()
    made = preprocessing.preprocessing_fn(raw, {"slice": chosen})
    assert set(made) == {keys.PIXELS, keys.EXAMPLE_ID}  # `unit` needs no statistics either


def test_labels_of_images_that_have_none_are_minus_one(output):
    raw = tf.io.parse_example(digits.examples(keys.TEST)[:2], output.raw_feature_spec())
    del raw[keys.LABEL]
    chosen = TransformSlice(transform=digits.AUTOENCODER["transform"], targets=[keys.LABEL]).model_dump_json()
    assert preprocessing.preprocessing_fn(raw, {"slice": chosen})[keys.LABEL].numpy().tolist() == [-1, -1]


def test_a_stored_image_takes_little_more_than_its_bytes(tmp_path):
    """Noise, which gzip cannot shrink, at the size of MNIST's digits; the labels and ids of a large data set."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 28, 28, 1), np.uint8)
    raw = {
        keys.IMAGE_ENCODED: tf.constant([[tf.io.encode_png(image).numpy()] for image in noise]),
        keys.EXAMPLE_ID: tf.constant([[f"mnist-train.tfrecord-00000-of-00001__{60_000 - i}"] for i in range(500)]),
        keys.LABEL: tf.constant([[i % 10] for i in range(500)], tf.int64),
    }
    config = {"height": 28, "width": 28, "normalize": "unit"}
    chosen = TransformSlice(transform=config, targets=[keys.LABEL]).model_dump_json()
    made = preprocessing.preprocessing_fn(raw, {"slice": chosen})
    kinds = {keys.PIXELS: tf.string, keys.EXAMPLE_ID: tf.string, keys.LABEL: tf.int64}
    spec = {name: tf.io.FixedLenFeature([], kind) for name, kind in kinds.items()}
    coder = tft.coders.ExampleProtoCoder(tft.DatasetMetadata.from_feature_spec(spec).schema)
    with tf.io.TFRecordWriter(str(tmp_path / "stored.gz"), "GZIP") as writer:
        for row in range(500):
            writer.write(coder.encode({name: made[name][row].numpy() for name in spec}))
    assert (tmp_path / "stored.gz").stat().st_size <= 1.2 * noise.nbytes


def test_nothing_random_is_in_the_graph(artifacts):
    assert random_ops(artifacts.transform / "transform_fn") == set()


@pytest.mark.parametrize("dtype", [tf.int64, tf.string])
def test_a_missing_value_becomes_minus_one_or_nothing(dtype):
    values = tf.constant([7, 8], tf.int64) if dtype == tf.int64 else tf.constant(["x", "y"])
    sparse = tf.SparseTensor([[0, 0], [2, 0]], values, [4, 1])
    assert targets.first(sparse).numpy().tolist() == ([7, -1, 8, -1] if dtype == tf.int64 else [b"x", b"", b"y", b""])
    nothing = tf.SparseTensor(tf.zeros([0, 2], tf.int64), values[:0], [3, 0])
    assert targets.first(nothing).numpy().tolist() == ([-1] * 3 if dtype == tf.int64 else [b""] * 3)
    assert targets.first(values[:, None]).numpy().tolist() == values.numpy().tolist()

"""preprocessing_fn through TFT's own Beam implementation (see tests.components.digits.write_transform)."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components.transform import preprocessing
from configs.schema import TransformSlice
from tests.components import digits
from tests.components.trainer.graphs import random_ops


@pytest.fixture(scope="module")
def output(artifacts):
    return tft.TFTransformOutput(str(artifacts.transform))


def transformed(output, split):
    raw = tf.io.parse_example(digits.examples(split), output.raw_feature_spec())
    return output.transform_features_layer()(raw)


def test_mean_and_variance_are_those_of_the_training_images_in_every_record(output):
    train = digits.images()[0][list(digits.rows(keys.TRAIN))].astype(np.float64)
    for split in (keys.TRAIN, keys.TEST):
        found = transformed(output, split)
        assert np.allclose(found[keys.PIXEL_MEAN], np.tile(train.mean(), (digits.COUNTS[split], 1)), rtol=1e-6)
        assert np.allclose(found[keys.PIXEL_VARIANCE], np.tile(train.var(), (digits.COUNTS[split], 1)), rtol=1e-6)
        assert found[keys.PIXEL_MEAN].dtype == tf.float32


def test_pixels_ids_and_labels_come_through(output):
    found = transformed(output, keys.VALIDATION)
    places = list(digits.rows(keys.VALIDATION))
    decoded = [tf.io.parse_tensor(record, tf.uint8) for record in found[keys.PIXELS]]
    assert np.array_equal(decoded, digits.images()[0][places])
    assert found[keys.LABEL].numpy().tolist() == digits.images()[1][places].tolist()
    assert found[keys.IMAGE_ID].numpy().tolist() == [f"digit-{i}".encode() for i in places]


def test_without_targets_labels_are_left_out(output):
    raw = tf.io.parse_example(digits.examples(keys.TEST)[:2], output.raw_feature_spec())
    chosen = TransformSlice(transform=digits.AUTOENCODER["transform"], targets=[]).model_dump_json()
    made = preprocessing.preprocessing_fn(raw, {"slice": chosen})
    assert set(made) == {keys.PIXELS, keys.IMAGE_ID}  # `unit` needs no statistics either


def test_nothing_random_is_in_the_graph(artifacts):
    assert random_ops(artifacts.transform / "transform_fn") == set()


@pytest.mark.parametrize("dtype", [tf.int64, tf.string])
def test_a_missing_value_becomes_minus_one_or_nothing(dtype):
    values = tf.constant([7, 8], tf.int64) if dtype == tf.int64 else tf.constant(["x", "y"])
    sparse = tf.SparseTensor([[0, 0], [2, 0]], values, [4, 1])
    assert preprocessing._flat(sparse).numpy().tolist() == ([7, -1, 8, -1] if dtype == tf.int64 else [b"x", b"", b"y", b""])
    nothing = tf.SparseTensor(tf.zeros([0, 2], tf.int64), values[:0], [3, 0])
    assert preprocessing._flat(nothing).numpy().tolist() == ([-1] * 3 if dtype == tf.int64 else [b""] * 3)
    assert preprocessing._flat(values[:, None]).numpy().tolist() == values.numpy().tolist()

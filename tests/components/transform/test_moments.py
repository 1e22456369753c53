"""Statistics of the training split through TFT's own Beam implementation (see tests.components.digits.write_transform)."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components.trainer.data import open_data
from components.transform import moments
from components.transform.whitening import zca
from tests.components import digits

ZCA = {"transform": {**digits.MLP["transform"], "normalize": "zca", "batch_size": 7}}
COLOUR = {"transform": {**digits.MLP["transform"], "normalize": "unit", "channels": 3}}


def info(artifacts, tree, graph):
    """What Trainer learns of them."""
    files = [str(artifacts.examples / f"Split-{keys.TRAIN}" / "*")]
    return open_data(files, files, graph, [], [], False, digits.trainer_slice({**digits.MLP, **tree})).info


def transformed(artifacts, tree, folder, **options) -> tft.TFTransformOutput:
    return tft.TFTransformOutput(str(digits.write_transform(folder, artifacts.schema, tree, [], **options)))


def train(width) -> np.ndarray:
    return digits.images()[0][list(digits.rows(keys.TRAIN))].astype(np.float64).reshape(-1, width)


def test_per_channel_keeps_the_channels_moments_of_the_training_images_alone(artifacts):
    graph = tft.TFTransformOutput(str(artifacts.transform))
    kept = moments.read(graph, keys.CHANNEL_MOMENTS)
    np.testing.assert_allclose(kept.mean, train(1).mean(0), rtol=1e-12)
    np.testing.assert_allclose(kept.covariance, [[train(1).var()]], rtol=1e-12)
    assert moments.read(graph, keys.IMAGE_MOMENTS) is None


def test_zca_keeps_the_moments_of_whole_images(artifacts, tmp_path):
    graph = transformed(artifacts, ZCA, tmp_path)
    kept = moments.read(graph, keys.IMAGE_MOMENTS)
    np.testing.assert_array_equal(kept.mean, train(64).mean(0))
    np.testing.assert_allclose(kept.covariance, np.cov(train(64), rowvar=False, bias=True), atol=1e-9)
    assert moments.read(graph, keys.CHANNEL_MOMENTS) is None
    known = info(artifacts, ZCA, graph).of_input
    assert (known.mean, known.covariance) == (None, None)
    for matrix, expected in zip(known.whitening, zca(kept.mean, kept.covariance, 0.01), strict=True):
        np.testing.assert_array_equal(matrix, expected)


def test_the_channels_covariance_is_there_where_it_is_asked_for(artifacts, tmp_path):
    graph = transformed(artifacts, COLOUR, tmp_path, covariance=True)
    kept = moments.read(graph, keys.CHANNEL_MOMENTS)
    np.testing.assert_allclose(kept.mean, [train(1).mean()] * 3, rtol=1e-12)
    np.testing.assert_allclose(kept.covariance, np.full((3, 3), train(1).var()), rtol=1e-12)  # grey: channels move as one
    known = info(artifacts, COLOUR, graph).of_input
    assert known.covariance == kept.covariance.tolist()
    assert known.whitening is None


@pytest.mark.parametrize("block", [1, 100, 2**22])
def test_sums_are_those_of_numpy_however_the_images_come(monkeypatch, block):
    monkeypatch.setattr(moments, "BLOCK", block)
    rows = np.random.default_rng(0).integers(0, 256, (1000, 3), np.uint8)
    sums = moments._Sums(3)
    parts = [
        sums.add_input(sums.add_input(sums.create_accumulator(), a), b)
        for a, b in ((rows[:1], rows[1:400]), (rows[400:], rows[:0]))
    ]
    merged = sums.extract_output(sums.merge_accumulators(parts))
    whole = sums.extract_output(sums.add_input(sums.create_accumulator(), rows))
    np.testing.assert_array_equal(merged.mean, whole.mean)
    np.testing.assert_array_equal(merged.covariance, whole.covariance)
    np.testing.assert_allclose(merged.covariance, np.cov(rows, rowvar=False, bias=True), rtol=1e-12)


def test_a_channel_that_never_changes_has_a_variance_of_exactly_zero():
    sums = moments._Sums(2)
    rows = np.full((777, 2), [83, 255], np.uint8)
    assert not sums.extract_output(sums.add_input(sums.create_accumulator(), rows)).covariance.any()


def test_the_graph_itself_carries_no_statistic(artifacts, tmp_path):
    """They would slow down every image of a run that decodes on the fly."""
    graph = transformed(artifacts, ZCA, tmp_path)
    saved = tf.saved_model.load(graph.transform_savedmodel_dir).transform_fn.graph
    sizes = [np.size(tf.get_static_value(op.outputs[0])) for op in saved.get_operations() if op.type == "Const"]
    assert max(sizes) < 64
    assert set(graph.transformed_feature_spec()) == {keys.PIXELS, keys.EXAMPLE_ID}

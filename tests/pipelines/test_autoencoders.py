"""Every autoencoder that ships goes the whole way: trained on digits, blessed by its family's baseline, pushed, and answering."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_models
from components import keys
from configs import load
from keras_models.registry import RECONSTRUCTION
from pipelines import execute
from pipelines.workspace import Workspace
from tests.components import digits

FAMILIES = [name for name, facts in keras_models.catalog().items() if facts.task.split(".")[0] == RECONSTRUCTION]
CONFIGS = [*(f"digits_{name}" for name in FAMILIES), "digits_anomalies"]
IMAGES = 3


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One workspace for all. Their runs are of one pipeline, so data is prepared once."""
    return Workspace.at(str(tmp_path_factory.mktemp("autoencoders")))


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_blessed_and_pushed_and_answers(name, place):
    keras.backend.clear_session()
    results = execute.launched(load.load(f"{name}.tiny").model_copy(update={"name": "autoencoder"}), place)
    for gate in ("Evaluator", "InfraValidator"):
        assert results[gate].property("blessing", "blessed") == 1, results[gate].property("blessing", keys.REASON)
    assert " against " in results["Evaluator"].property("evaluation", keys.COMPARISON)
    figures = json.loads(results["Evaluator"].property("evaluation", keys.METRICS))
    assert all(map(np.isfinite, figures.values()))
    if load.load(name).anomaly is None:
        assert {"mse", "psnr", "ssim", "probe_accuracy", "knn_accuracy", "kmeans_ari", "pca_mse"} <= figures.keys()
    assert results["Pusher"].property("pushed_model", "pushed") == 1
    _answers(results["Pusher"].property("pushed_model", "pushed_destination"))


def test_one_that_has_learned_nothing_is_neither_blessed_nor_pushed_and_the_baseline_is_named(place):
    cfg = load.load("digits_conv_autoencoder.tiny", ["train.epochs=0"]).model_copy(update={"name": "autoencoder"})
    before = sorted(place.models.rglob("*"))
    results = execute.launched(cfg, place)
    verdict = results["Evaluator"]
    assert verdict.property("blessing", "blessed", 0) == 0
    assert results["Pusher"].property("pushed_model", "pushed") == 0
    assert sorted(place.models.rglob("*")) == before
    assert "PCA with the same code size of 8" in verdict.property("blessing", keys.REASON)


def _answers(pushed: str) -> None:
    """The pushed folder gives real images their codes, and codes their images; InfraValidator has asked for everything."""
    served = tf.saved_model.load(pushed).signatures
    features = [tf.train.Example.FromString(record).features.feature for record in digits.examples(keys.TEST)[:IMAGES]]
    encoded = tf.constant([feature[keys.IMAGE_ENCODED].bytes_list.value[0] for feature in features])
    codes = served["encode_image_bytes"](image_bytes=encoded)["codes"]
    decoded = served["decode"](z=codes)["images"]
    assert len(codes) == len(decoded) == IMAGES
    np.testing.assert_allclose(decoded, served["reconstruct_image_bytes"](image_bytes=encoded)["images"], rtol=1e-4, atol=1e-3)

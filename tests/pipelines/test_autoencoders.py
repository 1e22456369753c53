"""Every autoencoder that ships goes the whole way: trained on digits, blessed by its family's baseline, pushed, and answering."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_models
from components import keys
from components.tasks import task_of
from components.trainer import artifact, export
from components.trainer.card import Card
from configs import load
from keras_models.registry import RECONSTRUCTION
from pipelines import execute
from pipelines.workspace import Workspace
from tests.components import digits


def is_autoencoder(name: str) -> bool:
    return keras_models.check(load.load(name).model.name).task.split(".")[0] == RECONSTRUCTION


CONFIGS = [name for name in load.names() if name.startswith("digits_") and is_autoencoder(name)]
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
    _answers(results["Pusher"].property("pushed_model", "pushed_destination"), results["Trainer"].outputs["model"][0][0])


def test_one_that_has_learned_nothing_is_not_blessed_and_the_baseline_is_named(place):
    cfg = load.load("digits_conv_autoencoder.tiny", ["train.epochs=0"]).model_copy(update={"name": "autoencoder"})
    verdict = execute.launched(cfg, place, served=False)["Evaluator"]
    assert verdict.property("blessing", "blessed", 0) == 0
    assert "PCA with the same code size of 8" in verdict.property("blessing", keys.REASON)


def _answers(pushed: str, trained: str) -> None:
    """Every signature answers real images, an answer for each, and its three ends say the same."""
    card = Card.read(trained)
    made = export.endpoints(task_of(card.task).signatures(artifact.load(trained), card), card)
    served = tf.saved_model.load(pushed).signatures
    assert set(made) == set(served)
    records = digits.examples(keys.TEST)[:IMAGES]
    features = [tf.train.Example.FromString(record).features.feature for record in records]
    sent = {
        "examples": tf.constant(records),
        keys.IMAGE_BYTES: tf.constant([feature[keys.IMAGE_ENCODED].bytes_list.value[0] for feature in features]),
        keys.PIXELS: tf.constant(digits.images()[0][digits.rows(keys.TEST)][:IMAGES], tf.float32),
    }
    answers = {}
    for name, endpoint in made.items():
        extra = {argument: one.example(IMAGES) for argument, one in endpoint.signature.extra.items()}
        first = sent.get(endpoint.spec.name)
        if first is None:  # codes
            first = tf.random.stateless_normal([IMAGES, endpoint.signature.code_size], [0, 0])
        answers[name] = served[name](**{endpoint.spec.name: first}, **extra)
    for name, outputs in answers.items():
        for output, values in outputs.items():
            assert values.shape[0] == IMAGES
            assert np.isfinite(tf.cast(values, tf.float64)).all(), (name, output)
            for end in (f"{name}_{keys.IMAGE_BYTES}", f"{name}_{keys.PIXELS}"):
                if end in answers:
                    np.testing.assert_allclose(answers[end][output], values, rtol=1e-5, atol=1e-5)

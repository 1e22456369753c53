"""Stages come along with a net, train what is theirs, and are judged by what is under them."""

import keras
import numpy as np
import pytest

from keras_models import auxiliary, normalize, pretraining
from keras_models.autoencoders.deep import deep_autoencoder

PIXELS = np.random.default_rng(0).uniform(0, 255, (6, 5, 4, 1)).astype("float32")


def model_of():
    keras.utils.set_random_seed(1)
    return normalize.with_normalization(deep_autoencoder((5, 4, 1), 3, (7,)), "unit")


def mean_square(a, b):
    return float(np.mean(np.square(np.asarray(a) - np.asarray(b))))


def test_a_stage_is_trained_for_what_is_under_it():
    model = model_of()
    first, second = pretraining.stages(model)
    for stage, wanted in ((first, PIXELS / 255), (second, second.under(PIXELS))):
        learner = pretraining.learner(stage)
        learner.compile("sgd", "mse", run_eagerly=True)
        before = mean_square(stage.pair(PIXELS), wanted)
        assert learner.evaluate(PIXELS, PIXELS / 255, verbose=0) == pytest.approx(before, rel=1e-5)
        assert auxiliary.learner(learner) is learner


def test_what_is_under_a_stage_sees_normalised_pixels():
    model = model_of()
    inside = normalize.inner(model).get_layer("encoder").get_layer("down1")
    np.testing.assert_allclose(pretraining.stages(model)[1].under(PIXELS), inside(PIXELS.reshape(6, 20) / 255), rtol=1e-5)


def test_one_stage_learns_at_a_time():
    model = model_of()
    first, second = pretraining.stages(model)

    def learns():
        return sorted(weight.path.split("/")[-2] for weight in model.trainable_variables[::2])

    pretraining.select(model, first)
    assert learns() == ["down1", "pixels"]
    assert len(pretraining.learner(first).trainable_variables) == 4
    pretraining.select(model, second)
    assert learns() == ["code", "up1"]
    assert len(pretraining.learner(second).trainable_variables) == 4
    pretraining.select(model, None)
    assert learns() == ["code", "down1", "pixels", "up1"]


def test_stages_are_not_saved(tmp_path):
    net = deep_autoencoder((5, 4, 1), 3, (7,))
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    assert pretraining.stages(again) == ()
    np.testing.assert_array_equal(again(PIXELS), net(PIXELS))

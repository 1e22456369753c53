"""The mean of several softmaxes, as logits, against NumPy."""

import keras
import numpy as np
import pytest

from keras_models.layers.mean_probability import MeanProbability


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("members", [2, 5])
def test_softmax_gives_the_mean_back(members):
    logits = np.random.default_rng(0).normal(0, 4, (members, 6, 3)).astype("float32")
    out = MeanProbability()(list(logits)).numpy()
    np.testing.assert_allclose(np.exp(out), softmax(logits.astype("float64")).mean(0), rtol=1e-5)
    np.testing.assert_allclose(softmax(out), softmax(logits.astype("float64")).mean(0), rtol=1e-5)


def test_members_that_are_certain_leave_finite_logits():
    out = MeanProbability()([np.array([[1000.0, -1000.0]], "float32"), np.array([[-1000.0, 1000.0]], "float32")]).numpy()
    np.testing.assert_allclose(np.exp(out), [[0.5, 0.5]], rtol=1e-6)


def test_halves_are_averaged_in_the_layer_s_own_precision():
    layer = MeanProbability(dtype="float32")
    assert layer([np.zeros((1, 3), "float16")] * 2).dtype == "float32"


def test_its_shape_and_config():
    layer = MeanProbability(name="logits")
    assert layer.compute_output_shape([(None, 7), (None, 7)]) == (None, 7)
    assert MeanProbability.from_config(layer.get_config()).get_config() == layer.get_config()
    assert keras.saving.get_registered_object("hubel>MeanProbability") is MeanProbability

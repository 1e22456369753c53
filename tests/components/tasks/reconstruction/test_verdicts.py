"""Families that are judged by one figure: each is blessed when it is good, and refused when its weights are in another order."""

import pytest

from components import keys
from components.tasks.reconstruction import pca
from keras_models import normalize
from tests.components.tasks.reconstruction.verdict import images, pixels_of, shuffle, trained
from tests.components.verdict import refusals


def training(epochs, batch_size=60):
    return {"epochs": epochs, "batch_size": batch_size, "optimizer": {"learning_rate": 0.02}}


def shuffled_decoder(model):
    shuffle(normalize.inner(model).get_layer("decoder"))


CASES = {
    "autoencoder": ({"code_size": 8, "activation": "linear"}, training(30, 20), shuffle, "PCA with the same code size of 8"),
    "deep_autoencoder": ({"code_size": 2, "hidden": [32], "activation": "elu"}, training(15), shuffle, "PCA with the same code"),
    "conv_autoencoder": ({"code_size": 4, "filters": [16]}, training(15, 30), shuffle, "PCA with the same code size of 4"),
    "conv_vae": ({"code_size": 2, "filters": [8]}, training(12), shuffled_decoder, "independent pixels"),
}


WHOLE = {"deep_autoencoder", "conv_autoencoder", "conv_vae"}  # of the first one's task and judge, or of test_variational.py's


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.whole if name in WHOLE else ()) for name in CASES])
def test_a_good_one_is_blessed_and_a_crippled_one_is_not(name, tmp_path):
    options, train, cripple, words = CASES[name]
    model = trained(name, options, train)
    compared = model.judge.compare(model.saved(tmp_path, "encode"), model.card, images)
    assert refusals(model.judge, model.figures(), compared) == []
    cripple(model.model)
    [refusal] = refusals(model.judge, model.figures(), compared)
    assert words in refusal


@pytest.mark.parametrize("tied", [True, False])
def test_a_linear_one_is_blessed_for_being_pca(tied, tmp_path):
    model = trained("linear_autoencoder", {"code_size": 8, "tied": tied}, {"epochs": 0})
    compared = model.judge.compare(model.saved(tmp_path, "encode"), model.card, images)
    assert refusals(model.judge, model.figures(), compared)
    net, principal = normalize.inner(model.model), pca.fit([pixels_of(keys.TRAIN) / 255], 8)
    net.get_layer("encoder").get_layer("code").set_weights([principal.components.T, -principal.components @ principal.mean])
    pixels = net.get_layer("decoder").get_layer("pixels")
    pixels.bias.assign(principal.mean)
    if not tied:
        pixels.kernel.assign(principal.components)
    assert refusals(model.judge, model.figures(), compared) == []
    shuffle(model.model)
    [refusal] = refusals(model.judge, model.figures(), compared)
    assert "of PCA with the same code size of 8" in refusal

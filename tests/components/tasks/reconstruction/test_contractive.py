"""Contraction: judged against a twin that was trained without the penalty."""

import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.tasks.reconstruction import pca
from keras_models import auxiliary
from tests.components.tasks.reconstruction.verdict import images, pixels_of, shuffle, trained
from tests.components.trainer.graphs import random_ops

OPTIONS = {"code_size": 1, "hidden": [64], "tied": False, "activation": "elu", "code_activation": "linear", "weight": 0.01}


@pytest.fixture(scope="module")
def contractive():
    return trained("contractive_autoencoder", OPTIONS, {"epochs": 20, "optimizer": {"learning_rate": 0.01}})


@pytest.fixture(scope="module")
def saved(contractive, tmp_path_factory):
    return contractive.saved(tmp_path_factory.mktemp("contractive"), "encode", "figures_pixels")


def norms(encoder, pixels):
    with tf.GradientTape() as tape:
        x = tf.constant(pixels / 255)
        tape.watch(x)
        code = encoder(x)
    return np.sqrt(np.square(tape.batch_jacobian(code, x)).sum((1, 2, 3, 4)))


def test_it_is_blessed_for_moving_less_than_its_twin_and_a_crippled_one_is_not(contractive, saved):
    assert random_ops(saved) == set()
    comparisons = contractive.judge.compare(saved, contractive.card, images)
    assert [comparison.metric for comparison in comparisons] == ["mse", "jacobian_norm"]
    assert "code size of 1" in comparisons[0].words
    figures, kept = contractive.figures(), contractive.model.get_weights()
    assert [contractive.holds(comparison, figures) for comparison in comparisons] == [True, True]
    shuffle(contractive.model)
    assert not contractive.holds(comparisons[0], contractive.figures())
    contractive.model.set_weights([3 * weight for weight in kept])
    assert not contractive.holds(comparisons[1], contractive.figures())
    contractive.model.set_weights(kept)


def test_a_wide_one_is_held_against_as_many_components_as_active_units_and_a_crippled_one_is_not_blessed(tmp_path):
    """A narrow one's numbers in a network with room for 64; one layer each way, whose Jacobian is quick."""
    options = {"tied": False, "code_activation": "linear", "loss": "squared_error", "weight": 0.01}
    train = {"epochs": 15, "optimizer": {"learning_rate": 0.02}}
    narrow = trained("contractive_autoencoder", {**options, "code_size": 6}, train).model.get_weights()
    wide = trained("contractive_autoencoder", {**options, "code_size": 64}, {"epochs": 0})
    wide.model.set_weights([within(old.shape, new) for old, new in zip(wide.model.get_weights(), narrow, strict=True)])
    comparisons = wide.judge.compare(wide.saved(tmp_path, "encode", "figures_pixels"), wide.card, images)
    figures = wide.figures()
    assert 3 < figures["active"] <= 6
    expected = pca.fit([pixels_of(keys.TRAIN) / 255], round(figures["active"])).mean_squared_error([pixels_of(keys.TEST) / 255])
    assert (comparisons[0].name, comparisons[0].value) == ("active_pca_mse", pytest.approx(expected, rel=1e-6))
    assert [wide.holds(comparison, figures) for comparison in comparisons] == [True, True], figures
    shuffle(wide.model)
    assert not wide.holds(comparisons[0], wide.figures())


def within(shape, weight):
    """Zeros, and the weight in the corner."""
    return np.pad(weight, [(0, large - small) for large, small in zip(shape, weight.shape, strict=True)])


def test_figures_are_norms_of_the_jacobian_and_the_twin_s_is_of_the_same_images(contractive, saved):
    net = contractive.model.get_layer("net")
    figures = contractive.task.figures(contractive.model, contractive.card)(pixels_of(keys.TEST)[:9])
    np.testing.assert_allclose(figures["jacobian_norm"], norms(net.get_layer("encoder"), pixels_of(keys.TEST)[:9]), rtol=1e-4)
    twin = auxiliary.learner(contractive.model).get_layer("net").get_layer("twin")
    compared = {comparison.name: comparison.value for comparison in contractive.judge.compare(saved, contractive.card, images)}
    expected = norms(twin.get_layer("encoder"), pixels_of(keys.TEST)).mean()
    assert compared["twin_jacobian_norm"] == pytest.approx(expected, rel=1e-4)

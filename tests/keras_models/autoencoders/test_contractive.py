"""Contractive autoencoders: the penalties that are minimised, and the twin that they leave alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models import auxiliary
from keras_models.autoencoders.contractive import TWIN, contractive_autoencoder

X = np.random.default_rng(0).random((16, 4, 3, 1), dtype="float32")


def learner_of(net, rate=0.1):
    learner = auxiliary.learner(net)
    learner.compile(keras.optimizers.SGD(rate), net.get_layer("pixel_loss").of, run_eagerly=True)
    return learner


@pytest.mark.parametrize(
    "options",
    [{}, {"code_activation": "tanh"}, {"hidden": (5,), "tied": False}, {"form": "convolutional", "filters": (2,), "tied": False}],
    ids=str,
)
def test_the_squared_norm_of_the_jacobian_is_minimised_by_its_weight(options):
    net = contractive_autoencoder((4, 3, 1), 3, weight=0.3, **options)
    logs = learner_of(net).evaluate(X, X, return_dict=True, verbose=0)
    images = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(images)
        code = net.get_layer("encoder")(images)
    value = np.square(tape.batch_jacobian(code, images)).sum((1, 2, 3, 4)).mean()
    assert logs["contraction"] == pytest.approx(value, rel=1e-4)
    assert logs["loss"] == pytest.approx(float(np.mean(net.get_layer("pixel_loss").of(X, net(X)))) + 0.3 * value, rel=1e-4)


def test_curvature_is_of_normal_draws_in_training_alone():
    keras.utils.set_random_seed(0)
    net = contractive_autoencoder((4, 3, 1), 3, hessian_weight=2.0, hessian_stddev=0.2, hessian_samples=2)
    for weight in net.get_layer("encoder").trainable_variables:
        weight.assign(3 * weight)
    learner = learner_of(net, 0.0)
    assert learner.evaluate(X, X, return_dict=True, verbose=0)["curvature"] == 0
    many = np.repeat(X, 500, 0)
    curvature = learner.train_on_batch(many, many, return_dict=True)["curvature"]
    layer = net.get_layer("encoder").get_layer("code")
    kernel, draws = layer.kernel.numpy(), np.random.default_rng(1).normal(0, 0.2, (len(many), 12))

    def slopes(rows):
        code = 1 / (1 + np.exp(-(rows @ kernel + layer.bias.numpy())))
        return code * (1 - code)

    rows = many.reshape(len(many), -1)
    expected = (np.square(slopes(rows) - slopes(rows + draws)) * np.square(kernel).sum(0)).sum(1).mean()
    assert curvature == pytest.approx(expected, rel=0.1)


def test_the_twin_learns_without_the_penalty_and_is_not_part_of_the_net():
    def twin_after_a_step(weight):
        keras.utils.set_random_seed(1)
        net = contractive_autoencoder((4, 3, 1), 3, weight=weight, tied=False)
        learner = learner_of(net)
        twin, before = learner.get_layer(TWIN), net.get_weights()
        alone = keras.models.clone_model(twin)
        alone.set_weights(twin.get_weights())
        learner.train_on_batch(X, X)
        return twin, alone, net, before

    twin, alone, net, before = twin_after_a_step(10.0)
    alone.compile(keras.optimizers.SGD(0.1), alone.get_layer("pixel_loss").of, run_eagerly=True)
    alone.train_on_batch(X, X)
    for mine, theirs in zip(twin.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    others = twin_after_a_step(1e-9)[2]
    assert len(net.weights) == len(before) == 4
    assert any(np.abs(mine - theirs).max() > 1e-3 for mine, theirs in zip(net.get_weights(), others.get_weights(), strict=True))


def test_the_net_and_its_twin_each_learn_a_deviation_of_their_own():
    """Of n pixels with the errors e, d/d log s of sum(e^2 / 2 s^2 + log s) is n - sum e^2 / s^2."""
    keras.utils.set_random_seed(0)
    net = contractive_autoencoder((4, 3, 1), 3, loss="gaussian")
    learner = learner_of(net, 1e-4)
    twin = learner.get_layer(TWIN)
    own, others = net.get_layer("pixel_loss").log_deviation, twin.get_layer("pixel_loss").log_deviation
    others.assign(np.log(0.4))

    def slope(model, deviation):
        return 12 - (np.square(X - model(X)) / np.exp(2 * deviation.numpy())).sum((1, 2, 3)).mean()

    before = [float(own), float(others)]
    expected = [-1e-4 * slope(net, own), -1e-4 * slope(twin, others)]
    logs = learner.train_on_batch(X, X, return_dict=True)
    assert [float(own) - before[0], float(others) - before[1]] == pytest.approx(expected, rel=1e-2)
    assert logs["data_loss"] != pytest.approx(logs["twin_loss"], rel=0.1)


def test_the_loss_of_the_twin_is_logged_apart():
    net = contractive_autoencoder((4, 3, 1), 3, weight=0.3)
    learner = learner_of(net)
    twin = float(np.mean(net.get_layer("pixel_loss").of(X, learner.get_layer(TWIN)(X))))
    logs = learner.train_on_batch(X, X, return_dict=True)
    assert logs["twin_loss"] == pytest.approx(twin, rel=1e-5)
    assert logs["loss"] == pytest.approx(logs["data_loss"] + 0.3 * logs["contraction"] + twin, rel=1e-5)
    assert list(learner.parts()[1]) == ["data_loss", "twin_loss", "contraction"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weight": 0}, "weight must be"),
        ({"hessian_weight": -1}, "hessian_weight must be"),
        ({"hessian_stddev": 0}, "hessian_stddev must be"),
        ({"hessian_samples": 0}, "hessian_samples must be"),
        ({"hidden": (3,), "tied": True}, "tied needs"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        contractive_autoencoder((4, 3, 1), 3, **options)

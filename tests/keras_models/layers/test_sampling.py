"""Draws and their divergence, against Monte Carlo."""

import keras
import numpy as np
import pytest

from keras_models.layers.sampling import Sampling, divergence

PARAMETERS = np.float32([[0.0, 2.0, 0.0, -1.0], [-1.5, 0.5, 1.0, 0.0]])  # means and log-variances of two images, k = 2
MEANS, DEVIATIONS = PARAMETERS[:, :2], np.exp(0.5 * PARAMETERS[:, 2:])


def test_the_divergence_is_the_mean_of_log_q_over_p():
    draws = MEANS + DEVIATIONS * np.random.default_rng(0).standard_normal((200_000, 2, 2))
    log_q = -0.5 * np.square((draws - MEANS) / DEVIATIONS) - np.log(DEVIATIONS)
    log_p = -0.5 * np.square(draws)
    np.testing.assert_allclose(divergence(PARAMETERS), (log_q - log_p).mean(0), atol=0.02)
    np.testing.assert_allclose(divergence(np.zeros((1, 6), "float32")), 0)


def test_it_draws_from_q_in_training_and_gives_the_mean_otherwise():
    keras.utils.set_random_seed(0)
    layer = Sampling()
    many = np.repeat(PARAMETERS, 20_000, axis=0)
    drawn = np.asarray(layer(many, training=True)).reshape(2, -1, 2)
    np.testing.assert_allclose(drawn.mean(1), MEANS, atol=0.04)
    np.testing.assert_allclose(drawn.std(1), DEVIATIONS, rtol=0.03)
    np.testing.assert_array_equal(layer(PARAMETERS), MEANS)
    assert (np.asarray(layer(PARAMETERS, training=True)) != np.asarray(layer(PARAMETERS, training=True))).all()


def test_a_decoder_may_draw_its_image():
    code = keras.Input((2,))
    drawn = keras.layers.Reshape((3, 2, 1))(Sampling()(keras.layers.Dense(12, bias_initializer="ones")(code)))
    decoder = keras.Model(code, drawn, name="decoder")
    parameters = np.asarray(decoder.layers[1](MEANS))
    np.testing.assert_allclose(decoder(MEANS), parameters[:, :6].reshape(2, 3, 2, 1), rtol=1e-6)
    assert (np.asarray(decoder(MEANS, training=True)) != np.asarray(decoder(MEANS, training=True))).all()


def test_fixed_draws_are_the_same_each_time_and_of_each_copy():
    layer = Sampling("fixed")
    first = np.asarray(layer(PARAMETERS, training=False))
    assert (first != MEANS).all()
    np.testing.assert_array_equal(layer(PARAMETERS, training=False), first)
    again = Sampling.from_config(layer.get_config())
    np.testing.assert_array_equal(again(PARAMETERS, training=False), first)
    assert (np.asarray(layer(PARAMETERS, training=True)) != first).all()


def test_gradients_reach_means_and_log_variances():
    import tensorflow as tf

    given = tf.Variable(PARAMETERS)
    with tf.GradientTape() as tape:
        drawn = Sampling()(given, training=True)
        total = tf.reduce_sum(drawn)
    gradient = tape.gradient(total, given).numpy()
    np.testing.assert_allclose(gradient[:, :2], 1)
    np.testing.assert_allclose(gradient[:, 2:], 0.5 * (drawn.numpy() - MEANS), rtol=1e-5)


def test_refusal():
    with pytest.raises(ValueError, match=r"^otherwise must be mean or fixed; got 'draw'$"):
        Sampling("draw")

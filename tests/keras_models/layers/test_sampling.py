"""Draws and their divergence, against Monte Carlo."""

import keras
import numpy as np
import pytest
from scipy import stats

from keras_models import auxiliary, twin
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


def test_fixed_draws_of_an_image_are_its_own_wherever_it_stands_in_a_batch():
    images = np.random.default_rng(0).normal(size=(600, 4, 4, 1)).astype("float32")
    parameters = np.zeros((600, 20), "float32")
    layer = Sampling("fixed")
    drawn = np.asarray(layer([parameters, images]))
    order = np.random.default_rng(1).permutation(600)
    np.testing.assert_array_equal(layer([parameters, images[order]]), drawn[order])
    np.testing.assert_array_equal(layer([parameters[:7], images[40:47]]), drawn[40:47])
    assert len(np.unique(drawn[:, 0])) == 600
    assert abs(drawn.mean()) < 4 / np.sqrt(drawn.size)
    assert drawn.std() == pytest.approx(1, abs=0.03)
    assert stats.kstest(drawn.mean(1) * np.sqrt(10), "norm").pvalue > 0.001
    in_graph = keras.Model(made := [keras.Input((20,)), keras.Input((4, 4, 1))], layer(made))
    np.testing.assert_allclose(in_graph([parameters, images]), drawn, rtol=1e-6)
    assert (np.asarray(layer([parameters, images], training=True)) != drawn).all()


def test_a_validation_loss_depends_neither_on_the_batch_size_nor_on_the_order():
    """And its error averages out over images: of as many as there are rows in a batch it would not, of more."""
    keras.utils.set_random_seed(0)
    learner = auxiliary.learner(twin("vae"))
    images = np.random.default_rng(0).uniform(size=(24, *learner.input_shape[1:])).astype("float32")
    learner.compile(loss="mean_squared_error")
    figures = [learner.evaluate(images[order], images[order], batch_size=size, verbose=0) for order, size in ORDERS]
    np.testing.assert_allclose(figures, np.broadcast_to(figures[0], np.shape(figures)), rtol=1e-5)


ORDERS = [(slice(None), 24), (slice(None), 6), (slice(None, None, -1), 6)]


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

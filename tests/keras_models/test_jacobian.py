"""Jacobians of encoders, beside TensorFlow's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_models.conv_coders import conv_encoder
from keras_models.jacobian import Jacobian

X, OTHERS = (tf.constant(np.random.default_rng(seed).random((4, 3, 2, 1)), tf.float32) for seed in (0, 1))


def one_layer(activation):
    image = keras.Input((3, 2, 1))
    code = layers.Dense(3, activation, kernel_initializer="random_normal", bias_initializer="random_normal")
    return keras.Model(image, code(layers.Flatten()(image)))


def deeper():
    image = keras.Input((3, 2, 1))
    return keras.Model(image, layers.Dense(2, "sigmoid")(layers.Dense(3, "tanh")(layers.Flatten()(image))))


def found_by_tensorflow(encoder, images):
    with tf.GradientTape() as tape:
        tape.watch(images)
        code = encoder(images)
    return tape.batch_jacobian(code, images).numpy()


ENCODERS = {
    "sigmoid": lambda: one_layer("sigmoid"),
    "tanh": lambda: one_layer("tanh"),
    "deeper": deeper,
    "convolutional": lambda: conv_encoder((3, 2, 1), 2, (2,), "elu"),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_norms_and_distances_are_those_of_automatic_differentiation(name):
    keras.utils.set_random_seed(0)
    encoder = ENCODERS[name]()
    jacobian = Jacobian(encoder)
    assert jacobian.is_closed_form == (name in ("sigmoid", "tanh"))
    mine, theirs = (found_by_tensorflow(encoder, images) for images in (X, OTHERS))
    axes = (1, 2, 3, 4)
    np.testing.assert_allclose(jacobian.squared_norm(X), np.square(mine).sum(axes), rtol=1e-4)
    np.testing.assert_allclose(jacobian.squared_distance(X, OTHERS), np.square(mine - theirs).sum(axes), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("encoder", [one_layer("sigmoid"), deeper()], ids=["closed form", "automatic"])
def test_the_norm_can_be_learned_by_in_a_graph(encoder):
    jacobian, kernel = Jacobian(encoder), encoder.trainable_variables[0]

    @tf.function
    def slope():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(jacobian.squared_norm(X))
        return loss, tape.gradient(loss, kernel)

    loss, gradient = slope()
    kernel.assign_sub(1e-4 * gradient)
    assert float(tf.reduce_sum(jacobian.squared_norm(X))) == pytest.approx(
        float(loss - 1e-4 * tf.reduce_sum(tf.square(gradient))), rel=1e-3
    )

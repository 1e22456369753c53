"""Batch normalization beside Keras's layer, whose values, gradients and moving statistics it has, and NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_models.layers.batch_normalization import BatchNormalization

OPTIONS = {"momentum": 0.9, "epsilon": 1e-5}


def pair(shape, **options):
    """hubel's layer and Keras's with the same weights, and a batch that is far from normal."""
    random = np.random.default_rng(0)
    ours, keras_s = BatchNormalization(**OPTIONS, **options), keras.layers.BatchNormalization(**OPTIONS, **options)
    x = tf.constant(random.normal(3, 2, shape).astype("float32"))
    for layer in (ours, keras_s):
        layer.build(x.shape)
    weights = [random.uniform(0.5, 1.5, weight.shape) for weight in ours.weights]
    for layer in (ours, keras_s):
        layer.set_weights(weights)
    return ours, keras_s, x


def step(layer, x, training=True):
    """Values, gradients for weights and for x, and the moving statistics after it."""
    far = tf.constant(np.random.default_rng(1).normal(0, 1, x.shape).astype("float32"))

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=training)
            loss = tf.reduce_sum(tf.cast(y, tf.float32) * far)
        return [y, *tape.gradient(loss, [x, *layer.trainable_weights])]

    return [value.numpy() for value in run()] + layer.get_weights()


def operations(layer, shape, training=True, dtype="float32"):
    """Types of the operations in the layer's graph."""
    traced = tf.function(lambda x: layer(x, training=training)).get_concrete_function(tf.TensorSpec(shape, dtype))
    return {operation.type for operation in traced.graph.get_operations()}


@pytest.mark.parametrize("shape", [(5, 4, 3, 6), (1, 7, 2, 1), (2, 1, 1, 8)])
def test_a_step_is_keras_s_step(shape):
    ours, keras_s, x = pair(shape)
    assert "FusedBatchNormV3" in operations(ours, shape)
    for mine, theirs in zip(step(ours, x), step(keras_s, x), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-4, atol=2e-5)


def test_against_numpy():
    ours, _, x = pair((5, 4, 3, 6))
    gamma, beta, mean, variance = ours.get_weights()
    y, *_, moving_mean, moving_variance = step(ours, x)
    moments = np.mean(x, axis=(0, 1, 2)), np.var(x, axis=(0, 1, 2))
    np.testing.assert_allclose(y, gamma * (x - moments[0]) / np.sqrt(moments[1] + 1e-5) + beta, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(moving_mean, 0.9 * mean + 0.1 * moments[0], rtol=1e-5)
    np.testing.assert_allclose(moving_variance, 0.9 * variance + 0.1 * moments[1], rtol=1e-5)


def test_one_value_a_map_has_no_variance():
    ours, _, x = pair((1, 1, 1, 3))
    _, beta, _, variance = ours.get_weights()
    y, *_, moving_variance = step(ours, x)
    np.testing.assert_allclose(y[0, 0, 0], beta, atol=1e-5)
    np.testing.assert_allclose(moving_variance, 0.9 * variance, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "options", "training"),
    [
        ((5, 4, 3, 6), {}, False),
        ((8, 6), {}, True),
        ((5, 4, 3, 6), {"dtype": "float64"}, True),
        ((4, 3, 5, 5), {"axis": 1}, True),
        ((5, 4, 3, 6), {"scale": False}, True),
        ((5, 4, 3, 6), {"center": False}, True),
    ],
    ids=["serving", "dense", "double", "maps_first", "no_scale", "no_shift"],
)
def test_where_it_cannot_be_fused_it_is_keras_s(shape, options, training):
    ours, keras_s, x = pair(shape, **options)
    assert "FusedBatchNormV3" not in operations(ours, shape, training)
    for mine, theirs in zip(step(ours, x, training), step(keras_s, x, training), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_frozen_it_keeps_its_statistics():
    ours, _, x = pair((5, 4, 3, 6))
    before = ours.get_weights()
    ours.trainable = False
    step(ours, x)
    for weights, earlier in zip(ours.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, earlier)


def test_half_precision_is_normalised_in_float32():
    layer = BatchNormalization(dtype="mixed_float16", **OPTIONS)
    x = np.full((4, 2, 2, 3), 300, "float16") + np.arange(4, dtype="float16").reshape(4, 1, 1, 1)  # squares beyond float16
    assert "FusedBatchNormV3" in operations(layer, x.shape, dtype="float16")
    y = layer(x, training=True)
    assert y.dtype == "float16"
    np.testing.assert_allclose(y[:, 0, 0, 0], (np.arange(4) - 1.5) / np.sqrt(1.25), atol=2e-3)


def test_it_is_saved_and_loaded_whole():
    layer = BatchNormalization(**OPTIONS, name="bn1")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is BatchNormalization
    assert again.get_config() == layer.get_config()

"""Dense layers, blocks and transitions, against plain NumPy."""

import keras
import numpy as np
import pytest

from keras_models.dense_blocks import dense_block, transition
from tests.keras_models.reference import Reference, shuffle_norms

SHAPE = (5, 6, 4)


def model_of(block, *args, **options):
    image = keras.Input(SHAPE)
    model = keras.Model(image, block(image, *args, name="d", **options))
    shuffle_norms(model)
    return model


def images():
    return np.random.default_rng(1).normal(size=(2, *SHAPE)).astype("float32")


@pytest.mark.parametrize("bottleneck", [True, False])
def test_block(bottleneck):
    """Every layer sees all maps before it and puts its own behind them."""
    model, x = model_of(dense_block, 3, 2, bottleneck=bottleneck), images()
    layer, maps = Reference(model), x
    for number in (1, 2, 3):
        new = layer.conv(layer.norm_relu(maps, f"d_{number}_bn1"), f"d_{number}_conv1")
        if bottleneck:
            assert new.shape[-1] == 8
            new = layer.conv(layer.norm_relu(new, f"d_{number}_bn2"), f"d_{number}_conv2")
        maps = np.concatenate([maps, new], -1)
    np.testing.assert_allclose(model(x), maps, rtol=1e-4, atol=1e-4)
    assert model.output_shape == (None, 5, 6, 4 + 3 * 2)


@pytest.mark.parametrize(("compression", "kept"), [(0.5, 2), (1, 4), (0.7, 2), (0.01, 1)])
def test_transition(compression, kept):
    model, x = model_of(transition, compression), images()
    layer = Reference(model)
    mixed = layer.conv(layer.norm_relu(x, "d_bn"), "d_conv")[:, :4]
    np.testing.assert_allclose(model(x), mixed.reshape(2, 2, 2, 3, 2, kept).mean((2, 4)), rtol=1e-4, atol=1e-4)


def test_dropout_follows_every_convolution():
    model = model_of(dense_block, 1, 2, dropout=0.2)
    kinds = [type(layer).__name__ for layer in model.layers[1:]]
    assert kinds == [*["BatchNormalization", "Activation", "Conv2D", "Dropout"] * 2, "Concatenate"]
    assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {0.2}
    assert [layer.name for layer in model_of(transition, dropout=0.2).layers[3:]] == ["d_conv", "d_drop", "d_pool"]


def test_without_normalisation_convolutions_have_biases():
    model = model_of(dense_block, 2, 2, batch_norm=False, activation="elu")
    assert {type(layer).__name__ for layer in model.layers if layer.weights} == {"Conv2D"}
    assert all(layer.use_bias for layer in model.layers if layer.weights)
    assert model.get_layer("d_2_act2").activation is keras.activations.elu


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 0}, "depth must be a whole number of at least 1; got 0"),
        ({"growth_rate": 1.5}, "growth_rate must be a whole number of at least 1; got 1.5"),
        ({"dropout": 1}, "dropout must be a number from 0 to below 1; got 1"),
    ],
)
def test_refused_blocks(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        dense_block(keras.Input(SHAPE), **{"depth": 1, "growth_rate": 1, "name": "d", **options})


@pytest.mark.parametrize("compression", [0, 1.01, True, "half", float("nan")])
def test_refused_transitions(compression):
    with pytest.raises(ValueError, match=r"^compression must be a number above 0 and at most 1; got "):
        transition(keras.Input(SHAPE), compression, name="d")

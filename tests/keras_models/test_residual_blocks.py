"""Residual blocks, against plain NumPy."""

import keras
import numpy as np
import pytest

from keras_models.residual_blocks import EXPANSION, basic_block, bottleneck_block
from tests.keras_models.reference import Reference, shuffle_norms

SHAPE = (5, 6, 8)
CONVS = {  # kernels are in the weights; strides 2 go to the first convolution, or to the bottleneck's 3x3
    "basic": (basic_block, {}, (2, 1)),
    "bottleneck": (bottleneck_block, {}, (2, 1, 1)),
    "bottleneck, 3x3": (bottleneck_block, {"strided": "3x3"}, (1, 2, 1)),
}


def model_of(block, *args, **options):
    image = keras.Input(SHAPE)
    model = keras.Model(image, block(image, *args, name="b", **options))
    shuffle_norms(model)
    return model


def images(seed=1):
    return np.random.default_rng(seed).normal(size=(2, *SHAPE)).astype("float32")


def padded(x, strides, maps):
    x = x[:, ::strides, ::strides]
    return np.concatenate([x, np.zeros((*x.shape[:3], maps - x.shape[-1]))], -1)


def shortcut_of(layer, x, option, strides, maps, normalised):
    """The sum's other term: x itself, its padded pixels or its projection."""
    same = strides == 1 and maps == x.shape[-1]
    if option == "none":
        return 0
    if option == "A" or (option == "B" and same):
        return padded(x, strides, maps)
    projection = layer.conv(x, "b_shortcut", strides)
    return layer.norm(projection, "b_shortcut_bn") if normalised else projection


@pytest.mark.parametrize("shortcut", ["A", "B", "C", "none"])
@pytest.mark.parametrize("changes", [True, False], ids=["changes", "keeps"])
@pytest.mark.parametrize("kind", CONVS)
def test_original_form(kind, changes, shortcut):
    block, options, places = CONVS[kind]
    strides = 2 if changes else 1
    inside = SHAPE[-1] * strides // (EXPANSION if block is bottleneck_block else 1)
    model, x = model_of(block, inside, strides, shortcut=shortcut, **options), images()
    layer, expected = Reference(model), x
    for number, place in enumerate(places, 1):
        expected = layer.norm(layer.conv(expected, f"b_conv{number}", place if changes else 1), f"b_bn{number}")
        if number < len(places):
            expected = np.maximum(expected, 0)
    expected = np.maximum(expected + shortcut_of(layer, x, shortcut, strides, SHAPE[-1] * strides, True), 0)
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("activated", [True, False])
@pytest.mark.parametrize("shortcut", ["A", "B", "C"])
@pytest.mark.parametrize("changes", [True, False], ids=["changes", "keeps"])
@pytest.mark.parametrize("kind", ["basic", "bottleneck"])
def test_preactivation(kind, changes, shortcut, activated):
    block, _, places = CONVS[kind]
    strides = 2 if changes else 1
    inside = SHAPE[-1] * strides // (EXPANSION if block is bottleneck_block else 1)
    model = model_of(block, inside, strides, shortcut=shortcut, preactivation=True, activated=activated)
    layer, x = Reference(model), images()
    active = x if activated else layer.norm_relu(x, "b_bn1")
    expected = active
    for number, place in enumerate(places, 1):
        if number > 1:
            expected = layer.norm_relu(expected, f"b_bn{number}")
        expected = layer.conv(expected, f"b_conv{number}", place if changes else 1)
    projected = shortcut == "C" or (shortcut == "B" and changes)
    expected = expected + shortcut_of(layer, active if projected else x, shortcut, strides, SHAPE[-1] * strides, False)
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("block", "filters"), [(basic_block, 8), (bottleneck_block, 2)])
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_without_weights_a_block_is_the_identity(block, filters, shortcut):
    """After an activation of at least 0, the original form's input; any input of the pre-activation form."""
    x = images()
    for preactivation, given in ((False, np.maximum(x, 0)), (True, x)):
        model = keras.Model(
            image := keras.Input(SHAPE), block(image, filters, 1, name="b", shortcut=shortcut, preactivation=preactivation)
        )
        for layer in model.layers:
            if isinstance(layer, keras.layers.Conv2D):
                layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
        np.testing.assert_array_equal(model(given), given)


def test_without_normalisation_convolutions_have_biases():
    model = model_of(basic_block, 16, 2, batch_norm=False, activation="tanh")
    assert [type(layer).__name__ for layer in model.layers if layer.weights] == ["Conv2D"] * 3
    assert all(layer.use_bias for layer in model.layers if layer.weights)
    assert model.get_layer("b_act1").activation is model.get_layer("b_act2").activation is keras.activations.tanh


def test_refusals():
    image = keras.Input(SHAPE)
    with pytest.raises(ValueError, match=r"^shortcut must be A or B or C or none; got 'D'$"):
        basic_block(image, 8, name="b", shortcut="D")
    with pytest.raises(ValueError, match=r"^strided must be 1x1 or 3x3; got '2x2'$"):
        bottleneck_block(image, 8, name="b", strided="2x2")
    with pytest.raises(
        ValueError, match=r"^preactivation keeps the shortcut free of activations, so shortcut must be A, B or C; got 'none'$"
    ):
        basic_block(image, 8, name="b", shortcut="none", preactivation=True)
    with pytest.raises(ValueError, match="shortcut A adds maps and cannot drop any; got 8 for 4"):
        basic_block(image, 4, name="b", shortcut="A")

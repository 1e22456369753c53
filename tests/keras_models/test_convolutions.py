"""The pieces of residual and dense networks."""

import keras
import numpy as np
import pytest

from keras_models import convolutions, twin
from keras_models.parameters import without_weights
from tests.keras_models.reference import convolved


@pytest.mark.parametrize(("kernel", "strides"), [(1, 1), (1, 2), (3, 1), (3, 2), (7, 2)])
@pytest.mark.parametrize("side", [7, 8])
def test_convolutions_pad_both_sides_alike(side, kernel, strides):
    x = np.random.default_rng(0).normal(size=(2, side, side + 1, 3)).astype("float32")
    model = keras.Model(image := keras.Input(x.shape[1:]), convolutions.conv(image, 4, kernel, strides, name="c"))
    expected = convolved(x, model.get_layer("c").get_weights()[0], strides)
    np.testing.assert_allclose(model(x), expected, rtol=1e-4, atol=1e-4)
    assert model.output_shape == (None, -(-side // strides), -(-(side + 1) // strides), 4)


def test_convolutions_start_as_he_2015():
    keras.utils.set_random_seed(0)
    model = keras.Model(image := keras.Input((8, 8, 64)), convolutions.conv(image, 128, 3, name="c", bias=True))
    kernel, bias = model.get_layer("c").get_weights()
    assert kernel.std() == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)
    assert abs(kernel.mean()) < 1e-3
    assert not bias.any()


@pytest.mark.parametrize(("stem", "sides"), [("imagenet", (4, 4)), ("small", (7, 8))])
def test_stems(stem, sides):
    assert convolutions.stem_conv(keras.Input((7, 8, 1)), 5, stem).shape == (None, *sides, 5)


@pytest.mark.parametrize("lowest", [0, -2], ids=["rectified", "negative too"])
def test_pooling_is_of_the_values_that_are_there(lowest):
    """Each window's largest value, where zeros around the maps would win over those of elu or tanh."""
    x = lowest + np.random.default_rng(0).random((1, 5, 6, 2), dtype="float32")
    model = keras.Model(image := keras.Input(x.shape[1:]), convolutions.stem_pool(image))
    expected = [
        [x[:, max(2 * r - 1, 0) : 2 * r + 2, max(2 * c - 1, 0) : 2 * c + 2].max((1, 2)) for c in range(3)] for r in range(3)
    ]
    np.testing.assert_array_equal(model(x), np.stack([np.stack(row, 1) for row in expected], 1))
    again = keras.Model.from_config(model.get_config())
    np.testing.assert_array_equal(again(x), model(x))


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1)])
def test_padding_that_keras_adds_loses_to_negative_values_too(size, stride):
    """Of the poolings of other nets: `blocks.downsample`, inception modules, convolutional encoders."""
    x = -1 - np.random.default_rng(0).random((1, 5, 7, 2), dtype="float32")
    assert float(np.max(keras.layers.MaxPooling2D(size, stride, "same")(x))) < -1


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "plain18", "densenet121"])
def test_no_stem_pads_its_pooling_with_zeros(name):
    with without_weights():
        model = twin(name, input_shape=(64, 64, 1), stem="imagenet", activation="elu")
    pooled = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.MaxPooling2D)]
    before = [layer.input._keras_history.operation for layer in pooled]
    assert [type(layer).__name__ for layer in before] == ["InfinitePadding2D"]


def test_head_averages_maps():
    x = np.random.default_rng(0).random((2, 3, 4, 5), dtype="float32")
    model = keras.Model(image := keras.Input(x.shape[1:]), convolutions.head(image, 3))
    kernel, bias = model.get_layer("logits").get_weights()
    np.testing.assert_allclose(model(x), x.mean((1, 2)) @ kernel + bias, rtol=1e-5, atol=1e-5)


def test_a_long_chain_is_cut_and_computes_the_same(monkeypatch):
    steps = [lambda x, n=n: keras.layers.Rescaling(1, n, name=f"add{n}")(x) for n in range(1, 8)]
    built = []
    for longest in (14, 13):
        monkeypatch.setattr(convolutions, "LONGEST", longest)
        built.append(keras.Model(x := keras.Input((1,)), convolutions.chain(x, steps, 2, "a_")))
    assert [layer.name for layer in built[0].layers[1:]] == [f"add{n}" for n in range(1, 8)]
    assert [layer.name for layer in built[1].layers[1:]] == ["a_steps1_3", "a_steps4_6", "a_steps7_7"]
    for model in built:
        np.testing.assert_array_equal(model(np.ones((2, 1), "float32")), np.full((2, 1), 1 + 28))


def test_a_chain_may_be_longer_than_python_s_stack():
    image = keras.Input((1,))
    model = keras.Model(image, convolutions.chain(image, [keras.layers.Identity()] * 1_050, 1))
    again = type(model).from_config(model.get_config())
    assert len(again.layers) == 1 + 3

"""Fully connected autoencoders: their layers, and that they beat PCA where they should."""

import keras
import numpy as np
import pytest

from keras_models import pretraining
from keras_models.autoencoders.deep import autoencoder, deep_autoencoder

X = np.random.default_rng(0).random((3, 5, 4, 1), dtype="float32")


def units(model, part):
    return [
        (layer.name, layer.units, layer.activation.__name__) for layer in model.get_layer(part).layers if hasattr(layer, "units")
    ]


def test_the_published_hourglass():
    model = deep_autoencoder()
    sigmoids = [("down1", 1000, "sigmoid"), ("down2", 500, "sigmoid"), ("down3", 250, "sigmoid")]
    assert units(model, "encoder") == [*sigmoids, ("code", 30, "linear")]
    back = [("up3", 250, "sigmoid"), ("up2", 500, "sigmoid"), ("up1", 1000, "sigmoid"), ("pixels", 784, "sigmoid")]
    assert units(model, "decoder") == back


@pytest.mark.parametrize("code_size", [1, 30])  # under- and overcomplete
def test_a_single_hidden_layer_is_the_code(code_size):
    model = autoencoder((5, 4, 1), code_size, "tanh")
    assert units(model, "encoder") == [("code", code_size, "tanh")]
    assert units(model, "decoder") == [("pixels", 20, "sigmoid")]
    assert pretraining.stages(model) == ()


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 17, 3), (2, 3, 2)], ids=str)
@pytest.mark.parametrize("build", [autoencoder, deep_autoencoder])
def test_reconstructs_the_exact_size_in_the_range_of_pixels(build, shape):
    out = np.asarray(build(shape, 3)(np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")))
    assert out.shape == (2, *shape)
    assert out.min() >= 0
    assert out.max() <= 1


def test_each_stage_gives_back_what_the_layers_under_it_make_of_the_image():
    model = deep_autoencoder((5, 4, 1), 3, (7, 6))
    encoder, decoder = (model.get_layer(part).get_layer for part in ("encoder", "decoder"))
    first, second, third = pretraining.stages(model)
    flat = X.reshape(3, 20)
    below = encoder("down1")(flat)
    above = encoder("down2")(below)
    pairs = [
        (first, None, np.reshape(decoder("pixels")(below), X.shape), ("down1", "pixels")),
        (second, below, decoder("up1")(above), ("down2", "up1")),
        (third, above, decoder("up2")(encoder("code")(above)), ("code", "up2")),
    ]
    for number, (stage, under, back, names) in enumerate(pairs, 1):
        assert (stage.name, tuple(layer.name for layer in stage.layers)) == (f"layer{number}", names)
        np.testing.assert_allclose(stage.pair(X), back, rtol=1e-6)
        assert (stage.under is None) == (under is None)
        if under is not None:
            np.testing.assert_allclose(stage.under(X), under, rtol=1e-6)


@pytest.mark.parametrize(
    ("build", "options", "sentence"),
    [
        (autoencoder, {"code_size": 0}, "code_size must be a whole number of at least 1; got 0"),
        (autoencoder, {"activation": "rleu"}, "activation must be the name of a Keras activation, .* got 'rleu'"),
        (deep_autoencoder, {"hidden": []}, r"hidden must be a list of whole numbers from 1 with at least 1 of them; got \[\]"),
        (deep_autoencoder, {"code_size": 1.5}, "code_size must be a whole number of at least 1; got 1.5"),
    ],
)
def test_refusals(build, options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        build(**options)


def test_halves_leave_code_and_image_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = deep_autoencoder((5, 4, 1), 3, (7,))
    finally:
        keras.config.set_dtype_policy("float32")
    assert [part.output.dtype for part in (model, model.get_layer("encoder"), model.get_layer("decoder"))] == ["float32"] * 3

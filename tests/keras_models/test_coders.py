"""Encoders and decoders that families share."""

import keras
import numpy as np
import pytest

from keras_models.coders import Coders

DENSE = {
    "input_shape": (5, 4, 2),
    "code_size": 50,
    "form": "dense",
    "hidden": (),
    "filters": (2, 3),
    "activation": "elu",
    "code_activation": "sigmoid",
    "upsampling": "transposed",
}
X = np.random.default_rng(0).random((3, 5, 4, 2), dtype="float32")


def coders(**changes):
    return Coders(**{**DENSE, **changes})


@pytest.mark.parametrize("changes", [{}, {"hidden": [7, 6]}, {"tied": True}, {"form": "convolutional"}], ids=str)
def test_an_image_becomes_a_code_and_an_image_again(changes):
    net, code = coders(**changes).net("name", "squared_error")
    assert (net.name, code.shape, net.output_shape) == ("name", (None, 50), (None, 5, 4, 2))
    codes = net.get_layer("encoder")(X)
    assert 0 < np.min(codes) < np.max(codes) < 1
    np.testing.assert_array_equal(net.get_layer("decoder")(codes), net(X))
    assert 0 < np.min(net(X)) < np.max(net(X)) < 1


def test_the_decoder_mirrors_hidden_layers():
    net, _ = coders(hidden=[7, 6]).net("name", "squared_error")
    shapes = [tuple(weight.shape) for weight in net.weights if len(weight.shape) == 2]
    assert shapes == [(40, 7), (7, 6), (6, 50), (50, 6), (6, 7), (7, 40)]


def test_tied_weights_are_one_also_after_loading(tmp_path):
    net, _ = coders(tied=True).net("name", "squared_error")
    net.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    assert [tuple(weight.shape) for weight in again.weights] == [(40, 50), (50,), (40,)]
    np.testing.assert_array_equal(again(X), net(X))
    before = again(X).numpy()
    again.get_layer("encoder").get_layer("code").kernel.assign(np.zeros((40, 50)))
    assert np.ptp(again(X)) < 1e-6 < np.ptp(before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code_size": 0}, "code_size must be"),
        ({"form": "deep"}, "form must be dense or convolutional; got 'deep'"),
        ({"hidden": [0]}, "hidden must be"),
        ({"filters": []}, "filters must be"),
        ({"code_activation": "sigmoit"}, "code_activation must be"),
        ({"upsampling": "cubic"}, "upsampling must be"),
        ({"tied": 1}, "tied must be true or false"),
        ({"tied": True, "hidden": (3,)}, r"tied needs form dense without hidden layers; got form dense, hidden \(3,\)"),
        ({"tied": True, "form": "convolutional"}, "tied needs form dense"),
    ],
)
def test_what_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        coders(**changes)

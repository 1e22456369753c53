"""AlexNet against the papers' numbers."""

import numpy as np
import pytest

from keras_models.arithmetic import layer_table
from keras_models.blocks import POOLINGS
from keras_models.classifiers.alexnet import alexnet
from keras_models.parameters import total_params
from tests.keras_models.classifiers.support import losses, published

SMALL = {"stem": "small", "width": 0.05}


def test_two_groups_layer_by_layer():
    rows = {row["name"]: (row["type"], row["output"], row["params"]) for row in layer_table(published("alexnet"))}
    assert rows == {
        "image": ("InputLayer", [227, 227, 3], 0),
        "conv1": ("Conv2D", [55, 55, 96], 34_944),
        "norm1": ("LocalResponseNormalization", [55, 55, 96], 0),
        "pool1": ("MaxPooling2D", [27, 27, 96], 0),
        "conv2": ("GroupedConv2D", [27, 27, 256], 307_456),
        "norm2": ("LocalResponseNormalization", [27, 27, 256], 0),
        "pool2": ("MaxPooling2D", [13, 13, 256], 0),
        "conv3": ("Conv2D", [13, 13, 384], 885_120),
        "conv4": ("GroupedConv2D", [13, 13, 384], 663_936),
        "conv5": ("GroupedConv2D", [13, 13, 256], 442_624),
        "pool5": ("MaxPooling2D", [6, 6, 256], 0),
        "flatten": ("Flatten", [9_216], 0),
        "fc6": ("Dense", [4_096], 37_752_832),
        "drop6": ("Dropout", [4_096], 0),
        "fc7": ("Dense", [4_096], 16_781_312),
        "drop7": ("Dropout", [4_096], 0),
        "logits": ("Dense", [1_000], 4_097_000),
    }


@pytest.mark.parametrize(
    ("name", "options", "params"),
    [
        ("alexnet", {}, 60_965_224),
        ("alexnet", {"variant": "ungrouped"}, 62_378_344),
        ("alexnet_one_tower", {}, 61_100_840),
    ],
)
def test_parameters(name, options, params):
    model = published(name, **options)
    assert total_params(model) == params
    assert model.output_shape == (None, 1000)


def test_one_tower_has_no_normalization():
    rows = layer_table(published("alexnet_one_tower"))
    assert [row["output"][-1] for row in rows if row["name"].startswith("conv")] == [64, 192, 384, 256, 256]
    assert {row["type"] for row in rows}.isdisjoint({"GroupedConv2D", "LocalResponseNormalization"})


def test_starts_as_published():
    model = alexnet((32, 32, 3), 10, stem="small", width=0.25, initializer="published")
    biases = {layer.name: np.unique(layer.bias).tolist() for layer in model.layers if hasattr(layer, "bias")}
    ones = {name: [1] for name in ("conv2", "conv4", "conv5", "fc6", "fc7")}
    assert biases == {**ones, "conv1": [0], "conv3": [0], "logits": [0]}
    for name in ("conv2", "fc6"):
        assert np.std(model.get_layer(name).kernel) == pytest.approx(0.01, rel=0.05)
    assert not any(np.any(layer.bias) for layer in alexnet((32, 32, 3), 10, **SMALL).layers if hasattr(layer, "bias"))


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_pooling_gives_the_published_volumes(pooling):
    model = published("alexnet", pooling=pooling)
    assert [model.get_layer(f"pool{number}").output.shape[1:] for number in (1, 2, 5)] == [(27, 27, 96), (13, 13, 256), (6, 6, 256)]


def test_options():
    model = alexnet((28, 32, 3), 7, pooling="strided", lrn=False, activation="tanh", dropout=0.25, **SMALL)
    assert model.output_shape == (None, 7)
    names = [layer.name for layer in model.layers]
    assert names[-1] == "logits"
    assert not any(name.startswith("norm") for name in names)
    active = {model.get_layer(name).activation.__name__ for name in ("conv1", "pool1", "conv2", "fc6", "fc7")}
    assert active == {"tanh"}
    assert {model.get_layer(name).rate for name in ("drop6", "drop7")} == {0.25}
    assert model.get_layer("conv1").output.shape[1:3] == (28, 32)


def test_batch_norm_takes_the_place_of_biases():
    model, plain = (alexnet((28, 28, 1), 2, batch_norm=norm, **SMALL) for norm in (True, False))
    convs = [f"conv{number}" for number in range(1, 6)]
    assert not any(model.get_layer(name).use_bias for name in convs)
    assert total_params(model) == total_params(plain) + sum(plain.get_layer(name).filters for name in convs)
    assert [layer.name for layer in model.layers][1:6] == ["conv1", "conv1_norm", "conv1_relu", "norm1", "pool1"]
    assert {model.get_layer(name).activation.__name__ for name in convs} == {"linear"}


def test_small_stem_learns_28_px():
    first, last = losses(alexnet((28, 28, 1), 2, dropout=0.1, **SMALL))
    assert last < first / 2


def test_too_small():
    sentence = "an image of 67 x 66 px is too small: pool5 leaves nothing of it; the smallest that works is 67 x 67 px"
    with pytest.raises(ValueError, match=f"^{sentence}, and stem small takes smaller ones$"):
        alexnet((67, 66, 3))
    assert alexnet((67, 67, 3), 2, width=0.02).get_layer("pool5").output.shape[1:3] == (1, 1)
    with pytest.raises(ValueError, match=r"the smallest that works is 15 x 15 px$"):
        alexnet((14, 28, 1), stem="small")
    assert alexnet((15, 15, 1), 2, **SMALL).get_layer("pool5").output.shape[1:3] == (1, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2; got 1"),
        ({"variant": "three"}, "variant must be two_groups or ungrouped or one_tower; got 'three'"),
        ({"stem": "tiny"}, "stem must be imagenet or small; got 'tiny'"),
        ({"width": 0}, "width must be a number above 0; got 0"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
        ({"pooling": "sum"}, "pooling must be max or average or overlapping or strided; got 'sum'"),
        ({"batch_norm": 1}, "batch_norm must be true or false; got 1"),
        ({"lrn": "yes"}, "lrn must be true or false; got 'yes'"),
        ({"dropout": 1}, "dropout must be a number from 0 to below 1; got 1"),
        ({"initializer": "zeros"}, "initializer must be he or published; got 'zeros'"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        alexnet(**options)

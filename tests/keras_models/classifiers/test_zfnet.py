"""ZFNet against the paper's figure 3."""

import numpy as np
import pytest

from keras_models.arithmetic import layer_table
from keras_models.blocks import POOLINGS
from keras_models.classifiers.zfnet import zfnet
from keras_models.parameters import total_params
from tests.keras_models.classifiers.support import losses, published

SMALL = {"stem": "small", "width": 0.05}


def test_figure_3():
    model = published("zfnet")
    rows = [(row["name"], row["output"]) for row in layer_table(model)]
    assert rows == [
        ("image", [224, 224, 3]),
        ("conv1_pad", [226, 226, 3]),
        ("conv1", [110, 110, 96]),
        ("pool1", [55, 55, 96]),
        ("norm1", [55, 55, 96]),
        ("conv2", [26, 26, 256]),
        ("pool2", [13, 13, 256]),
        ("norm2", [13, 13, 256]),
        ("conv3", [13, 13, 384]),
        ("conv4", [13, 13, 384]),
        ("conv5", [13, 13, 256]),
        ("pool5", [6, 6, 256]),
        ("flatten", [9_216]),
        *((name, [4_096]) for name in ("fc6", "drop6", "fc7", "drop7")),
        ("logits", [1_000]),
    ]
    assert model.get_layer("conv1").kernel.shape == (7, 7, 3, 96)
    assert total_params(model) == 62_357_608


def test_starts_as_published():
    model = zfnet((32, 32, 3), 10, stem="small", width=0.25, initializer="published")
    for name in ("conv2", "fc6"):
        assert np.std(model.get_layer(name).kernel) == pytest.approx(0.01, rel=0.05)
    assert not any(np.any(layer.bias) for layer in model.layers if hasattr(layer, "bias"))


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_pooling_gives_the_published_volumes(pooling):
    model = published("zfnet", pooling=pooling)
    assert [model.get_layer(f"pool{number}").output.shape[1:] for number in (1, 2, 5)] == [(55, 55, 96), (13, 13, 256), (6, 6, 256)]


def test_options():
    model = zfnet((28, 32, 3), 7, pooling="average", lrn=False, activation="sigmoid", dropout=0.25, **SMALL)
    assert model.output_shape == (None, 7)
    assert {layer.name for layer in model.layers}.isdisjoint({"norm1", "norm2", "conv1_pad"})
    assert type(model.get_layer("pool5")).__name__ == "AveragePooling2D"
    assert {model.get_layer(name).activation.__name__ for name in ("conv1", "conv2", "fc6", "fc7")} == {"sigmoid"}
    assert model.get_layer("drop7").rate == 0.25
    assert model.layers[-1].name == "logits"
    assert [model.get_layer(f"pool{number}").output.shape[1:3] for number in (1, 2, 5)] == [(14, 16), (7, 8), (3, 4)]


def test_batch_norm_takes_the_place_of_biases():
    model, plain = (zfnet((28, 28, 1), 2, batch_norm=norm, **SMALL) for norm in (True, False))
    convs = [f"conv{number}" for number in range(1, 6)]
    assert total_params(model) == total_params(plain) + sum(plain.get_layer(name).filters for name in convs)
    assert [layer.name for layer in model.layers][1:6] == ["conv1", "conv1_norm", "conv1_relu", "pool1", "norm1"]


def test_small_stem_learns_28_px():
    first, last = losses(zfnet((28, 28, 1), 2, dropout=0.1, **SMALL))
    assert last < first / 2


def test_too_small():
    sentence = "an image of 53 x 52 px is too small: pool5 leaves nothing of it; the smallest that works is 53 x 53 px"
    with pytest.raises(ValueError, match=f"^{sentence}, and stem small takes smaller ones$"):
        zfnet((53, 52, 3))
    assert zfnet((53, 53, 3), 2, width=0.02).get_layer("pool5").output.shape[1:3] == (1, 1)
    with pytest.raises(ValueError, match=r"the smallest that works is 9 x 9 px$"):
        zfnet((8, 8, 1), stem="small")
    assert zfnet((9, 9, 1), 2, **SMALL).get_layer("pool5").output.shape[1:3] == (1, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"stem": "tiny"}, "stem must be imagenet or small; got 'tiny'"),
        ({"width": -1}, "width must be a number above 0; got -1"),
        ({"pooling": "sum"}, "pooling must be max or average or overlapping or strided; got 'sum'"),
        ({"initializer": "zeros"}, "initializer must be he or published; got 'zeros'"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        zfnet(**options)

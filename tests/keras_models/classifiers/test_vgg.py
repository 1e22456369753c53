"""VGG against table 1 and against keras.applications."""

import keras
import numpy as np
import pytest

from configs.errors import UsageError
from keras_models import build, get
from keras_models.arithmetic import layer_table
from keras_models.blocks import POOLINGS
from keras_models.classifiers.vgg import vgg
from keras_models.parameters import total_params
from tests.keras_models.classifiers.support import losses, published

SMALL = {"stem": "small", "width": 0.05}

# Table 1 as printed, columns A to E; LRN apart
PRINTED = {
    "A": "conv3-64 | conv3-128 | conv3-256 conv3-256 | conv3-512 conv3-512 | conv3-512 conv3-512",
    "B": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 | conv3-512 conv3-512 | conv3-512 conv3-512",
    "C": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 conv1-256 | conv3-512 conv3-512 conv1-512"
    " | conv3-512 conv3-512 conv1-512",
    "D": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 conv3-256 | conv3-512 conv3-512 conv3-512"
    " | conv3-512 conv3-512 conv3-512",
    "E": "conv3-64 conv3-64 | conv3-128 conv3-128 | conv3-256 conv3-256 conv3-256 conv3-256"
    " | conv3-512 conv3-512 conv3-512 conv3-512 | conv3-512 conv3-512 conv3-512 conv3-512",
}


def convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]


@pytest.mark.parametrize("column", list(PRINTED))
def test_table_1_is_the_printed_one(column):
    names = iter(layer.name for layer in published(f"vgg_{column.lower()}").layers[1:])
    counts = {
        layer.name: f"conv{layer.kernel.shape[0]}-{layer.filters}" for layer in convolutions(published(f"vgg_{column.lower()}"))
    }
    for stage, printed in enumerate(PRINTED[column].split(" | "), 1):
        assert [counts[next(names)] for _ in printed.split()] == printed.split()
        assert next(names) == f"pool{stage}"
    assert list(names) == ["flatten", "fc6", "drop6", "fc7", "drop7", "logits"]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("vgg_a", 132_863_336),
        ("vgg_a_lrn", 132_863_336),
        ("vgg_b", 133_047_848),
        ("vgg_c", 133_638_952),
        ("vgg_d", 138_357_544),
        ("vgg_e", 143_667_240),
    ],
)
def test_parameters(name, params):
    model = published(name)
    assert total_params(model) == params
    assert model.get_layer("pool5").output.shape == (None, 7, 7, 512)
    assert model.output_shape == (None, 1000)


def test_a_lrn_is_a_with_one_normalization():
    plain, normalized = ([row["name"] for row in layer_table(published(name))] for name in ("vgg_a", "vgg_a_lrn"))
    assert normalized == [*plain[:2], "norm1_1", *plain[2:]]


@pytest.mark.parametrize(("alias", "name"), [("vgg11", "vgg_a"), ("vgg13", "vgg_b"), ("vgg16", "vgg_d"), ("vgg19", "vgg_e")])
def test_names_by_depth(alias, name):
    assert get(alias).name == name
    weighted = [row for row in layer_table(published(alias)) if row["params"]]
    assert len(weighted) == int(alias.removeprefix("vgg"))


@pytest.mark.parametrize(("ours", "theirs"), [("vgg_d", keras.applications.VGG16), ("vgg_e", keras.applications.VGG19)])
def test_features_are_those_of_keras_applications(ours, theirs):
    reference = theirs(include_top=False, weights=None, input_shape=(32, 32, 3))
    model = build(ours, {"input_shape": (32, 32, 3), "num_classes": 2}, {})
    pairs = list(zip(convolutions(model), convolutions(reference), strict=True))
    random = np.random.default_rng(0)
    for copy, layer in pairs:
        kernel, bias = layer.get_weights()
        copy.set_weights([kernel * 2**0.5, random.normal(0, 0.1, bias.shape)])  # not to vanish on the way
        layer.set_weights(copy.get_weights())
    x = random.normal(size=(2, 32, 32, 3)).astype("float32")
    features = keras.Model(model.input, model.get_layer("pool5").output)
    expected = np.asarray(reference(x))
    assert expected.shape == (2, 1, 1, 512)
    assert expected.std() > 0.01
    np.testing.assert_allclose(features(x), expected, rtol=1e-4, atol=1e-4 * expected.std())


def test_the_dense_head_is_plain_numpy_s():
    model = vgg((64, 96, 3), 7, "A", width=0.02, dropout=0.5)
    random = np.random.default_rng(0)
    head = [model.get_layer(name) for name in ("fc6", "fc7", "logits")]
    for layer in head:
        layer.set_weights([random.normal(0, 0.2, weight.shape) for weight in layer.get_weights()])
    maps, *outputs = keras.Model(model.input, [model.get_layer("pool5").output, *(layer.output for layer in head)])(
        random.normal(size=(2, 64, 96, 3)).astype("float32")
    )
    assert maps.shape == (2, 2, 3, 10)
    expected = np.asarray(maps).reshape(2, -1)
    for layer, values in zip(head, outputs, strict=True):
        kernel, bias = layer.get_weights()
        expected = expected @ kernel + bias
        if layer.name != "logits":
            expected = np.maximum(expected, 0)
        assert expected.std() > 0.01
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_takes_the_place_of_biases():
    model = build("vgg_d", {"input_shape": (32, 32, 3), "num_classes": 2}, {"width": 0.05, "batch_norm": True})
    plain = build("vgg_d", {"input_shape": (32, 32, 3), "num_classes": 2}, {"width": 0.05})
    maps = sum(layer.filters for layer in convolutions(plain))
    assert total_params(model) == total_params(plain) + maps  # a scale and a shift for each bias
    names = [layer.name for layer in model.layers]
    assert names[1:5] == ["conv1_1", "conv1_1_norm", "conv1_1_relu", "conv1_2"]
    assert not any(layer.use_bias for layer in convolutions(model))
    assert {layer.activation.__name__ for layer in convolutions(model)} == {"linear"}


@pytest.mark.parametrize("initializer", ["he", "published"])
def test_initial_weights(initializer):
    model = vgg((32, 32, 1), 2, "A", width=0.25, initializer=initializer)
    kernel = np.asarray(model.get_layer("conv4_2").kernel)  # 3 x 3 x 128 -> 128
    fan = 9 * 128
    assert kernel.std() == pytest.approx({"published": (2 / (fan + fan)) ** 0.5, "he": (2 / fan) ** 0.5}[initializer], rel=0.02)
    if initializer == "published":
        assert np.abs(kernel).max() <= (6 / (fan + fan)) ** 0.5
    assert not any(np.any(layer.bias) for layer in convolutions(model))


@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_pooling_gives_the_published_volumes(pooling):
    model = published("vgg_a", pooling=pooling)
    assert [model.get_layer(f"pool{stage}").output.shape[1] for stage in range(1, 6)] == [112, 56, 28, 14, 7]


def test_options():
    model = vgg((32, 32, 3), 7, "B", width=0.05, pooling="strided", activation="tanh", dropout=0.25, lrn=True, batch_norm=True)
    assert model.output_shape == (None, 7)
    assert model.layers[-1].name == "logits"
    assert {model.get_layer(name).activation.__name__ for name in ("conv1_1_tanh", "pool1", "fc6", "fc7")} == {"tanh"}
    assert [layer.name for layer in model.layers][3:6] == ["conv1_1_tanh", "norm1_1", "conv1_2"]
    assert {model.get_layer(name).rate for name in ("drop6", "drop7")} == {0.25}


@pytest.mark.parametrize(
    ("shape", "sides"), [((28, 28, 1), [14, 7, 4, 2, 1]), ((32, 32, 3), [16, 8, 4, 2, 1]), ((1, 1, 1), [1] * 5)]
)
def test_small_stem(shape, sides):
    model = vgg(shape, 10, "A", **SMALL)
    assert [model.get_layer(f"pool{stage}").output.shape[1] for stage in range(1, 6)] == sides


@pytest.mark.parametrize("batch_norm", [False, True])
def test_small_stem_learns_28_px(batch_norm):
    first, last = losses(vgg((28, 28, 1), 2, "A", dropout=0.1, batch_norm=batch_norm, **SMALL))
    assert last < first / 2


def test_too_small():
    sentence = (
        r"Model vgg_a: an image of 28 x 28 px is too small: pool5 leaves nothing of it; "
        r"the smallest that works is 32 x 32 px, and stem small takes smaller ones\."
    )
    with pytest.raises(UsageError, match=f"^{sentence}"):
        build("vgg_a", {"input_shape": (28, 28, 1), "num_classes": 10}, {})
    with pytest.raises(ValueError, match="pool4 leaves nothing of it"):
        vgg((40, 15, 1))
    assert vgg((32, 63, 1), 2, "A", width=0.02).get_layer("pool5").output.shape[1:3] == (1, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"configuration": "F"}, "configuration must be A or B or C or D or E; got 'F'"),
        ({"stem": "tiny"}, "stem must be imagenet or small; got 'tiny'"),
        ({"width": "wide"}, "width must be a number above 0; got 'wide'"),
        ({"pooling": "sum"}, "pooling must be max or average or overlapping or strided; got 'sum'"),
        ({"batch_norm": 1}, "batch_norm must be true or false; got 1"),
        ({"dropout": 1.5}, "dropout must be a number from 0 to below 1; got 1.5"),
        ({"initializer": "zeros"}, "initializer must be he or published; got 'zeros'"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        vgg(**options)

"""GoogLeNet against the paper's table 1."""

import keras
import pytest

from keras_models import auxiliary, get
from keras_models.arithmetic import layer_table
from keras_models.classifiers.googlenet import googlenet
from keras_models.parameters import total_params
from tests.keras_models.classifiers.support import losses

TWIN = get("googlenet").tiny
# Output size as printed, by layer
TABLE_1 = {
    "conv1": [112, 112, 64],
    "pool1": [56, 56, 64],
    "conv2": [56, 56, 192],
    "pool2": [28, 28, 192],
    "inception_3a": [28, 28, 256],
    "inception_3b": [28, 28, 480],
    "pool3": [14, 14, 480],
    "inception_4a": [14, 14, 512],
    "inception_4b": [14, 14, 512],
    "inception_4c": [14, 14, 512],
    "inception_4d": [14, 14, 528],
    "inception_4e": [14, 14, 832],
    "pool4": [7, 7, 832],
    "inception_5a": [7, 7, 832],
    "inception_5b": [7, 7, 1024],
    "pool5": [1024],
    "logits": [1000],
}
HEAD = {"pool": [4, 4, 512], "conv": [4, 4, 128], "dense": [1024], "logits": [1000]}  # section 5, of the one on 4a


@pytest.fixture(scope="module")
def published():
    return googlenet()


def test_output_sizes_are_those_of_table_1(published):
    outputs = {row["name"]: row["output"] for row in layer_table(published)}
    assert {name: outputs[name] for name in TABLE_1} == TABLE_1


def test_parameters_without_and_with_heads(published):
    assert total_params(published) == 6_998_552
    learner = auxiliary.learner(published)
    assert total_params(learner) == 13_378_280
    assert learner.weight == 0.3
    outputs = {row["name"]: row["output"] for row in layer_table(learner)}
    assert {part: outputs[f"aux_4a_{part}"] for part in HEAD} == HEAD
    assert outputs["aux_4d_pool"] == [4, 4, 528]


def test_rates_of_dropout_are_the_paper_s(published):
    assert published.get_layer("dropout").rate == 0.4
    assert {auxiliary.learner(published).get_layer(f"aux_{name}_dropout").rate for name in ("4a", "4d")} == {0.7}


@pytest.mark.parametrize("side", [28, 32])
def test_the_small_stem_keeps_the_sides(side):
    model = googlenet((side, side, 1), 10, "small", width=0.02)
    sides = {row["name"]: row["output"][:2] for row in layer_table(model)}
    assert (sides["conv2"], sides["inception_4a"], sides["inception_5b"]) == ([side] * 2, [side // 2] * 2, [side // 4] * 2)


def test_the_small_stem_learns_28_px_and_its_head_with_it():
    keras.utils.set_random_seed(0)
    net = googlenet((28, 28, 1), 2, "small", (1, 1, 1), 0.1, "elu", dropout=0.1)  # narrow, with relu it takes more steps
    first, last = losses(auxiliary.learner(net), steps=6)
    assert last < first / 1.5


def test_options():
    types = {type(layer).__name__ for layer in googlenet(**TWIN).layers}
    assert {"LocalResponseNormalization", "MaxPooling2D"} <= types
    assert not {"BatchNormalization", "AveragePooling2D"} & types
    other = googlenet(**TWIN, activation="tanh", pooling="average", lrn=False, batch_norm=True, dropout=0.1, auxiliary_weight=0)
    assert auxiliary.learner(other) is other
    pool = other.get_layer("pool3")
    assert (type(pool).__name__, pool.pool_size) == ("AveragePooling2D", (2, 2))
    strided = googlenet(**TWIN, pooling="strided").get_layer("pool3")
    assert (type(strided).__name__, strided.strides, strided.activation.__name__) == ("Conv2D", (2, 2), "relu")
    assert other.get_layer("conv1_tanh").activation.__name__ == "tanh"
    assert not any(layer.use_bias for layer in other.layers if isinstance(layer, keras.layers.Conv2D))
    assert "LocalResponseNormalization" not in {type(layer).__name__ for layer in other.layers}
    assert other.get_layer("dropout").rate == 0.1


def test_modules_and_their_heads():
    names = {layer.name for layer in auxiliary.learner(googlenet(**{**TWIN, "modules": (2, 4, 1)})).layers}
    assert {name.removeprefix("inception_") for name in names if name.startswith("inception_") and len(name) == 12} == {
        *("3a", "3b", "4a", "4b", "4c", "4d", "5a")
    }
    assert {"aux_4a_logits", "aux_4d_logits"} <= names
    assert "aux_4d_logits" not in {layer.name for layer in auxiliary.learner(googlenet(**TWIN)).layers}


@pytest.mark.parametrize(
    ("stem", "least", "hint"), [("imagenet", 65, "stem small takes smaller ones"), ("small", 9, "auxiliary_weight 0 takes any")]
)
def test_the_smallest_input_is_exact(stem, least, hint):
    small = {"num_classes": 2, "stem": stem, "width": 0.02, "modules": (1, 1, 1)}
    assert googlenet((least, least, 1), **small).output_shape == (None, 2)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the whole sentence is compared
        googlenet((least, least - 1, 1), **small)
    assert str(caught.value) == (
        f"an image of {least} x {least - 1} px is too small: aux_4a_pool leaves nothing of it; "
        f"the smallest that works is {least} x {least} px, and {hint}"
    )
    assert googlenet((1, 1, 1), auxiliary_weight=0, **small).output_shape == (None, 2)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"num_classes": 1}, r"num_classes must be a whole number of at least 2; got 1"),
        ({"stem": "tiny"}, r"stem must be imagenet or small; got 'tiny'"),
        ({"pooling": "sum"}, r"pooling must be max or average or overlapping or strided; got 'sum'"),
        ({"modules": (2, 6, 2)}, r"modules must be three counts of at most 2, 5 and 2; got \(2, 6, 2\)"),
        ({"modules": (1, 1, 1, 1)}, r"modules must be three counts of at most 2, 5 and 2; got \(1, 1, 1, 1\)"),
        ({"width": 0}, r"width must be a number above 0; got 0"),
        ({"dropout": 1}, r"dropout must be a number from 0 to below 1; got 1"),
        ({"auxiliary_weight": -1}, r"auxiliary_weight must be a number from 0 to below 1; got -1"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        googlenet(**options)

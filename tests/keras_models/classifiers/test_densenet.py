"""DenseNet against the paper's numbers and keras.applications."""

import keras
import numpy as np
import pytest

from keras_models import catalog
from keras_models.arithmetic import layer_table
from keras_models.classifiers.densenet import IMAGENET, densenet, densenet_cifar
from tests.keras_models.classifiers.support import params
from tests.keras_models.reference import shuffle_norms

PUBLISHED = {"densenet121": 7_978_856, "densenet169": 14_149_480, "densenet201": 20_013_928}
TINY = {"input_shape": (16, 16, 1), "num_classes": 2, "growth_rate": 2}


@pytest.fixture
def shallow(monkeypatch):
    monkeypatch.setitem(IMAGENET, 121, (1, 1, 1, 1))


def test_recorded_counts_are_the_published_ones():
    assert {name: catalog()[name].params for name in PUBLISHED} == PUBLISHED
    assert round(catalog()["densenet_cifar"].params / 1e6, 1) == 0.8


@pytest.mark.parametrize(("depth", "growth_rate", "bc", "millions"), [(40, 12, False, 1.0), (250, 24, True, 15.3)])
def test_counts_of_table_2(depth, growth_rate, bc, millions):
    form = {"bottleneck": bc, "compression": 0.5 if bc else 1}
    assert round(params(densenet_cifar, depth=depth, growth_rate=growth_rate, **form) / 1e6, 1) == millions


@pytest.mark.whole
def test_densenet121_is_that_of_keras_applications():
    theirs = keras.applications.DenseNet121(weights=None, include_top=False, input_shape=(48, 40, 3))
    ours = densenet((48, 40, 3), 2)
    shuffle_norms(theirs)
    names = {"conv1_conv": "conv1", "conv1_bn": "bn1", "bn": "bn"}
    for block, depth in enumerate((6, 12, 24, 16), 1):
        for layer in range(1, depth + 1):
            for part, mine in (("0_bn", "bn1"), ("1_conv", "conv1"), ("1_bn", "bn2"), ("2_conv", "conv2")):
                names[f"conv{block + 1}_block{layer}_{part}"] = f"dense{block}_{layer}_{mine}"
        if block < 4:
            names |= {f"pool{block + 1}_{part}": f"transition{block}_{part}" for part in ("bn", "conv")}
    for layer in theirs.layers:
        if layer.weights:
            mine = ours.get_layer(names.pop(layer.name))
            mine.set_weights(layer.get_weights())
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.epsilon = mine.epsilon  # theirs is 1.001e-5
    assert not names
    images = np.random.default_rng(0).normal(size=(2, 48, 40, 3)).astype("float32")
    expected = np.asarray(theirs(images))
    assert expected.std() > 0
    got = keras.Model(ours.input, ours.get_layer("act").output)(images)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * expected.max())


@pytest.mark.parametrize(
    ("form", "first", "blocks"),
    [
        ({"depth": 16}, 4, [8, 8, 8]),  # two layers add 4 maps; transitions keep half of them
        ({"depth": 16, "compression": 1}, 4, [8, 12, 16]),
        ({"depth": 10, "bottleneck": False, "compression": 1}, 16, [20, 24, 28]),
        ({"depth": 10, "bottleneck": False}, 4, [8, 8, 8]),
    ],
)
def test_maps_of_the_form_for_32x32(form, first, blocks):
    outputs = {row["name"]: row["output"] for row in layer_table(densenet_cifar(**TINY, **form))}
    assert outputs["conv1"] == [16, 16, first]
    last = [outputs[f"dense{block}_2_concat"] for block in (1, 2, 3)]
    assert last == [[side, side, maps] for side, maps in zip((16, 8, 4), blocks, strict=True)]
    assert "dense1_3_concat" not in outputs


def test_stages_halve_the_sides(shallow):
    for stem, sides in (("imagenet", [8, 4, 2, 1]), ("small", [29, 14, 7, 3])):
        outputs = {row["name"]: row["output"] for row in layer_table(densenet((29, 30, 1), 2, growth_rate=1, stem=stem))}
        assert [outputs[f"dense{block}_1_concat"][0] for block in (1, 2, 3, 4)] == sides


def test_dropout_follows_every_convolution_but_the_first():
    model = densenet_cifar(**TINY, depth=16, dropout=0.2)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Dropout") == kinds.count("Conv2D") - 1 == 3 * 2 * 2 + 2


def test_other_options():
    model = densenet_cifar(**TINY, depth=16, activation="elu", batch_norm=False)
    assert {layer.activation.__name__ for layer in model.layers if isinstance(layer, keras.layers.Activation)} == {"elu"}
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def test_the_small_stem_trains_on_28x28(shallow):
    keras.utils.set_random_seed(0)
    model = densenet((28, 28, 1), 2, growth_rate=4, stem="small")
    labels = np.arange(16) % 2
    images = np.random.default_rng(0).random((16, 28, 28, 1), dtype="float32") * (0.2 + 0.8 * labels[:, None, None, None])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    losses = [float(model.train_on_batch(images, labels)) for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0]


TOO_SMALL = "is too small: transition{}_pool leaves nothing of it; the smallest that works is {} x {} px"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"input_shape": (28, 40, 3)}, f"28 x 40 px {TOO_SMALL.format(3, 29, 29)}, and stem small takes smaller ones"),
        ({"input_shape": (40, 4, 3)}, f"40 x 4 px {TOO_SMALL.format(1, 29, 29)}, and stem small takes smaller ones"),
        ({"input_shape": (7, 7, 3), "stem": "small"}, f"7 x 7 px {TOO_SMALL.format(3, 8, 8)}"),
    ],
)
def test_images_that_are_too_small(options, sentence):
    with pytest.raises(ValueError, match=f"^an image of {sentence}$"):
        densenet(**options)


def test_smallest_images(shallow):
    for build, least, options in ((densenet, 29, {}), (densenet, 8, {"stem": "small"}), (densenet_cifar, 4, {"depth": 10})):
        assert build((least, least, 1), 2, growth_rate=1, **options).output_shape == (None, 2)
        with pytest.raises(ValueError, match=f"the smallest that works is {least} x {least} px"):
            build((least, least - 1, 1), 2, growth_rate=1, **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 100}, "depth must be one of 121, 169, 201; got 100"),
        ({"growth_rate": 0}, "growth_rate must be a whole number of at least 1; got 0"),
        ({"compression": 0}, "compression must be a number above 0 and at most 1; got 0"),
        ({"dropout": 1}, "dropout must be a number from 0 to below 1; got 1"),
        ({"bottleneck": 1}, "bottleneck must be true or false; got 1"),
        ({"stem": "tiny"}, "stem must be imagenet or small; got 'tiny'"),
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2; got 1"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
        ({"batch_norm": 1}, "batch_norm must be true or false; got 1"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        densenet(**options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 40.0}, "depth must be a whole number of at least 10; got 40.0"),
        ({"depth": 41}, r"depth must be 6n \+ 4, as 100 is; got 41"),
        ({"depth": 41, "bottleneck": False}, r"depth must be 3n \+ 4 without bottlenecks, as 40 is; got 41"),
        ({"bottleneck": None}, "bottleneck must be true or false; got None"),
    ],
)
def test_refusals_of_the_form_for_32x32(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        densenet_cifar(**options)

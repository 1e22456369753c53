"""Residual networks against the papers' numbers and keras.applications."""

import keras
import numpy as np
import pytest

from keras_models import catalog
from keras_models.arithmetic import layer_table
from keras_models.classifiers.resnet import IMAGENET, resnet, resnet_cifar
from keras_models.residual_blocks import basic_block
from tests.keras_models.classifiers.support import params
from tests.keras_models.reference import shuffle_norms

PUBLISHED = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    **{f"{kind}20": 269_722 for kind in ("resnet", "plain")},
    **{f"{kind}32": 464_154 for kind in ("resnet", "plain")},
    **{f"{kind}44": 658_586 for kind in ("resnet", "plain")},
    **{f"{kind}56": 853_018 for kind in ("resnet", "plain")},
    **{f"{kind}110": 1_727_962 for kind in ("resnet", "plain")},
    "resnet1202": 19_421_274,
}
TINY = {"input_shape": (8, 8, 1), "num_classes": 2, "width": 0.125}


def projections(*maps):
    """Parameters of 1x1 convolutions between as many maps, and of their normalisations."""
    return sum(before * after + 2 * after for before, after in maps)


@pytest.fixture
def shallow(monkeypatch):
    monkeypatch.setitem(IMAGENET, 18, (basic_block, (1, 1, 1, 1)))


def test_recorded_counts_are_the_published_ones():
    assert {name: catalog()[name].params for name in PUBLISHED} == PUBLISHED


def test_plain_networks_lack_the_projections():
    for depth in (18, 34):
        more = catalog()[f"resnet{depth}"].params - catalog()[f"plain{depth}"].params
        assert more == projections((64, 128), (128, 256), (256, 512))


def test_depth_1202_from_the_count_of_a_block():
    """Each stage has 200 blocks, of which all but the first are alike."""
    shallow, deeper = params(resnet_cifar, depth=8), params(resnet_cifar, depth=14)
    assert shallow + (200 - 1) * (deeper - shallow) == catalog()["resnet1202"].params


def test_shortcuts_of_the_form_for_32x32():
    plain, a, b, c = (params(resnet_cifar, depth=14, shortcut=shortcut) for shortcut in ("none", "A", "B", "C"))
    assert plain == a
    changing = projections((16, 32), (32, 64))
    assert b - a == changing
    assert c - a == changing + 2 * projections((16, 16)) + projections((32, 32), (64, 64))


def test_shortcuts_of_bottlenecks():
    more = catalog()["resnet50"].params - params(resnet, depth=50, shortcut="A")
    assert more == projections((64, 256), (256, 512), (512, 1024), (1024, 2048))


def test_preactivation_networks_of_identity_mappings():
    """Table 4 gives 1.7 million parameters for depth 164 and 10.2 for 1001, where these have 1.70 and 10.33."""
    options = {"bottleneck": True, "preactivation": True, "shortcut": "B"}
    shallow, deeper = (params(resnet_cifar, depth=depth, **options) for depth in (11, 20))
    assert shallow + (18 - 1) * (deeper - shallow) == pytest.approx(1.7e6, rel=0.015)
    assert shallow + (111 - 1) * (deeper - shallow) == pytest.approx(10.2e6, rel=0.015)


@pytest.mark.whole
def test_resnet50_is_that_of_keras_applications():
    theirs = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(48, 40, 3))
    ours = resnet((48, 40, 3), 2)
    shuffle_norms(theirs)
    names = {"conv1_conv": "conv1", "conv1_bn": "bn1"}
    for stage, blocks in zip((2, 3, 4, 5), (3, 4, 6, 3), strict=True):
        for block in range(1, blocks + 1):
            for part in range(4 if block == 1 else 3, 0, -1):
                number = part % 4  # theirs is 0 for the shortcut
                convolution, normalisation = (f"conv{number}", f"bn{number}") if number else ("shortcut", "shortcut_bn")
                names[f"conv{stage}_block{block}_{number}_conv"] = f"conv{stage}_{block}_{convolution}"
                names[f"conv{stage}_block{block}_{number}_bn"] = f"conv{stage}_{block}_{normalisation}"
    for layer in theirs.layers:
        if layer.weights:
            mine = ours.get_layer(names.pop(layer.name))
            if isinstance(layer, keras.layers.Conv2D):
                kernel, bias = layer.get_weights()
                assert not bias.any()
                mine.set_weights([kernel])
            else:
                mine.set_weights(layer.get_weights())
                layer.epsilon = mine.epsilon  # theirs is 1.001e-5
    assert not names
    images = np.random.default_rng(0).normal(size=(2, 48, 40, 3)).astype("float32")
    expected = np.asarray(theirs(images))
    assert expected.std() > 0
    got = keras.Model(ours.input, ours.get_layer("conv5_3_act3").output)(images)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * expected.max())


def test_stages_halve_the_sides(shallow):
    outputs = {row["name"]: row["output"] for row in layer_table(resnet_cifar(width=0.125))}
    assert [outputs[f"{name}_act2"] for name in ("conv2_3", "conv3_3", "conv4_3")] == [[32, 32, 2], [16, 16, 4], [8, 8, 8]]
    for stem, sides in (("imagenet", (8, 4, 2, 1)), ("small", (29, 15, 8, 4))):
        model = resnet((29, 30, 1), 2, 18, stem=stem, width=1 / 64)
        outputs = {row["name"]: row["output"] for row in layer_table(model)}
        assert [outputs[f"conv{stage}_1_act2"][0] for stage in (2, 3, 4, 5)] == list(sides)


def test_any_size_down_to_a_pixel(shallow):
    assert resnet((1, 1, 1), 2, 18, width=1 / 64)(np.zeros((1, 1, 1, 1), "float32")).shape == (1, 2)


def test_preactivation_activates_after_the_stem_and_after_the_last_block():
    names = [layer.name for layer in resnet_cifar(**TINY, depth=8, preactivation=True).layers if "shortcut" not in layer.name]
    first = ["conv1", "bn1", "act1", "conv2_1_conv1", "conv2_1_bn2", "conv2_1_act2", "conv2_1_conv2", "conv2_1_add"]
    assert names[1 : 1 + len(first)] == first
    assert names[1 + len(first) :][:2] == ["conv3_1_bn1", "conv3_1_act1"]
    assert names[-5:] == ["conv4_1_add", "bn", "act", "pool", "logits"]


def test_plain_networks_add_nothing():
    model = resnet_cifar(**TINY, shortcut="none")
    assert model.name == "plain20"
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert len([layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]) == 19


def test_other_options():
    model = resnet_cifar(**TINY, depth=8, activation="tanh", batch_norm=False)
    assert {layer.activation.__name__ for layer in model.layers if isinstance(layer, keras.layers.Activation)} == {"tanh"}
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def test_the_small_stem_trains_on_28x28(shallow):
    keras.utils.set_random_seed(0)
    model = resnet((28, 28, 1), 2, 18, stem="small", width=1 / 16)
    labels = np.arange(16) % 2
    images = np.random.default_rng(0).random((16, 28, 28, 1), dtype="float32") * (0.2 + 0.8 * labels[:, None, None, None])
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    losses = [float(model.train_on_batch(images, labels)) for _ in range(6)]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 20}, "depth must be one of 18, 34, 50, 101, 152; got 20"),
        ({"shortcut": "D"}, "shortcut must be A or B or C or none; got 'D'"),
        ({"shortcut": "none", "preactivation": True}, "preactivation keeps .* so shortcut must be A, B or C; got 'none'"),
        ({"preactivation": "yes"}, "preactivation must be true or false; got 'yes'"),
        ({"strided": 3}, "strided must be 1x1 or 3x3; got 3"),
        ({"stem": "tiny"}, "stem must be imagenet or small; got 'tiny'"),
        ({"width": 0}, "width must be a number above 0; got 0"),
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2; got 1"),
        ({"activation": "rleu"}, "activation must be the name of a Keras activation, such as relu, tanh or elu; got 'rleu'"),
        ({"batch_norm": 1}, "batch_norm must be true or false; got 1"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        resnet(**options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"depth": 21}, r"depth must be 6n \+ 2, as 20 is; got 21"),
        ({"depth": 2}, "depth must be a whole number of at least 8; got 2"),
        ({"depth": 32, "bottleneck": True}, r"depth must be 9n \+ 2 with bottlenecks, as 164 is; got 32"),
        ({"bottleneck": None}, "bottleneck must be true or false; got None"),
    ],
)
def test_refusals_of_the_form_for_32x32(options, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        resnet_cifar(**options)

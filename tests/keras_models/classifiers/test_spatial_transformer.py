"""Networks for distorted digits: their layers, what they start as, and that the localisation network learns."""

import keras
import numpy as np
import pytest

from keras_models.arithmetic import layer_table
from keras_models.classifiers.spatial_transformer import st_cnn, st_mlp
from keras_models.parameters import total_params
from keras_models.spatial_transformer import TRANSFORMS

IMAGES = np.random.default_rng(0).random((8, 28, 28, 1), dtype="float32")
PARAMETERS = {"affine": 6, "projective": 8, "tps": 32}
SMALL = {"filters": (2, 2), "localisation_filters": (2, 2), "localisation_units": 4}


def until(model, name):
    return keras.Model(model.input, model.get_layer(name).output)


def test_layers_of_the_published_networks():
    counts = {row["name"]: row["params"] for row in layer_table(st_cnn()) if row["params"]}
    assert counts == {
        **{"localisation_conv1": 520, "localisation_conv2": 10_020, "localisation_dense": 6_420, "theta": 126},
        **{"conv1": 2_624, "conv2": 50_208, "logits": 1_290},
    }
    assert total_params(st_mlp()) == 296_752


def test_the_cnn_is_what_is_left_without_the_transformer():
    counts = {row["name"]: row["params"] for row in layer_table(st_cnn(transform=None)) if row["params"]}
    assert counts == {"conv1": 2_624, "conv2": 50_208, "logits": 1_290}
    assert total_params(st_cnn(transform=None, filters=(32, 43))) == 71_821  # as many as with it: configs/turned_mnist_cnn.yaml


@pytest.mark.parametrize("build", [st_cnn, st_mlp])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_starts_as_the_identity(build, transform):
    model = build(transform=transform)
    np.testing.assert_allclose(until(model, "transformed")(IMAGES), IMAGES, atol=1e-5)
    assert model.get_layer("theta").units == PARAMETERS[transform]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_localisation_network_learns(transform):
    """Weights of 0 hold the gradient back from what is before them, once."""
    keras.utils.set_random_seed(0)
    model = st_cnn(transform=transform, activation="tanh", **SMALL)
    model.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    localisation = [layer for layer in model.layers if layer.name.startswith("localisation") and layer.weights]
    for step in (1, 2):
        before = [layer.get_weights()[0] for layer in localisation]
        model.train_on_batch(IMAGES, np.arange(8))
        moved = [(old != layer.get_weights()[0]).any() for old, layer in zip(before, localisation, strict=True)]
        assert moved == [step == 2] * 3
        assert (model.get_layer("theta").get_weights()[0] != 0).any()


@pytest.fixture
def half():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("half")
def test_positions_stay_float32_under_mixed_precision():
    model = st_cnn(**SMALL)
    dtypes = {name: model.get_layer(name).output.dtype for name in ("conv1", "theta", "grid", "transformed")}
    assert dtypes == {"conv1": "float16", "theta": "float32", "grid": "float32", "transformed": "float32"}


@pytest.mark.parametrize(("build", "name", "options"), [(st_cnn, "conv", SMALL), (st_mlp, "hidden", {"hidden": (4, 4)})])
def test_batch_norm_and_dropout_of_the_classifier(build, name, options):
    model = build(batch_norm=True, dropout=0.25, activation="tanh", **options)
    first, second = (model.get_layer(f"{name}{number}") for number in "12")
    assert not first.use_bias
    assert not second.use_bias
    assert {f"{name}2_norm", f"{name}2_tanh"} <= {layer.name for layer in model.layers}
    assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {0.25}
    plain = total_params(build(**options))
    assert total_params(model) == plain + sum(layer.kernel.shape[-1] for layer in (first, second))
    assert model.get_layer("localisation_dense" if build is st_cnn else "localisation_dense1").use_bias


def test_the_smallest_input_is_exact():
    assert st_cnn((24, 25, 1), 2, **SMALL).output_shape == (None, 2)
    with pytest.raises(
        ValueError, match=r"23 x 28 px is too small: pool2 leaves nothing of it; the smallest that works is 24 x 24 px$"
    ):
        st_cnn((23, 28, 1))


@pytest.mark.parametrize("build", [st_cnn, st_mlp])
def test_refusals(build):
    with pytest.raises(ValueError, match=r"^batch_norm must be true or false; got 1$"):
        build(batch_norm=1)
    with pytest.raises(ValueError, match=r"^dropout must be a number from 0 to below 1; got 1$"):
        build(dropout=1)
    with pytest.raises(ValueError, match=r"^transform must be affine or projective or tps; got 'rigid'$"):
        build(transform="rigid")
    with pytest.raises(ValueError, match=r"^points_per_side must be a whole number of at least 2; got 1$"):
        build(transform="tps", points_per_side=1)
    with pytest.raises(ValueError, match=r"^num_classes must be a whole number of at least 2; got 1$"):
        build(num_classes=1)


def test_refused_filters():
    with pytest.raises(ValueError, match=r"^filters must be 2 counts; got \(4, 4, 4\)$"):
        st_cnn(filters=(4, 4, 4))

"""A spatial transformer before a classifier: at first nothing changes, and then it learns where to look."""

import keras
import numpy as np
import pytest

from keras_models import auxiliary, build, normalize
from keras_models.classifiers.googlenet import googlenet
from keras_models.classifiers.lenet import lenet5
from keras_models.layers.spatial_transformer import BilinearSampler
from keras_models.parameters import total_params
from keras_models.spatial_transformer import TRANSFORMS, dense, samplers, transformed, with_spatial_transformer

IMAGES = np.random.default_rng(0).random((8, 16, 16, 1), dtype="float32")


def until(model, name):
    return keras.Model(model.input, model.get_layer(name).output)


def test_it_moves_what_it_sees_to_where_the_loss_wants_it():
    """Two blobs, left and right of the middle, each to be moved there: no one theta would do."""
    keras.utils.set_random_seed(0)
    y, x = np.meshgrid(*[np.arange(11) - 5.0] * 2, indexing="ij")
    blobs = np.exp(-((x - np.reshape([-2, 0, 2], (3, 1, 1))) ** 2 + y**2) / 8)[..., None].astype("float32")
    image = keras.Input((11, 11, 1))
    model = with_spatial_transformer(keras.Model(image, keras.layers.Identity()(image)), localise=lambda x: dense(x, (8,), "tanh"))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    moved, wanted = blobs[[0, 2]], blobs[[1, 1]]
    before = np.square(moved - wanted).mean()
    steps = 120
    model.fit(np.tile(moved, (steps, 1, 1, 1)), np.tile(wanted, (steps, 1, 1, 1)), batch_size=2, shuffle=False, verbose=0)
    assert np.square(model(moved) - wanted).mean() < before / 20
    theta = until(model, "theta")(moved)
    np.testing.assert_allclose(theta[:, 2], [-0.4, 0.4], atol=0.08)  # 2 px of 10


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_before_another_classifier(transform, tmp_path):
    net = lenet5((16, 16, 1), 3)
    model = with_spatial_transformer(net, transform, localise=lambda image: dense(image, (4,)))
    x = IMAGES
    np.testing.assert_allclose(model(x), net(x), atol=1e-5)
    weights = model.get_layer("theta").get_weights()
    model.get_layer("theta").set_weights([weights[0], 0.9 * weights[1]])
    assert np.abs(model(x) - net(x)).max() > 1e-3
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras").predict(x), model.predict(x))
    assert {id(weight) for weight in net.weights} < {id(weight) for weight in model.weights}


MEAN, VARIANCE = (60.0, 10.0, 200.0), (4000.0, 900.0, 0.0)  # a variance of 0: only centred, and divided by 255
SHIFTED = {"affine": [0.9, 0.1, 0.7, -0.2, 1.3, -0.6]}


@pytest.mark.parametrize("name", ["st_cnn", "st_mlp", "of_one_s_own"])
def test_behind_its_normalisation_it_reads_black_around_the_image(name, tmp_path):
    """The same as moving the pixels, with black around them, and normalising what comes of it."""
    name = f"{__name__}:{name}" if name == "of_one_s_own" else name
    net = build(name, {"input_shape": (24, 24, 3), "num_classes": 3}, {})
    [sampler] = samplers(net)
    model = normalize.with_normalization(net, "per_channel", MEAN, VARIANCE)
    theta = net.get_layer("theta")
    theta.set_weights([0 * theta.get_weights()[0], np.float32(SHIFTED["affine"])])
    pixels = np.random.default_rng(3).integers(100, 256, (4, 24, 24, 3)).astype("float32")
    grid = net.get_layer("grid")(np.tile(np.float32(SHIFTED["affine"]), (4, 1)))
    moved = np.asarray(BilinearSampler()([pixels, grid]))
    assert (moved == 0).any(), "some of it lies outside"
    wanted = (moved - MEAN) / np.where(VARIANCE, np.sqrt(VARIANCE), 255)
    seen = keras.Model(net.inputs, sampler.output)(model.get_layer("normalize")(pixels))
    np.testing.assert_allclose(seen, wanted, atol=1e-3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(pixels, verbose=0), model.predict(pixels, verbose=0))
    assert samplers(normalize.inner(again))[0].ground == sampler.ground


@pytest.mark.parametrize("kind", ["none", "unit", "per_image"])
def test_a_normalisation_that_leaves_black_where_it_is_changes_nothing(kind):
    net = build("st_mlp", {"input_shape": (8, 8, 1), "num_classes": 3}, {})
    normalize.with_normalization(net, kind)
    assert samplers(net)[0].ground is None


def test_maps_from_within_a_net_have_no_black():
    image = keras.Input((8, 8, 1))
    maps = keras.layers.Conv2D(2, 3)(image)
    net = keras.Model(image, transformed(maps, dense(image, (4,))))
    normalize.with_normalization(net, "per_channel", [100.0], [900.0])
    assert net.get_layer("transformed").ground is None


def test_before_a_net_with_heads():
    net = googlenet((16, 16, 1), 3, "small", (1, 1, 1), 0.02)
    model = with_spatial_transformer(net)
    learner = auxiliary.learner(model)
    assert [output.shape for output in learner.outputs] == [(None, 3)] * 2
    assert total_params(learner) - total_params(model) == total_params(auxiliary.learner(net)) - total_params(net)


def test_a_net_that_sees_a_part_of_a_larger_image():
    net = lenet5((16, 16, 1), 3)
    model = with_spatial_transformer(net, input_shape=(31, 31, 1))
    assert model.input_shape == (None, 31, 31, 1)
    x = np.repeat(np.repeat(IMAGES, 2, 1), 2, 2)[:, :31, :31]
    np.testing.assert_allclose(until(model, "transformed")(x), IMAGES, atol=1e-5)
    with pytest.raises(ValueError, match=r"^the net wants 1 channels; input_shape has 3$"):
        with_spatial_transformer(net, input_shape=(31, 31, 3))


def of_one_s_own(input_shape, num_classes, transform="affine"):
    return with_spatial_transformer(lenet5(input_shape, num_classes), transform)


def test_in_a_builder_of_one_s_own():
    model = build(f"{__name__}:of_one_s_own", {"input_shape": (20, 20, 1), "num_classes": 3}, {"transform": "tps"})
    assert model.output_shape == (None, 3)


def test_the_smallest_input_of_the_localisation_network():
    def flat(*shape):
        return keras.Sequential([keras.Input(shape), keras.layers.Flatten()])

    assert with_spatial_transformer(flat(16, 16, 1)).output_shape == (None, 256)
    with pytest.raises(ValueError, match=r"16 x 15 px is too small: localisation_pool2 leaves .* works is 16 x 16 px$"):
        with_spatial_transformer(flat(16, 15, 1))

"""Methods that show what units look for: filters, maps, images that excite them, images made for them, and what a shift does."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_models import normalize, twin
from keras_models.explain import activation_maximisation, equivariance, exciting_images, feature_maps, filters
from keras_models.explain.activation_maximisation import Regularisation
from keras_models.explain.base import Asked, Unsuited
from keras_models.explain.network import Network, Target, scores
from tests.keras_models.explain.nets import images, linear, rectified

PLAIN = {"tv": 0.0, "jitter": 0, "blur": 0.0}


def cosine(made, wanted):
    return float(np.sum(made * wanted) / np.linalg.norm(made) / np.linalg.norm(wanted))


@pytest.mark.parametrize("fourier", [False, True])
def test_the_image_that_excites_a_linear_unit_most_is_its_weights(fourier):
    model, weights = linear((8, 8, 1))
    how = Regularisation(steps=250, l2=1 / 40, fourier=fourier, **PLAIN)
    made = activation_maximisation.maximise(Network(model), Target("net/logits", np.array([0, 2])), how)
    for image, wanted in zip(made, weights[[0, 2]], strict=True):
        assert cosine(image - activation_maximisation.GREY, wanted) > 0.98


def test_total_variation_and_blur_make_it_smoother():
    model, _ = linear((8, 8, 1))
    target = Target("net/logits", np.array([0]))

    def rough(**how):
        made = activation_maximisation.maximise(Network(model), target, Regularisation(**{"steps": 60, **PLAIN, **how}))[0, ..., 0]
        return np.abs(np.diff(made, axis=0)).mean() + np.abs(np.diff(made, axis=1)).mean()

    assert rough(tv=0.5) < 0.9 * rough()
    assert rough(blur=1.0) < 0.9 * rough()


def test_an_image_made_for_a_class_excites_it_more_than_grey_and_stays_an_image():
    network = Network(rectified())
    answer = activation_maximisation.show(network, Asked(classes=["p", "q", "r"]))
    assert [row["unit"] for row in answer.figures] == ["p", "q", "r"]
    for row, tile in zip(answer.figures, answer.strips[0].tiles, strict=True):
        assert row["reached"] > row["of grey"]
        assert tile.values.min() >= 0
        assert tile.values.max() <= 255
    reached = scores(network, answer.strips[0].tiles[1].values, Target("net/logits", np.array([1])))
    assert reached[0] == pytest.approx(answer.figures[1]["reached"], rel=1e-4)


def test_filters_of_a_convolution_and_of_a_dense_layer():
    model = rectified()
    kernel = np.asarray(model.get_layer("net").get_layer("conv1").kernel)
    [tile] = filters.show(Network(model), Asked()).strips[0].tiles
    np.testing.assert_array_equal(tile.values[2, ..., 0], kernel[..., 0, 2])
    model, weights = linear()
    [tile] = filters.show(Network(model), Asked(unit=1)).strips[0].tiles
    np.testing.assert_array_equal(tile.values, weights[1:2])


def test_a_dead_filter_is_counted():
    model = rectified()
    layer = model.get_layer("net").get_layer("conv1")
    kernel, bias = layer.get_weights()
    kernel[..., 3] = 0
    layer.set_weights([kernel, bias])
    assert filters.show(Network(model), Asked()).figures == [{"layer": "conv1", "filters": 4, "dead": 1}]


def test_maps_of_every_layer_that_computes():
    x = images()
    answer = feature_maps.show(Network(rectified()), Asked(images=x, called=["a", "b"]))
    assert [strip.caption for strip in answer.strips] == ["a", "b"]
    assert [tile.caption.partition(",")[0] for tile in answer.strips[0].tiles] == ["the image", "conv1", "pool1", "relu2", "logits"]
    maps = Network(rectified()).values(x, ["net/conv1"])["net/conv1"]
    assert answer.strips[1].tiles[1].values.shape == (4, *maps.shape[1:3], 1)


def test_the_image_that_has_the_pattern_excites_the_unit_and_its_patch_is_framed():
    """A kernel of ones answers to a bright square: it is found, and framed where it is."""
    x = keras.Input((9, 9, 1))
    y = layers.Conv2D(1, 3, strides=2, kernel_initializer="ones", name="conv")(x)
    network = Network(keras.Model(x, y, name="squares"))
    many = np.zeros((70, 9, 9, 1), "float32")
    many[66, 4:7, 2:5] = 100
    many[3, 0:3, 0:3] = 50
    answer = exciting_images.show(network, Asked(layer="conv", unit=0, many=many))
    first, second = answer.strips[0].tiles[:2]
    assert first.caption.startswith("image 66: 900")
    assert first.box == (4, 2, 6, 4)
    assert second.caption.startswith("image 3: 450")
    assert second.box == (0, 0, 2, 2)
    assert answer.figures[0]["largest"] == 900


def test_a_whole_field_is_not_framed():
    answer = exciting_images.show(Network(linear()[0]), Asked(layer="logits", many=images((6, 6, 1), 4)))
    assert {tile.box for strip in answer.strips for tile in strip.tiles} == {None}
    assert any("nothing is framed" in note for note in answer.notes)


def test_maps_of_a_convolution_move_with_the_image_and_those_of_a_dense_layer_do_not():
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, activation="relu", name="conv")(image)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(2, 2, name="second")(x)
    network = Network(keras.Model(image, layers.Dense(3, name="logits")(layers.Flatten()(x)), name="net"))
    x = images()
    for path, stride, by in (("conv", 1, 1), ("conv", 1, -3), ("pool", 2, 2), ("second", 2, 2)):
        assert equivariance.difference(network, x, path, by, stride) < 1e-5
    assert equivariance.difference(network, x, "pool", 1, 1) > 0.01  # half a stride is no whole place


def test_a_shift_brings_background_in():
    x = np.zeros((1, 3, 4, 1), "float32")
    x[0, :, 1] = 8
    assert equivariance.shifted(x, 1)[0, 0, :, 0].tolist() == [0, 0, 8, 0]
    assert equivariance.shifted(x, -1)[0, 0, :, 0].tolist() == [8, 0, 0, 0]
    assert equivariance.shifted(x, 0)[0, 0, :, 0].tolist() == [0, 8, 0, 0]


def test_what_cannot_move_and_decides_nothing_is_said():
    x = keras.Input((4, 4, 1))
    y = layers.Reshape((4, 4, 1))(layers.Dense(16)(layers.Flatten()(x)))
    with pytest.raises(Unsuited, match="no maps that could move, and no class that could stay"):
        equivariance.show(Network(keras.Model(x, y, name="dense")), Asked(images=images((4, 4, 1))))


def test_of_an_autoencoder_the_units_of_its_code_are_shown():
    network = Network(normalize.with_normalization(twin("autoencoder"), "unit"))
    x = images(network.shape, 3)
    code = network.find("code")
    assert network.narrowest() == code
    asked = Asked(many=x)
    units = network.parts[code].units
    made = activation_maximisation.maximise(network, Target(code, np.arange(units), "centre"), Regularisation(steps=2))
    assert made.shape == (units, *network.shape)
    assert {row["unit"] for row in exciting_images.show(network, asked).figures} == {
        f"unit {n} of encoder/code" for n in range(units)
    }

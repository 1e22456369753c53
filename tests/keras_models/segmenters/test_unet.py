"""U-Net against figure 1, and the sides that it takes."""

import keras
import numpy as np
import pytest

from keras_models.arithmetic import layer_table
from keras_models.parameters import total_params, without_weights
from keras_models.segmenters.unet import unet

SMALL = {"num_classes": 3, "filters": (2, 3, 4), "activation": "elu"}

# Figure 1 as printed: side and maps after each operation.
DOWN = [
    [(570, 64), (568, 64)],
    [(282, 128), (280, 128)],
    [(138, 256), (136, 256)],
    [(66, 512), (64, 512)],
    [(30, 1024), (28, 1024)],
]
UP = [[(56, 1024), (54, 512), (52, 512)], [(104, 512), (102, 256), (100, 256)], [(200, 256), (198, 128), (196, 128)]]
UP += [[(392, 128), (390, 64), (388, 64)]]


def test_it_is_figure_1():
    with without_weights():
        model = unet()
    sides = {row["name"]: (row["output"][0], row["output"][2]) for row in layer_table(model)}
    assert [[sides[f"down{level}_conv{number}"] for number in (1, 2)] for level in range(1, 6)] == DOWN
    printed = [[sides[f"skip{level}"], *(sides[f"up{level}_conv{number}"] for number in (1, 2))] for level in (4, 3, 2, 1)]
    assert printed == UP
    assert model.output_shape == (None, 388, 388, 2)
    assert total_params(model) == 31_030_658
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    transposed = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert len(convolutions) + len(transposed) == 23  # "In total the network has 23 convolutional layers."
    assert [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == ["drop4", "drop5"]


def test_what_a_skip_adds_is_the_middle_of_what_its_level_saw():
    model = unet((60, 44, 1), padding="valid", **SMALL)
    parts = keras.Model(model.input, [model.get_layer(name).output for name in ("drop2", "skip2")])
    saw, given = (np.asarray(part) for part in parts(np.random.default_rng(0).random((1, 60, 44, 1), "float32")))
    more = (saw.shape[1] - given.shape[1]) // 2
    np.testing.assert_array_equal(given[..., :3], saw[:, more:-more, more:-more])


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_sides_that_work_are_named_for_those_that_do_not(levels):
    filters = (1,) * levels
    first, second, third, *_ = [side for side in range(1, 260) if works(side, filters)]
    for side in (first, second):
        with without_weights():
            assert unet((side, third, 1), filters=filters).output_shape[1] > 0
    with pytest.raises(ValueError, match=rf"too small: \w+ leaves nothing of it; the smallest that works is {first} x {first} px"):
        unet((first, first - 1, 1), filters=filters)
    said = rf"pool\d is given \d+ px where the image has {second + 1}; the next that work are {second} or {third} px"
    with pytest.raises(ValueError, match=f"{said}, the smallest {first} px, and padding: same takes any"):
        unet((first, second + 1, 1), filters=filters)


def works(side, filters):
    """Each pooling has an even side, and something is left."""
    for _ in filters[1:]:
        side -= 4
        if side < 2 or side % 2:
            return False
        side //= 2
    side -= 4
    if side < 1:
        return False
    for _ in filters[1:]:
        side = 2 * side - 4
    return side > 0


@pytest.mark.parametrize("sides", [(1, 1), (7, 13), (16, 12)])
def test_padded_it_takes_any_size_and_answers_for_each_pixel(sides):
    model = unet((*sides, 2), padding="same", **SMALL)
    assert model.output_shape == (None, *sides, 3)
    assert np.isfinite(model(np.ones((1, *sides, 2), "float32"))).all()
    with without_weights():
        assert total_params(model) == total_params(unet((60, 60, 2), **SMALL)), "padding costs no weight"


def test_weights_start_with_the_variance_of_what_they_add_up():
    keras.utils.set_random_seed(0)
    model = unet((32, 32, 1), filters=(32, 64), padding="same")
    for name, added in (("down2_conv2", 9 * 64), ("up1", 64), ("up1_conv1", 9 * 64)):
        assert np.std(model.get_layer(name).kernel) == pytest.approx(np.sqrt(2 / added), rel=0.03)
        assert not np.any(model.get_layer(name).bias)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"filters": (8,)}, "filters must be a list of whole numbers from 1 with at least 2"),
        ({"padding": "mirror"}, "padding must be valid or same"),
        ({"dropout": 1}, "dropout must be a number from 0"),
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2"),
        ({"batch_norm": 1}, "batch_norm must be true or false"),
    ],
)
def test_what_it_cannot_be_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        unet((60, 60, 1), **options)

"""Fully convolutional networks against the authors' figures, and against the layers they are made of."""

import keras
import numpy as np
import pytest

from keras_models import build
from keras_models.arithmetic import layer_table
from keras_models.layers.bilinear import Bilinear
from keras_models.parameters import total_params, without_weights
from keras_models.segmenters.fcn import fcn

SMALL = {"num_classes": 3, "width": 0.03, "dropout": 0.0}


def published(name, **options):
    with without_weights():
        return build(name, {}, options)


def test_before_enlarging_there_are_134_346_581_weights():
    model = published("fcn32s")
    enlarging = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert [layer.name for layer in enlarging] == ["up32"]
    assert total_params(model) == model.count_params() - enlarging[0].count_params() == 134_346_581
    assert enlarging[0].kernel.shape == (64, 64, 21, 21)


@pytest.mark.parametrize(
    ("name", "skips"), [("fcn32s", {}), ("fcn16s", {"pool4": 512}), ("fcn8s", {"pool4": 512, "pool3": 256})], ids=str
)
def test_each_skip_adds_a_layer_of_scores_and_a_step_that_is_learned(name, skips):
    model = published(name)
    learned = sum((maps + 1) * 21 + 4 * 4 * 21 * 21 for maps in skips.values())
    assert total_params(model) == 134_346_581 + learned
    assert model.output_shape == (None, 500, 500, 21)
    ups = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert [layer.trainable for layer in ups] == [True] * len(skips) + [False]


def test_sides_are_those_of_the_released_network():
    """Of a 500 px image: 698 after the first convolution, 22 of pool5, 16 scores, 34 and 70 on the way up, 568 at its end."""
    sides = {row["name"]: row["output"][0] for row in layer_table(published("fcn8s"))}
    wanted = {"conv1_1": 698, "pool3": 88, "pool4": 44, "pool5": 22, "fc6": 16, "up_to_pool4": 34, "up_to_pool3": 70, "up8": 568}
    assert {name: sides[name] for name in wanted} == wanted


@pytest.mark.parametrize("side", [1, 33, 64, 97])
@pytest.mark.parametrize("padding", ["published", "same"])
@pytest.mark.parametrize("stride", [32, 16, 8])
def test_any_size_is_answered_pixel_by_pixel(stride, padding, side):
    with without_weights():
        model = fcn((side, side + 5, 1), stride=stride, padding=padding, **SMALL)
    assert model.output_shape == (None, side, side + 5, 3)


@pytest.mark.parametrize("size", [4, 5, 16])
def test_enlarging_starts_as_bilinear_interpolation(size):
    """Away from the border a transposed convolution by the tent is SciPy's linear interpolation between centres of pixels."""
    from scipy.interpolate import RegularGridInterpolator

    factor = (size + 1) // 2
    kernel = np.asarray(Bilinear()((size, size, 2, 2)))
    assert not kernel[..., 0, 1].any()
    assert not kernel[..., 1, 0].any()
    if size % 2:
        return
    small = np.random.default_rng(0).random((6, 5))
    up = keras.layers.Conv2DTranspose(1, size, factor, "same", use_bias=False, kernel_initializer=Bilinear())
    made = np.asarray(up(small[None, ..., None].astype("float32")))[0, ..., 0]
    grid = RegularGridInterpolator((np.arange(6), np.arange(5)), small)
    rows, columns = (np.arange(factor, side * factor - factor) for side in small.shape)
    places = np.stack(np.meshgrid((rows + 0.5) / factor - 0.5, (columns + 0.5) / factor - 0.5, indexing="ij"), -1)
    np.testing.assert_allclose(made[factor:-factor, factor:-factor], grid(places), rtol=1e-5)


@pytest.mark.parametrize("padding", ["published", "same"])
def test_a_score_lies_where_its_pixels_lie(padding):
    """The middle of what each of the first and last pixels sees is the pixel itself, but for half a cell of the stride."""
    with without_weights():
        model = fcn((128, 128, 1), stride=32, padding=padding, kernel=7 if padding == "published" else 1, **SMALL)
    row = layer_table(model)[-1]
    middles = [start + (size - 1) / 2 for start, size in zip(row["offset"], row["receptive_field"], strict=True)]
    assert row["stride"] == [1, 1]
    assert np.abs(middles).max() <= 32


def test_what_there_is_no_room_for_is_refused():
    with pytest.raises(ValueError, match="stride must be 32, 16 or 8; got 4"):
        fcn((64, 64, 1), stride=4)
    with pytest.raises(ValueError, match="kernel must be at most 9, the side of pool5 here; got 10"), without_weights():
        fcn((64, 64, 1), kernel=10, **SMALL)

"""Numbers as colours."""

import io

import numpy as np
import pytest
from PIL import Image

from reports import heat


def test_signed_numbers_are_white_at_nothing_blue_above_and_orange_below():
    made = heat.coloured(np.array([[0.0, 4.0, -4.0, 2.0]])[..., None], "signed")
    assert made[0, :3].tolist() == [[255, 255, 255], list(heat.POSITIVE), list(heat.NEGATIVE)]
    assert made[0, 3].tolist() == pytest.approx(np.mean([heat.POSITIVE, heat.NOTHING], 0), abs=1)


def test_filters_of_colours_are_grey_at_nothing():
    assert heat.coloured(np.array([[[0.0, 2.0, -2.0]]]), "signed").tolist() == [[[128, 255, 0]]]


def test_strengths_grow_lighter():
    made = heat.coloured(np.linspace(0, 7, 50)[None, :, None], "strength").astype(int)[0]
    assert made[0].tolist() == [0, 0, 0]
    assert made[-1].tolist() == [255, 255, 255]
    luma = made @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luma) > 0).all()


@pytest.mark.parametrize("kind", ["pixels", "signed", "strength"])
@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_and_what_is_no_number_have_a_colour(kind, channels):
    values = np.zeros((2, 2, channels))
    values[0, 0] = np.nan
    assert heat.coloured(values, kind).shape == (2, 2, 3)
    assert heat.laid_over(values, kind, values).shape == (2, 2, 3)


@pytest.mark.parametrize(("side", "wanted", "scale"), [(8, 96, 12), (100, 100, 1), (500, 167, 1 / 3)])
def test_small_ones_are_enlarged_by_whole_factors_and_large_ones_reduced(side, wanted, scale):
    made, factor = heat.sized(np.zeros((side, side, 3), "uint8"), 96, 192)
    assert made.shape == (wanted, wanted, 3)
    assert factor == pytest.approx(scale)


def test_a_grid_holds_every_picture_in_its_place():
    pictures = [np.full((4, 5, 3), number, "uint8") for number in (10, 20, 30)]
    made = heat.grid(pictures, 2)
    assert made.shape == (2 * 4 + heat.GAP, 2 * 5 + heat.GAP, 3)
    assert made[0, 0, 0] == 10
    assert made[0, 5 + heat.GAP, 0] == 20
    assert made[4 + heat.GAP, 0, 0] == 30
    assert made[4 + heat.GAP, 5 + heat.GAP].tolist() == list(heat.GROUND)


def test_a_frame_is_around_its_box_and_stays_inside():
    made = heat.framed(np.zeros((40, 40, 3), "uint8"), (1, 2, 3, 4), 8.0)
    assert made[8, 16].tolist() == list(heat.FRAME)
    assert made[31, 39].tolist() == list(heat.FRAME)
    assert made[20, 30].tolist() == [0, 0, 0]
    assert heat.framed(np.zeros((40, 40, 3), "uint8"), (-3, -3, 99, 99), 8.0)[0, 0].tolist() == list(heat.FRAME)


@pytest.mark.parametrize("form", ["webp", "png"])
def test_files_hold_what_was_drawn(form):
    drawn = np.random.default_rng(0).integers(0, 255, (9, 7, 3)).astype("uint8")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(heat.encoded(drawn, form))).convert("RGB")), drawn)

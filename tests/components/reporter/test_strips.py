"""Strips show the pixels that they are made of."""

import io

import numpy as np
import pytest
from PIL import Image

from components.reporter import strips


def opened(picture):
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGBA"))


def test_small_images_are_enlarged_by_a_whole_factor_without_loss():
    first, second = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1))
    picture = strips.strip([first, second], "two", "below", "good")
    assert (picture.kind, picture.alt, picture.caption, picture.mark) == ("webp", "two", "below", "good")
    seen = opened(picture)
    assert seen.shape == (64, 2 * 64 + strips.GAP, 4)
    np.testing.assert_array_equal(seen[4::8, 4:64:8, 0], first[..., 0])
    np.testing.assert_array_equal(seen[4::8, 64 + strips.GAP + 4 :: 8, :3], second.repeat(3, -1))
    assert (seen[:, 64 : 64 + strips.GAP, 3] == 0).all(), "the page is seen between them"


@pytest.mark.parametrize(("shape", "size"), [((300, 200, 3), (96, 64)), ((28, 28, 3), (56, 56)), ((1, 90, 1), (1, 90))])
def test_sizes(shape, size):
    assert opened(strips.strip([np.zeros(shape)], "one")).shape[:2] == size


def test_what_is_no_pixel_is_cut_off():
    seen = opened(strips.strip([np.array([[[-50.0], [300], [np.nan], [99.6]]])], "one"))
    assert seen[0, 8::16, 0].tolist() == [0, 255, 0, 100]


def test_signed_numbers_lie_around_grey():
    np.testing.assert_allclose(strips.signed(np.array([-2.0, 0, 1])), [0, 127.5, 191.25])
    np.testing.assert_allclose(strips.signed(np.array([1.0]), 4), [159.375])
    np.testing.assert_allclose(strips.signed(np.zeros(2)), 127.5)

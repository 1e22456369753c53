"""Thumbnails show the image, are small whatever the image is, and take pixels as they come."""

import io

import numpy as np
import pytest
from PIL import Image

from components.inputs.reports import image


def opened(picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def encoded(values: np.ndarray, kind="PNG", mode=None) -> bytes:
    into = io.BytesIO()
    Image.fromarray(values, mode).save(into, kind)
    return into.getvalue()


def test_of_a_small_image_each_pixel_is_kept():
    values = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    for made in (image.thumbnail(encoded(values), "a 3", "3"), image.of_pixels(values[..., None].astype(np.float32), "a 3", "3")):
        np.testing.assert_array_equal(np.asarray(opened(made).convert("L")), values)
        assert (made.alt, made.caption, made.kind) == ("a 3", "3", "webp")


def test_an_image_of_4k_is_small():
    made = image.thumbnail(encoded(np.random.default_rng(0).integers(0, 256, (2160, 3840, 3), np.uint8)), "noise")
    assert opened(made).size == (96, 54)
    assert len(made.data) < 10_000


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_pixels_of_any_number_of_channels_are_shown_within_their_range(channels):
    values = np.full((4, 4) if channels is None else (4, 4, channels), 300.0)
    values[0, 0] = np.nan
    values[1, 1] = -7
    seen = np.asarray(opened(image.of_pixels(values, "x")).convert("RGBA"))
    assert (seen[2, 2, :3].tolist(), seen[0, 0, 0], seen[1, 1, 0]) == ([255, 255, 255], 0, 0)


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK"])
def test_images_of_any_mode_are_shown(mode):
    into = io.BytesIO()
    Image.new("RGB", (20, 10), "red").convert(mode).save(into, "TIFF" if mode == "CMYK" else "PNG")
    assert opened(image.thumbnail(into.getvalue(), "x")).size == (20, 10)

"""Images as a notebook has them become the files that a person would have written."""

import numpy as np
import pytest
from PIL import Image

from configs.errors import UsageError
from pipelines.notebook.images import files_of


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
def test_an_array_is_its_pixels(tmp_path, shape, dtype):
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    [path], called = files_of(pixels, tmp_path)
    assert called == {path: "image 0"}
    assert np.array_equal(np.array(Image.open(path)), pixels.reshape((5, 7) if shape[-1] == 1 else shape))


def test_truth_values_are_black_and_white(tmp_path):
    [path], _ = files_of(np.array([[True, False]]), tmp_path)
    assert np.array(Image.open(path)).tolist() == [[255, 0]]


def test_several_are_told_apart(tmp_path):
    batch = np.zeros((2, 4, 4, 1), np.uint8)
    assert len(files_of(batch, tmp_path)[0]) == 2
    paths, called = files_of(["a.png", tmp_path, Image.new("RGB", (2, 2))], tmp_path)
    assert (paths[:2], called) == (["a.png", str(tmp_path)], {paths[2]: "image 2"})
    assert files_of("a.png", tmp_path) == (["a.png"], {})


def test_a_turned_image_is_upright(tmp_path):
    image = Image.new("RGB", (4, 2))
    image.getexif()[0x0112] = 6  # taken with the camera on its side
    [path], _ = files_of(image, tmp_path)
    assert Image.open(path).size == (2, 4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "Int is no image"),
        ([3.5], "An array of float64 .* is no image"),
        (np.full((4, 4), 0.5), "no whole number in 0..255"),
        (np.full((4, 4), 256), "no whole number in 0..255"),
        (np.full((4, 4), np.nan), "no whole number in 0..255"),
        (np.eye(4), "holds 0 and 1 alone"),
        (np.zeros((0, 4)), "no whole number in 0..255"),
        (np.zeros((4, 4, 2)), "is no image"),
        (Image.new("CMYK", (2, 2)), "no images of the mode CMYK"),
    ],
)
def test_what_is_no_image_is_a_sentence(tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        files_of(given, tmp_path)
    assert not list(tmp_path.iterdir())

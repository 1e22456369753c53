"""Values of masks: opened, turned with their image, merged, snapped, counted, in little memory."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageOps

from components import map_values
from components.map_values import Part, Parts
from configs.schema.data import DataConfig

GREY = {0: "background", 128: "cytoplasm", 255: "nucleus"}
NAMES = list(GREY.values())


def png(values, palette=None, dtype=np.uint8):
    image, held = Image.fromarray(np.asarray(values, dtype)), io.BytesIO()
    if palette:
        image = image.convert("P")
        image.putdata(np.asarray(values).ravel().tolist())
        image.putpalette(palette)
    image.save(held, "PNG")
    return held.getvalue()


def data(**asked):
    return DataConfig(features={"mask": "m"}, **{"mask_classes": GREY, **asked})


def made(values, names=NAMES, orientation=1, size=None, **asked):
    value = values if isinstance(values, bytes | Parts) else png(values)
    height, width = size or np.asarray(values).shape
    return map_values.mask("mask", value, (width, height), names, data(**asked), orientation)


def pixels(mask):
    return np.asarray(Image.open(io.BytesIO(mask[0])))


def with_strays(*values, side=40):
    grey = np.zeros((side, side), np.uint8)
    grey[:10], grey[10:20] = 128, 255
    grey[-1, : len(values)] = values
    return grey


def test_stray_greys_are_taken_for_the_nearest_that_has_a_name_and_counted():
    mask = made(with_strays(7, 25, 45, 250, 130), mask_snap=50)
    assert pixels(mask)[-1, :6].tolist() == [0, 0, 0, 2, 1, 0]
    assert mask.counted == {map_values.SNAPPED: 5}
    assert mask.pixels == (40 * 20 - 2, 401, 401)


@pytest.mark.parametrize(
    ("strays", "snap", "words"),
    [
        ((7,), 0, r"^mask has the value 7, which data\.mask_classes does not name$"),
        ((7, 60), 50, r"^mask has the value 60, which"),
        ((64,), 100, r"^mask has the value 64, which"),  # half-way between 0 and 128
        ((3, 7, 9), 0, r"^mask has the values 3, 7, 9, which"),
        (tuple(range(1, 21)), 63, r"^mask has more than 1% of its pixels beside the values that data\.mask_classes names$"),
        (tuple(range(1, 12)), 0, r"^mask has the values 1, 2, 3, 4, 5, 6, 7, 8 and 3 more, which"),
    ],
)
def test_what_is_no_stray_sets_its_image_aside_with_the_values(strays, snap, words):
    with pytest.raises(ValueError, match=words):
        made(with_strays(*strays), mask_snap=snap)


def test_places_of_a_palette_are_classes_and_never_snapped():
    """PASCAL VOC's way: 0, 1 and 2 are no greys."""
    values, colours = np.arange(48).reshape(6, 8) % 3, [0, 0, 0, 128, 0, 0, 0, 128, 0]
    mask = made(png(values, colours), size=(6, 8), mask_classes={0: "a", 1: "b", 2: "c"}, names=["a", "b", "c"])
    np.testing.assert_array_equal(pixels(mask), values)
    with pytest.raises(ValueError, match="the value 2, which"):
        made(png(values, colours), size=(6, 8), mask_classes={0: "a", 1: "b"}, names=["a", "b"], mask_snap=50)


def test_a_value_of_no_class_is_named_where_only_the_source_names_classes():
    with pytest.raises(ValueError, match=r"^mask has a class that there is none of: values 3, 9$"):
        map_values.mask("mask", png([[0, 3], [9, 1]]), (2, 2), ["sky", "sea"])


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_of_the_classes_0_and_1_and_not_void(form):
    values, held = np.eye(4, 6), io.BytesIO()
    Image.fromarray(values > 0).save(held, form)
    assert Image.open(io.BytesIO(held.getvalue())).mode == "1"
    mask = map_values.mask("mask", held.getvalue(), (6, 4), ["sky", "sea"])
    np.testing.assert_array_equal(pixels(mask), values)
    assert (mask.pixels, mask.void) == ((20, 4), 0)
    assert map_values.values_of(held.getvalue()) == {0: 20, 1: 4}


def test_a_256th_class_has_no_place_beside_void():
    names = [f"class {number}" for number in range(256)]
    assert map_values.mask("mask", png([[0, 254]]), (2, 1), names[:255])[1] == (0, 254)
    with pytest.raises(ValueError, match=r"^mask has 256 classes, and no more than 255 have a place$"):
        map_values.mask("mask", png([[0, 255]]), (2, 1), names)


@pytest.mark.parametrize("form", ["JPEG", "JPEG2000", "WEBP", "AVIF"])
def test_what_may_lose_values_is_no_mask_whatever_they_are_now(form):
    """Between the classes 0 and 2 lies another one, and no value would tell that it was mixed."""
    held = io.BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(held, form)
    with pytest.raises(ValueError, match=f"^mask is an? {form}, which mixes classes$"):
        map_values.mask("mask", held.getvalue(), (16, 16), ["sky", "sea"])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_with_tags_of_its_own_is_upright_by_pillow(orientation):
    stored, exif, held = np.arange(24).reshape(4, 6) % 5, Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(stored.astype(np.uint8)).save(held, "TIFF", exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(held.getvalue()))))
    mask = map_values.mask("mask", held.getvalue(), seen.shape[::-1], (), None, 1)
    np.testing.assert_array_equal(pixels(mask), seen)
    with pytest.raises(ValueError, match="is not of its image's size"):
        map_values.mask("mask", held.getvalue(), (24, 1), (), None, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_mask_is_turned_as_its_image_is(orientation, dtype):
    """Independent of ours: Pillow turns an image with the same tag."""
    stored = np.arange(24).reshape(4, 6) % 5
    image, exif = Image.fromarray(stored.astype(np.uint8)), Image.Exif()
    exif[0x0112] = orientation
    held = io.BytesIO()
    image.save(held, "PNG", exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(held.getvalue()))))
    size = seen.shape[1], seen.shape[0]
    mask = map_values.mask("mask", png(stored, dtype=dtype), size, (), None, orientation)
    np.testing.assert_array_equal(pixels(mask), seen)
    assert mask.counted == ({map_values.TURNED: 1} if orientation > 1 else {})
    own = map_values.mask("mask", held.getvalue(), size, (), None, orientation)  # its own tag is not followed twice
    np.testing.assert_array_equal(pixels(own), seen)


def test_a_mask_of_the_upright_image_s_size_alone_is_upright():
    upright = np.arange(24).reshape(6, 4) % 5
    mask = map_values.mask("mask", png(upright), (4, 6), (), None, 6)
    np.testing.assert_array_equal(pixels(mask), upright)
    assert not mask.counted
    with pytest.raises(ValueError, match="is not of its image's size"):
        map_values.mask("mask", png(np.zeros((6, 5))), (4, 6), (), None, 6)


def parts(**values):
    return Parts([Part(lambda value=value: png(value), of) for of, value in values.items()])


def test_a_file_a_class_is_merged_so_that_the_later_class_lies_on_top_and_shared_pixels_are_counted():
    cell, nucleus = np.zeros((4, 5)), np.zeros((4, 5))
    cell[:3], nucleus[1:, :2] = 255, 1
    expected = np.where(nucleus > 0, 2, np.where(cell > 0, 1, 0))
    for several in (parts(cell=cell, nucleus=nucleus), parts(nucleus=nucleus, cell=cell)):
        mask = map_values.mask("mask", several, (5, 4), ["background", "cell", "nucleus"])
        np.testing.assert_array_equal(pixels(mask), expected)
        assert mask.counted == {map_values.OVERLAPPING: 4}
    turned_round = data(mask_classes={0: "background", 3: "nucleus", 7: "cell"})
    mask = map_values.mask("mask", parts(cell=cell, nucleus=nucleus), (5, 4), ["background", "nucleus", "cell"], turned_round)
    np.testing.assert_array_equal(pixels(mask), np.where(cell > 0, 2, np.where(nucleus > 0, 1, 0)))
    with pytest.raises(ValueError, match="a part of 'hair', which no value"):
        map_values.mask("mask", parts(hair=cell), (5, 4), ["background", "cell"])


@pytest.mark.parametrize("classes", [None, {0: "background", 4: "cell"}, {0: "background", 4: "cell", 9: "background"}])
def test_a_file_of_the_background_is_of_the_class_of_what_no_file_has(classes):
    cell, background = np.zeros((4, 5)), np.zeros((4, 5))
    cell[:2], background[3:] = 255, 255
    meaning = classes and data(mask_classes=classes)
    mask = map_values.mask("mask", parts(background=background, cell=cell), (5, 4), ["background", "cell"], meaning)
    np.testing.assert_array_equal(pixels(mask), cell > 0)
    assert not mask.counted


def test_instances_are_united_by_the_larger_value_and_shared_pixels_are_counted():
    first, second = np.zeros((4, 5)), np.zeros((4, 5))
    first[:2], second[1:3] = 255, 128
    several = Parts([Part(lambda: png(first), ""), Part(lambda: png(second), "")])
    mask = made(several, size=(4, 5))
    assert pixels(mask)[:, 0].tolist() == [2, 2, 1, 0]
    assert mask.counted == {map_values.OVERLAPPING: 5}
    assert mask.pixels == (5, 5, 10)
    with pytest.raises(ValueError, match="is not of its image's size"):
        made(Parts([Part(lambda: png(first), ""), Part(lambda: png(second[:3]), "")]), size=(4, 5))


def test_a_mask_of_one_class_and_pixels_of_none_are_counted():
    mask = made(np.where(np.eye(4), 9, 255).astype(np.uint8), mask_ignore=9)
    assert (mask.pixels, mask.void, mask.counted) == ((0, 0, 12), 4, {map_values.ALONE: 1})
    assert mask[1] == (2,)


def test_twenty_megapixels_take_a_few_bytes_each():
    """int64 would take eight for every copy, and to sort them more."""
    values = np.zeros((4000, 5000), np.uint8)
    values[:2000, ::2] = 255
    encoded = png(values)
    tracemalloc.start()
    try:
        mask = map_values.mask(
            "mask", encoded, (5000, 4000), ["background", "cell"], data(mask_classes={0: "background", 255: "cell"})
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert mask.pixels == (15_000_000, 5_000_000)
    assert peak < 4 * values.size

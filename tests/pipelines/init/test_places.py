"""What paths say of images: masks beside them, folders below their classes."""

import pytest

from pipelines.init import proposal
from pipelines.init.places import Places


def looked(*paths, depth=0):
    places = Places()
    for path in paths:
        parts = path.split("/")
        places.add(path.encode(), parts[depth] if len(parts) > depth + 1 else None)
    return places


@pytest.mark.parametrize(
    ("paths", "images", "such", "folders"),
    [
        (["a.png", "a_mask.png", "b.png", "b_mask.png"], 2, "a_mask.png", []),
        (["x/a.jpg", "x/a-seg.png", "x/b.jpg"], 1, "x/a-seg.png", []),
        (["x/1.jpg", "x/mask_1.png"], 1, "x/mask_1.png", []),
        (["images/a.jpg", "images/b.jpg", "masks/a.png", "masks/b.png"], 2, "masks/a.png", ["masks"]),
        (
            ["img/a.jpg", "img/b.jpg", "Ground Truth/a_gt.png", "Ground Truth/b_gt.png"],
            2,
            "Ground Truth/a_gt.png",
            ["Ground Truth"],
        ),
    ],
)
def test_masks_are_counted_as_what_they_are(paths, images, such, folders):
    assert looked(*paths).masks() == {"images": images, "such as": such, "folders": folders}


@pytest.mark.parametrize(
    "paths",
    [
        ["a.png", "b_mask.png"],  # of nothing that is there: carnival
        ["masks/fox.png", "masks/cat.png", "hats/top.png", "hats/bowler.png"],  # a class of masks
        ["cats/a.png", "dogs/a.png"],
        ["a.png", "a_2.png"],
    ],
)
def test_a_mask_has_an_image_that_it_is_of(paths):
    assert looked(*paths).masks() is None


def test_namesakes_of_few_colours_in_another_folder_are_masks_whatever_it_is_called():
    """As PASCAL VOC has them."""
    paths = [f"{folder}/{number}.png" for folder in ("JPEGImages", "SegmentationClass") for number in range(20)]
    places = looked(*paths)
    assert places.masks() is None
    for number in range(0, 20, 2):
        places.seen(f"JPEGImages/{number}.png".encode(), False)
        places.seen(f"SegmentationClass/{number}.png".encode(), True)
    assert places.masks() == {"images": 20, "such as": "SegmentationClass/0.png", "folders": ["SegmentationClass"]}


def test_drawings_have_few_colours_too_but_what_is_called_images_is_none_of_masks():
    folders = ("images", "grey", "palette")
    places = looked(*(f"{folder}/{number}.png" for folder in folders for number in range(20)))
    for folder in folders:
        for number in range(20):
            places.seen(f"{folder}/{number}.png".encode(), True)
    assert places.masks() == {"images": 40, "such as": "grey/0.png", "folders": ["grey", "palette"]}


@pytest.mark.parametrize("flat", [("a", "b"), ()], ids=["all_drawings", "all_photos"])
def test_classes_with_the_same_names_of_files_are_no_masks_of_each_other(flat):
    places = looked(*(f"{folder}/{number}.png" for folder in ("a", "b") for number in range(20)))
    for folder in ("a", "b"):
        for number in range(20):
            places.seen(f"{folder}/{number}.png".encode(), folder in flat)
    assert places.masks() is None


@pytest.mark.parametrize("name", ["mask", "masks", "seg", "gt", "annotation", "label"])
def test_a_class_of_photos_that_is_called_mask_is_a_class(name):
    """Whose files are numbered as those of the class beside it; as drawings they may be masks, and init asks."""
    for ending, is_flat, is_class in (("png", False, True), ("jpg", False, True), ("png", True, False)):
        places = looked(*(f"{folder}/{number}.{ending}" for folder in (name, f"no_{name}") for number in range(20)))
        for number in range(20):
            places.seen(f"{name}/{number}.{ending}".encode(), is_flat)
            places.seen(f"no_{name}/{number}.{ending}".encode(), False)
        assert (places.masks() is None) == is_class
        seen = {"splits": {"all": 40}, "classes": {name: 20, f"no_{name}": 20}, "masks": places.masks()}
        assert proposal.pictures_of("folder:/x", seen) is None


def test_masks_beside_what_is_called_images_are_masks_even_as_jpeg():
    places = looked(*(f"{folder}/{number}.jpg" for folder in ("images", "masks") for number in range(20)))
    for folder in ("images", "masks"):
        for number in range(20):
            places.seen(f"{folder}/{number}.jpg".encode(), False)
    seen = {"splits": {"all": 40}, "classes": {"images": 20, "masks": 20}, "masks": places.masks()}
    assert proposal.pictures_of("folder:/x", seen) == "folder:/x/images"


def test_folders_below_the_classes_are_told():
    paths = [f"{a}/character{c:02}/{n}.png" for a in ("Greek", "Latin") for c in (1, 2, 3) for n in (1, 2)]
    assert looked(*paths).below() == {"folders": 6, "classes": 2, "such as": "Greek/character01"}
    assert looked(*(f"train/{path}" for path in paths), depth=1).below()["such as"] == "Greek/character01"


@pytest.mark.parametrize(
    "paths",
    [
        ["a/1.png", "b/2.png"],
        ["a/images/1.png", "b/images/2.png"],
        ["1.png", "2.png"],
        ["a/x/1.png", "a/y/2.png", "b/3.png", "c/4.png"],
    ],
)
def test_one_folder_below_a_class_is_no_matter(paths):
    assert looked(*paths).below() is None


@pytest.mark.parametrize(("ending", "masks"), [("png", 20), ("pgm", 20), ("dib", 20), ("jpeg", None), ("webp", None)])
def test_namesakes_of_few_colours_are_masks_where_their_format_keeps_every_value(ending, masks):
    places = looked(*(f"x/{number}.{form}" for form in ("jpg", ending) for number in range(20)))
    for number in range(20):
        places.seen(f"x/{number}.jpg".encode(), False)
        places.seen(f"x/{number}.{ending}".encode(), True)
    assert (places.masks() or {}).get("images") == masks

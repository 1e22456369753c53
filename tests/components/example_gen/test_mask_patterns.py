"""Which pattern a folder of images and masks asks for: by names and by looks, never where it has none."""

import numpy as np
import pytest
from PIL import Image

from components.example_gen import mask_patterns
from tests.components.example_gen.test_masks import mask, photo, put

NUMBERS = range(4)


def laid(root, *layouts):
    """For each number a picture of each (path, maker)."""
    for path, made in layouts:
        put(root, **{path.format(number): made() for number in NUMBERS})
    return str(root)


@pytest.mark.parametrize(
    ("image", "of", "pattern"),
    [
        ("images/{}.jpg", "masks/{}.png", "masks/{name}.png"),
        ("{}.png", "masks/{}.png", "masks/{name}.png"),
        ("images/{}.png", "masks/{}_mask.png", "masks/{name}_mask.png"),
        ("JPEGImages/a{}.jpg", "SegmentationClass/a{}.png", "SegmentationClass/{name}.png"),
        ("train/images/{}.png", "train/labels/{}.png", "labels/{name}.png"),
        ("{}.bmp", "{}.png", "{name}.png"),
        ("{}.png", "{}_mask.png", "{name}_mask.png"),
        ("images/x{}.png", "masks/vein/x{}.png", "masks/{class}/{name}.png"),
        ("images/x{}.png", "masks/x{}_0.png", "masks/{name}_*.png"),
        ("x{}/images/a.png", "x{}/masks/b.png", "masks/*.png"),
    ],
)
def test_names_and_looks_tell_the_pattern(tmp_path, image, of, pattern):
    root = laid(tmp_path, (image, photo), (of, mask))
    [fitting] = mask_patterns.fitting(root)
    assert (fitting.pattern, fitting.images, fitting.masks) == (pattern, 4, 4)


def test_several_folders_of_masks_beside_images_are_all_told(tmp_path):
    """By their few colours, whatever they are called; a folder of grey photos is none of them."""
    root = laid(
        tmp_path, ("images/{}.png", photo), ("fine/{}.png", mask), ("coarse/{}.png", mask), ("grey/{}.png", lambda: photo("L"))
    )
    assert [each.pattern for each in mask_patterns.fitting(root)] == ["coarse/{name}.png", "fine/{name}.png"]


def test_what_looks_like_photos_or_has_no_image_is_no_mask(tmp_path):
    assert mask_patterns.fitting(laid(tmp_path / "photos", ("images/{}.png", photo), ("masks/{}.png", photo))) == []
    assert mask_patterns.fitting(laid(tmp_path / "alone", ("masks/{}.png", mask))) == []
    assert mask_patterns.fitting(laid(tmp_path / "others", ("images/{}.png", photo), ("masks/z{}.png", mask))) == []
    assert mask_patterns.fitting(laid(tmp_path / "plain", ("cat/{}.png", photo), ("dog/{}.png", mask))) == []


def test_folders_that_may_be_classes_are_told(tmp_path):
    root = laid(tmp_path, ("benign/{}.png", photo), ("benign/{}_mask.png", mask), ("malign/{}.png", photo))
    [fitting] = mask_patterns.fitting(root)
    assert (fitting.pattern, fitting.classes) == ("{name}_mask.png", ["benign", "malign"])


def test_masks_of_pascal_voc_are_known_by_their_palette(tmp_path):
    def palette():
        image = Image.fromarray((np.arange(48 * 48) // 500 % 3).astype(np.uint8).reshape(48, 48)).convert("P")
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
        return image

    root = laid(tmp_path, ("images/{}.jpg", photo), ("truth/{}.png", palette))
    assert [each.pattern for each in mask_patterns.fitting(root)] == ["truth/{name}.png"]

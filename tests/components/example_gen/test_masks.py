"""Masks beside pictures: left out where both their names and their looks say so, and no picture is lost."""

import numpy as np
import pytest
from PIL import Image

from components.example_gen import files, folder, masks, sources
from configs.errors import UsageError
from configs.schema.data import DataConfig

RANDOM = np.random.default_rng(0)


def photo(mode="RGB"):
    return Image.fromarray(RANDOM.integers(0, 256, (48, 48, 3), np.uint8)).convert(mode)


def mask(mode="L"):
    values = np.zeros((48, 48), np.uint8)
    values[8 : RANDOM.integers(12, 40), 8:30] = 255
    return Image.fromarray(values).convert(mode)


def put(root, **images):
    for name, image in images.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        image.save(place)
    return root


def beside(root, classes=()):
    every = [str(path.relative_to(root)) for path in sorted(root.rglob("*")) if path.is_file()]
    return masks.beside(str(root), every, classes)


@pytest.mark.parametrize(
    ("image", "of"),
    [
        ("{}.png", "{}_mask.png"),
        ("{}.jpg", "{}-seg.png"),
        ("{}.tif", "{}_mask.tif"),
        ("{}.jpg", "mask_{}.png"),
        ("benign ({}).png", "benign ({})_mask_1.png"),
        ("{}.jpg", "{} Ground Truth.bmp"),
        ("{}.jpg", "{}.png"),  # namesakes
        ("{}.png", "{}.tif"),
        ("{}.tif", "{}.png"),
        ("{}.png", "{}_mask.jpg"),  # grey, whatever JPEG made of its values
        ("{}.png", "masks/{}.png"),
        ("images/{}.png", "masks/{}_mask.png"),
    ],
)
def test_what_is_called_so_and_looks_so_is_a_mask(tmp_path, image, of):
    root = put(
        tmp_path,
        **{f"cat/{image.format(number)}": photo() for number in range(5)},
        **{f"cat/{of.format(number)}": mask() for number in range(5)},
    )
    assert beside(root, ["cat"]) == {f"cat/{of.format(number)}" for number in range(5)}


@pytest.mark.parametrize(
    "paths",
    [
        ["a.png", "b_mask.png", "c_mask.png"],  # of no image that is there
        ["a_mask.png", "mask_b.png"],
        ["a.png", "a_2.png"],
        ["masking.png", "a.png"],
        ["a.png", "deep/a_mask.png"],  # elsewhere
    ],
)
def test_what_has_no_image_that_it_would_be_of_is_a_picture(tmp_path, paths):
    assert beside(put(tmp_path, **{path: mask() for path in paths})) == set()


def test_what_looks_like_a_photo_is_a_picture_whatever_it_is_called(tmp_path):
    """Faces with and without a mask, say."""
    root = put(tmp_path, **{f"{number}{end}": photo() for number in range(5) for end in (".png", "_mask.png", ".jpg")})
    assert beside(root) == set()


def test_namesakes_that_look_alike_are_pictures(tmp_path):
    assert beside(put(tmp_path, **{f"{number}{end}": mask() for number in range(5) for end in (".png", ".jpg")})) == set()
    assert beside(put(tmp_path / "b", **{f"{number}{end}": photo() for number in range(5) for end in (".png", ".jpg")})) == set()


def test_each_word_is_judged_by_itself(tmp_path):
    root = put(
        tmp_path,
        **{f"{number}.png": photo() for number in range(5)},
        **{f"{number}_mask.png": mask() for number in range(5)},
        **{f"{number}_label.png": photo() for number in range(5)},
    )
    assert beside(root) == {f"{number}_mask.png" for number in range(5)}


def test_many_colours_of_a_large_map_of_classes_are_few(tmp_path):
    values = RANDOM.integers(0, 256, (150, 3), np.uint8)[np.arange(640 * 512).reshape(512, 640) // 2200]
    root = put(tmp_path, **{"1.jpg": photo(), "1_seg.png": Image.fromarray(values)})
    assert beside(root) == {"1_seg.png"}


def test_classes_are_never_masks(tmp_path):
    root = put(tmp_path, **{f"{name}/{number}.png": mask() for name in ("mask", "images") for number in range(5)})
    assert beside(root, ["mask", "images"]) == set()


def test_a_file_that_cannot_be_read_tells_nothing(tmp_path):
    root = put(tmp_path, **{f"{number}.png": photo() for number in range(3)}, **{"0_mask.png": mask()})
    for number in (1, 2):
        (root / f"{number}_mask.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    assert beside(root) == {f"{number}_mask.png" for number in range(3)}
    (root / "0_mask.png").write_bytes(b"")
    assert beside(root) == set(), "all are set aside as damaged"


def read(root, **data):
    source = f"folder:{root}"
    located = sources.locate(DataConfig(source=source, **data), root.parent / "datasets")
    shards = folder.contents(located.address).shards
    ids = sorted(raw.example_id.decode() for of in shards.values() for shard in of for raw in files.images(str(root), shard))
    return ids, dict(located.passed_over), located.digest


MADE = ((".png", photo), ("_mask.png", mask))


def test_a_source_leaves_them_out_and_counts_them_unless_asked_to_read_them(tmp_path):
    pairs = {f"{number}{end}": made for number in range(3) for end, made in MADE}
    root = put(tmp_path / "p", **{f"{kind}/{name}": made() for kind in "ab" for name, made in pairs.items()})
    images = [f"{kind}/{number}.png" for kind in "ab" for number in range(3)]
    ids, passed_over, digest = read(root)
    assert (ids, passed_over) == (images, {"masks": 6})
    every, nothing, other = read(root, masks="images")
    assert (len(every), nothing) == (12, {})
    assert other != digest
    flat = put(tmp_path / "q", **{name: made() for name, made in pairs.items()})
    assert read(flat)[:2] == (["0.png", "1.png", "2.png"], {"masks": 3})


def test_of_other_sources_nobody_asks_for_masks(tmp_path):
    with pytest.raises(UsageError, match=r"data\.masks is set, and tfds:digits has no use for it"):
        sources.locate(DataConfig(source="tfds:digits", masks="images"), tmp_path)

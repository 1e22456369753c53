"""Masks of a folder's images, by a pattern: which file is whose mask, splits, classes, instances, and what is left over."""

import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from components import keys, map_values
from components.example_gen import folder, layouts, paired, sources
from configs.errors import UsageError
from configs.schema.data import DataConfig


def put(root, *paths, value=1):
    """A PNG or BMP of 4x3 px each, a mask's pixels in its first row."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((3, 4), 9, np.uint8)
        pixels[0] = value
        Image.fromarray(pixels).save(root / path)
    return root


def read(root, pattern):
    """Split -> image -> its masks' paths; and everything that is said."""
    listed = paired.read(str(root), pattern, passed := Counter())
    by_split = {
        split: {path: [mask for mask, _ in listed.masks.get(path, [])] for path in paths} for split, paths in listed.images.items()
    }
    return by_split, listed, passed


@pytest.mark.parametrize(
    ("image", "mask", "pattern"),
    [
        ("images/{}.bmp", "masks/{}.png", "masks/{name}.png"),
        ("{}.bmp", "masks/{}.png", "masks/{name}.png"),
        ("images/sub 1/{}.bmp", "masks/sub 1/{}.png", "masks/{name}.png"),
        ("images/sub/{}.bmp", "masks/sub/{}_mask.png", "masks/{name}_mask.png"),
        ("JPEGImages/{}.bmp", "SegmentationClass/{}.png", "SegmentationClass/{name}.png"),
        ("{}.bmp", "{}.png", "{name}.png"),
        ("Dataset 1/{}.bmp", "Dataset 1/{}.png", "{name}.png"),
        ("{}.png", "{}_mask.png", "{name}_mask.png"),
        ("sub/{}.bmp", "sub/mask/{}.png", "mask/{name}.png"),
        ("cell {}/images/x.bmp", "cell {}/masks/y.png", "masks/*.png"),
        ("images/{}.bmp", "masks/{}.PNG", "masks/{name}.png"),
    ],
)
def test_a_mask_has_its_image_s_name_where_the_pattern_says(tmp_path, image, mask, pattern):
    root = put(tmp_path, *(each.format(number) for number in ("007", "8.1", "a b") for each in (image, mask)))
    expected = {image.format(number): [mask.format(number)] for number in ("007", "8.1", "a b")}
    by_split, listed, _ = read(root, pattern)
    assert by_split == {paired.ALL: expected}
    assert listed.lone == []


@pytest.mark.parametrize(("above", "below"), [("{}/images", "{}/masks"), ("images/{}", "masks/{}"), ("{}", "{}/masks")])
def test_folders_of_splits_stand_above_images_or_below(tmp_path, above, below):
    root = put(tmp_path, *(f"{each.format(of)}/1.png" for of in ("train", "test") for each in (above, below)))
    by_split, _, _ = read(root, "masks/{name}.png")
    assert by_split == {of: {f"{above.format(of)}/1.png": [f"{below.format(of)}/1.png"]} for of in ("train", "test")}
    put(tmp_path, f"{above.format('other')}/9.png")
    with pytest.raises(UsageError, match=r"has \S+9\.png beside the folder of a split"):
        read(root, "masks/{name}.png")


def located(root, pattern, **asked):
    data = DataConfig(source=f"folder:{root}", features={"mask": pattern}, **asked)
    return data, sources.locate(data, root.parent / "datasets")


def test_images_without_a_mask_and_masks_without_an_image_are_counted_and_named(tmp_path):
    root = put(tmp_path / "d", "images/1.png", "images/2.png", "images/3.png", "masks/1.png", "masks/4.png", "masks/5.png")
    (root / "notes.txt").write_text("x")
    _, held = located(root, "masks/{name}.png")
    assert dict(held.passed_over) == {".txt": 1, paired.LONE: 2}
    assert held.notes == [
        f"2 masks of {root} without an image passed over: masks/4.png, masks/5.png",
        f"2 images of {root} without a mask: images/2.png, images/3.png",
    ]
    contents = folder.contents(held.address)
    [shard] = contents.shards[paired.ALL]
    raws = {raw.example_id: raw for raw in folder.images(held.address, shard)}
    assert {name: raw.known for name, raw in raws.items()} == {
        b"images/1.png": {keys.MASK},
        b"images/2.png": set(),
        b"images/3.png": set(),
    }
    assert contents.targets == {keys.MASK: []}
    assert raws[b"images/1.png"].targets[keys.MASK]() == (root / "masks/1.png").read_bytes()


@pytest.mark.parametrize("name", ["background", "Background"])
def test_a_folder_of_the_background_is_no_further_class(tmp_path, name):
    root = put(tmp_path / "d", "images/1.bmp", f"masks/{name}/1.png", "masks/cell/1.png", "masks/aorta/1.png")
    _, held = located(root, "masks/{class}/{name}.png")
    assert folder.contents(held.address).targets == {keys.MASK: [name, "aorta", "cell"]}


def test_a_file_a_class_makes_one_mask_whose_classes_have_the_folders_names(tmp_path):
    root = put(tmp_path / "d", "images/1.png", "images/2.png", "masks/vein/1.png", "masks/artery/1.png", "masks/vein/2.png")
    _, held = located(root, "masks/{class}/{name}.png")
    contents = folder.contents(held.address)
    assert contents.targets == {keys.MASK: ["background", "artery", "vein"]}
    [shard] = contents.shards[paired.ALL]
    parts = {raw.example_id: raw.targets[keys.MASK]() for raw in folder.images(held.address, shard)}
    assert [part.of for part in parts[b"images/1.png"]] == ["artery", "vein"]
    mask = map_values.mask("mask", parts[b"images/2.png"], (4, 3), contents.targets[keys.MASK])
    assert mask[1] == (2,)  # what is not 0 is of it


def test_a_file_an_instance_makes_one_mask(tmp_path):
    root = put(tmp_path / "d", "images/a_1.png", *(f"masks/a_1_{number}.png" for number in range(3)))
    _, held = located(root, "masks/{name}_*.png")
    [shard] = folder.contents(held.address).shards[paired.ALL]
    [raw] = folder.images(held.address, shard)
    parts = raw.targets[keys.MASK]()
    assert [part.of for part in parts] == ["", "", ""]
    assert [part.read() for part in parts] == [(root / f"masks/a_1_{number}.png").read_bytes() for number in range(3)]


def test_a_mask_that_changed_or_another_one_is_other_data(tmp_path):
    root = put(tmp_path / "d", "images/1.png", "masks/1.png")
    before = located(root, "masks/{name}.png")[1].digest
    put(root, "masks/1.png", value=2)
    assert located(root, "masks/{name}.png")[1].digest != before


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("masks", r"'masks' says not where an image's name stands"),
        ("*.png", "says not where"),
        ("{name}/{name}.png", r"has \{name\} twice"),
        ("{stem}/{name}.png", r"has \{stem\}, which stands for nothing"),
        ("../masks/{name}.png", "leads out of the folder"),
        ("/masks/{name}.png", "leads out of the folder"),
        ("truth/{name}.png", r"No file below .* is a mask by 'truth/\{name\}\.png'; images are there, such as images/1\.png"),
        ("masks/{name}_gt.png", "No file below"),
        ("other/{name}.png", r"No mask below .* is of an image .*: there is 1, such as other/9\.png, of 1 image, such as images"),
    ],
)
def test_what_is_no_pattern_or_pairs_nothing_is_refused_with_one_that_does(tmp_path, pattern, words):
    root = put(tmp_path / "d", "images/1.png", "masks/1.png", "other/9.png")
    with pytest.raises(UsageError, match=words) as refused:
        located(root, pattern)
    assert "masks/{name}.png" in refused.value.hint


def test_a_stem_of_two_images_is_never_guessed(tmp_path):
    root = put(tmp_path / "d", "images/1.png", "images/1.bmp", "masks/1.png")
    with pytest.raises(UsageError, match=r"the mask masks/1\.png may be of images/1\.bmp and of images/1\.png"):
        located(root, "masks/{name}.png")
    put(root, "1.png", "coarse/1.png")
    (root / "images/1.bmp").unlink()
    assert dict(located(root, "masks/{name}.png")[1].passed_over) == {paired.BESIDE: 2}  # beside a folder that is called images


def test_no_mask_over_what_a_config_extends_is_none(tmp_path):
    root = put(tmp_path / "d", "1.png", "2.png")
    assert folder.contents(located(root, None)[1].address).targets == {}


def test_what_says_two_things_of_masks_is_refused(tmp_path):
    root = put(tmp_path / "d", "images/1.png", "masks/1.png")
    with pytest.raises(UsageError, match=r"data\.features\.mask says which files are masks, and data\.masks: images takes"):
        located(root, "masks/{name}.png", masks="images")
    with pytest.raises(UsageError, match=r"data\.features names label, but a folder has no features"):
        sources.locate(DataConfig(source=f"folder:{root}", features={"label": "x", "mask": "masks/{name}.png"}), tmp_path)


def test_images_beside_a_folder_of_masks_are_refused_only_once_it_is_known_that_no_config_names_them(tmp_path):
    root = put(tmp_path / "d", "1.png", "masks/1.png")
    sources.check(f"folder:{root}", tmp_path)
    with pytest.raises(UsageError, match="lies beside the folder of images"):
        layouts.read(layouts.Tree(str(root)))
    assert located(root, "masks/{name}.png")[1].notes == []


def test_of_a_large_folder_pairs_are_found_in_one_pass(tmp_path, monkeypatch):
    """A mask is looked up, not searched for among all images."""
    names = [f"images/{number}.png" for number in range(20_000)] + [f"masks/{number}.png" for number in range(20_000)]
    monkeypatch.setattr(paired.listing, "images", lambda *_: iter(names))
    by_split, listed, _ = read(tmp_path, "masks/{name}.png")
    assert len(listed.masks) == 20_000
    assert by_split[paired.ALL]["images/7.png"] == ["masks/7.png"]


def test_bytes_of_a_mask_are_what_pillow_wrote(tmp_path):
    root = put(tmp_path / "d", "1.bmp", "1.png", value=3)
    _, held = located(root, "{name}.png")
    [shard] = folder.contents(held.address).shards[paired.ALL]
    [raw] = folder.images(held.address, shard)
    assert np.asarray(Image.open(io.BytesIO(raw.targets[keys.MASK]())))[0].tolist() == [3] * 4

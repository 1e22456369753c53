"""A folder of good and bad images with the masks of its defects, as MVTec AD has them."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

from components import keys, targets
from components.example_gen import paired, sources
from configs.errors import UsageError
from configs.schema.data import DataConfig

SIZE = (9, 7)  # width, height
FEATURES = {"mask": "ground_truth"}


@pytest.fixture
def root(tmp_path):
    """Two kinds of defects, one image of which has no mask."""
    folder = tmp_path / "cable"
    for path in ("train/good/000", "train/good/001", "test/good/000", "test/hole/000", "test/hole/001", "test/scratch/000"):
        written(folder / f"{path}.png", np.random.default_rng(len(path)).integers(0, 256, SIZE[::-1]))
    mask = np.zeros(SIZE[::-1], np.uint8)
    mask[2:4, 5] = 255
    written(folder / "ground_truth/hole/000_mask.png", mask)
    written(folder / "ground_truth/scratch/000.png", mask.T.reshape(SIZE[::-1]))
    return folder


def written(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)
    return path


def read(root, **asked):
    """Id -> the mask as records hold it, None where an image has none; and what was passed over."""
    data = DataConfig(source=f"folder:{root}", features=FEATURES, **asked)
    located = sources.locate(data, root.parent)
    opened, contents = sources.opened(data, located.address)
    assert contents.targets == {keys.MASK: []}
    assert contents.labelled == keys.LABEL
    held = {}
    for shard in (shard for shards in contents.shards.values() for shard in shards):
        for raw in sources.images_of(opened, located.address, shard):
            held[raw.example_id.decode()] = raw.targets[keys.MASK]() if keys.MASK in raw.known else None
    return held, located


def values_of(encoded):
    kept, classes = targets.of(keys.MASK).checked(encoded, *SIZE[::-1], ())
    values = np.asarray(Image.open(io.BytesIO(kept)))
    assert sorted(classes) == sorted(set(values.ravel().tolist()))
    return values


def test_each_image_has_the_mask_of_its_name_and_a_normal_one_nothing_but_zeros(root):
    held, located = read(root)
    assert values_of(held["test/hole/000.png"]).sum() == 2
    np.testing.assert_array_equal(np.argwhere(values_of(held["test/hole/000.png"])), [[2, 5], [3, 5]])
    assert values_of(held["test/scratch/000.png"]).sum() == 2, "a mask of the image's own name"
    for normal in ("train/good/000.png", "train/good/001.png", "test/good/000.png"):
        assert values_of(held[normal]).shape == SIZE[::-1]
        assert not values_of(held[normal]).any()
    assert held["test/hole/001.png"] is None, "which is left out, and counted"
    assert not located.passed_over


def test_masks_that_nobody_asked_for_are_passed_over(root):
    located = sources.locate(DataConfig(source=f"folder:{root}"), root.parent)
    assert located.passed_over == {"masks": 2}
    assert not sources.opened(DataConfig(source=f"folder:{root}"), located.address)[1].targets


def test_another_mask_is_other_data(root):
    before = read(root)[1].digest
    written(root / "ground_truth/hole/000_mask.png", np.ones(SIZE[::-1]))
    assert read(root)[1].digest != before


def test_what_is_no_mask_of_an_image_is_counted(root):
    written(root / "ground_truth/hole/009_mask.png", np.zeros(SIZE[::-1]))
    (root / "ground_truth/readme.txt").write_text("masks")
    assert read(root)[1].passed_over == {paired.LONE: 1, ".txt": 1}


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda path: written(path, np.zeros((3, 3))), "not of its image's size"),
        (lambda path: Image.new("RGB", SIZE).save(path), "in colour"),
        (lambda path: Image.new("L", SIZE).save(path, "JPEG"), "JPEG"),
        (lambda path: path.write_bytes(b"no image"), "no image"),
    ],
)
def test_what_cannot_be_a_mask_sets_its_image_aside(root, made, why):
    made(root / "ground_truth/hole/000_mask.png")
    held, _ = read(root)
    with pytest.raises(ValueError, match=why):
        targets.of(keys.MASK).checked(held["test/hole/000.png"], *SIZE[::-1], ())


@pytest.mark.parametrize("mode", ["1", "P", "I"])
def test_any_value_but_0_is_a_defect(root, mode):
    values = np.zeros(SIZE[::-1], np.uint8)
    values[1, 1] = 128 if mode != "1" else 255
    made = Image.fromarray(values)
    if mode == "P":
        made.putpalette([0] * 768)
    (made if mode == "P" else made.convert(mode)).save(root / "ground_truth/hole/000_mask.png")
    assert values_of(read(root)[0]["test/hole/000.png"]).tolist() == (values > 0).astype(int).tolist()


@pytest.mark.parametrize(("form", "orientation"), [("PNG", 3), ("TIFF", 3), ("PNG", 8), ("TIFF", 8)])
def test_a_mask_with_a_tag_of_its_own_is_turned_by_it(root, form, orientation):
    """As Pillow turns it; the image has no tag."""
    (root / "ground_truth/hole/000_mask.png").unlink()
    stored, exif = np.zeros(SIZE if orientation == 8 else SIZE[::-1], np.uint8), Image.Exif()
    stored[0, :4], exif[0x0112] = 255, orientation
    path = root / f"ground_truth/hole/000_mask.{form.lower()}"
    Image.fromarray(stored).save(path, form, exif=exif)
    seen = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(path.read_bytes())))) > 0
    np.testing.assert_array_equal(values_of(read(root)[0]["test/hole/000.png"]), seen)
    assert seen.sum() == 4


@pytest.mark.parametrize("asked", [{"mask_ignore": 128}, {"mask_classes": {0: "good", 255: "defect"}}])
def test_what_values_mean_is_known_and_keys_for_it_are_refused(root, asked):
    with pytest.raises(UsageError, match=f"any value but 0 is a defect's, and data.{next(iter(asked))} would not be read"):
        read(root, **asked)


def test_a_folder_that_is_not_there_or_that_nothing_belongs_to_is_refused(root):
    shutil.rmtree(root / "ground_truth")
    with pytest.raises(UsageError, match="names ground_truth, and there is no such folder"):
        read(root)
    written(root / "ground_truth/0.png", np.zeros(SIZE[::-1]))
    with pytest.raises(UsageError, match=r"No image of hole, scratch in .* has a mask in ground_truth"):
        read(root)
    shutil.rmtree(root / "train")
    with pytest.raises(UsageError, match="says which class is normal"):
        read(root)

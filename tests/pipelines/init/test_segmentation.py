"""`hubel init` of images with masks: which files are masks, what their values mean, and a network for them."""

import numpy as np
import pytest
from PIL import Image

from configs import load
from configs.errors import UsageError
from pipelines.data_sets import survey
from pipelines.init import proposal, segmentation

DICE = np.random.default_rng(0)


def photo(side=48):
    return Image.fromarray(DICE.integers(0, 256, (side, side, 3), np.uint8))


def values(*these, side=48, palette=False):
    """A band of rows each."""
    made = np.repeat(np.array(these, np.uint8), -(-side // len(these)))[:side, None].repeat(side, 1)
    image = Image.fromarray(made)
    if palette:
        image = image.convert("P")
        image.putdata(made.ravel().tolist())
        image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 759)
    return image


def put(root, name, image):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    image.save(root / name)


def proposed(root, mask=None):
    """The config, as it is loaded, and the proposal."""
    source = proposal.source_of(str(root))
    read = proposal.read_by(source, (), None, None, None, mask)
    seen = survey.look(source, str(root.parent / "datasets"), **read)
    made = proposal.propose("cells", source, seen, "cells.yaml", read)
    file = root.parent / f"{root.name}.yaml"
    file.write_text(made.text)
    return load.load(str(file)), made, seen


def test_greys_are_named_strays_snapped_and_a_network_fits_the_size(tmp_path):
    for number in range(20):
        mask = np.array(values(0, 128, 255))
        if number == 3:
            mask[0, :3] = 7, 42, 45
        put(tmp_path / "cells", f"{number}.bmp", photo())
        put(tmp_path / "cells", f"{number}.png", Image.fromarray(mask))
    cfg, made, seen = proposed(tmp_path / "cells")
    assert cfg.data.features == {"mask": "{name}.png"}
    assert cfg.data.mask_classes == {0: "background", 128: "value_128", 255: "value_255"}
    assert cfg.data.mask_snap == 45
    assert (cfg.model.name, cfg.transform.height, cfg.transform.channels) == ("unet", 48, 3)
    assert (
        "A few masks have other values, in 3 pixels: 7, 42, 45. data.mask_snap takes them for the nearest class and counts them."
        in made.notes
    )
    assert "# masks of 20 of these; pixels background: 33.3%, value_128: 33.3%, value_255: 33.3%" in made.text
    assert "is taken for the image" not in made.text
    assert seen["images"] == 20
    bound = cfg.evaluate.thresholds["mean_iou"]
    assert 1 / 9 < bound.min < 1


def test_places_of_a_palette_and_pixels_of_no_class_are_pascal_voc_s(tmp_path):
    for number in range(12):
        put(tmp_path / "voc", f"JPEGImages/{number}.jpg", photo())
        put(tmp_path / "voc", f"SegmentationClass/{number}.png", values(0, 1, 2, 255, palette=True))
    cfg, made, _ = proposed(tmp_path / "voc")
    assert cfg.data.mask_classes == {0: "background", 1: "value_1", 2: "value_2"}
    assert (cfg.data.mask_ignore, cfg.data.mask_snap) == (None, 0)
    assert any(
        note.startswith("The masks' values are places of a palette: 0: background, 1: value_1, 2: value_2.") for note in made.notes
    )
    assert any(note.startswith("255 is taken for pixels of no class") for note in made.notes)


def test_several_folders_of_masks_are_told_and_one_may_be_named(tmp_path):
    for number in range(12):
        put(tmp_path / "d", f"images/{number}.png", photo())
        put(tmp_path / "d", f"fine/{number}.png", values(0, 1))
        put(tmp_path / "d", f"coarse/{number}.png", values(0, 255))
    cfg, made, _ = proposed(tmp_path / "d")
    assert cfg.data.features == {"mask": "coarse/{name}.png"}
    assert cfg.data.mask_classes == {0: "background", 255: "object"}
    told = 'Masks are read from "coarse/{name}.png". Others would do too: "fine/{name}.png" (12 images); --mask names one of them.'
    assert told in made.notes
    cfg, made, _ = proposed(tmp_path / "d", mask="fine/{name}.png")
    assert cfg.data.mask_classes == {0: "background", 1: "object"}
    assert not any("Others would do" in note for note in made.notes)


def test_images_and_masks_without_each_other_damage_and_rare_classes_are_told(tmp_path):
    for number in range(12):
        mask = np.array(values(0, 0, 0, 1))
        mask[-1, -3:] = 2
        put(tmp_path / "d", f"images/{number}.png", photo())
        put(tmp_path / "d", f"masks/{number}.png", Image.fromarray(mask))
    put(tmp_path / "d", "masks/3.png", values(0, 1, side=32))
    put(tmp_path / "d", "images/bare.png", photo())
    put(tmp_path / "d", "masks/lone.png", values(0, 1))
    _, made, seen = proposed(tmp_path / "d")
    root = tmp_path / "d"
    assert f"1 image of {root} without a mask: images/bare.png." in made.notes
    assert f"1 mask of {root} without an image passed over: masks/lone.png." in made.notes
    aside = "1 mask of the sample cannot be used (1 mask is not of its image's size); a run sets their images aside."
    assert aside in made.notes
    assert (
        "Of few pixels: value_2 (0.13%). What is learned and measured of so little will mean little; a loss may weigh it."
        in made.notes
    )
    assert seen["mask"]["without"] == 1


def test_files_of_classes_name_them(tmp_path):
    for number in range(12):
        put(tmp_path / "d", f"images/x{number}.png", photo())
        put(tmp_path / "d", f"masks/vein/x{number}.png", values(0, 255))
        put(tmp_path / "d", f"masks/artery/x{number}.png", values(255, 255, 0, 0, 0))
    cfg, made, seen = proposed(tmp_path / "d")
    assert cfg.data.features == {"mask": "masks/{class}/{name}.png"}
    assert cfg.data.mask_classes is None
    assert seen["mask"]["names"] == ["background", "artery", "vein"]
    assert not any("Call them by what they are" in note for note in made.notes)


def test_images_in_folders_of_classes_are_classified_and_masks_are_said_to_be_left_out(tmp_path):
    for kind in ("benign", "malign"):
        for number in range(12):
            put(tmp_path / "d", f"{kind}/{number}.png", photo())
            put(tmp_path / "d", f"{kind}/{number}_mask.png", values(0, 255))
    cfg, made, _ = proposed(tmp_path / "d")
    assert cfg.model.name != "unet"
    assert '24 masks of other images are left out; --mask "{name}_mask.png" learns from them.' in made.notes
    cfg, _, _ = proposed(tmp_path / "d", mask="{name}_mask.png")
    assert (cfg.model.name, cfg.data.mask_classes) == ("unet", {0: "background", 255: "object"})


def test_masks_that_tell_nothing_apart_are_refused_where_they_are_asked_for(tmp_path):
    for number in range(12):
        put(tmp_path / "d", f"images/{number}.png", photo())
        put(tmp_path / "d", f"masks/{number}.png", values(0))
    with pytest.raises(UsageError, match="are of one class throughout, background: there is nothing to tell apart"):
        proposed(tmp_path / "d", mask="masks/{name}.png")


def test_what_may_be_a_class_is_no_stray():
    """In many masks, or near to others."""
    some = {"names": [], "palette": False, "masks": 100}
    often = {**some, "values": {"0": 90_000, "128": 9_950, "40": 50}, "in_masks": {"0": 100, "128": 100, "40": 50}}
    assert segmentation.classes(often) == ({0: "background", 40: "value_40", 128: "value_128"}, {})
    near = {**some, "values": {"0": 90_000, "1": 9_950, "2": 50}, "in_masks": {"0": 100, "1": 100, "2": 1}}
    assert segmentation.classes(near)[1] == {}
    stray = {**some, "values": {"0": 90_000, "128": 9_950, "40": 50}, "in_masks": {"0": 100, "128": 100, "40": 2}}
    assert segmentation.classes(stray) == ({0: "background", 128: "object"}, {40: 50})
    palette = {**stray, "palette": True}
    assert segmentation.classes(palette)[1] == {}


def test_scenes_name_their_classes(tmp_path):
    seen = survey.look("scenes:digits", str(tmp_path))
    made = proposal.propose("digits", "scenes:digits", seen, "digits.yaml")
    assert "mask_classes" not in made.text
    assert "unet" in made.text

"""Scenes of digits: dealt before they are composed, the same each time, with masks that say what is where."""

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from components import keys
from components.example_gen import scenes, sources
from configs.errors import UsageError
from configs.schema.data import DataConfig


def raws(split):
    contents = scenes.contents({})
    return [raw for shard in contents.shards[split] for raw in scenes.images({}, shard)]


def pixels(encoded):
    return np.asarray(Image.open(io.BytesIO(encoded)))


def test_no_digit_is_in_scenes_of_two_splits():
    digits = {
        split: {placed.digit for number in range(count) for placed in scenes.plan(split, number)}
        for split, count in scenes.SCENES.items()
    }
    assert all(not digits[a] & digits[b] for a in digits for b in digits if a != b)
    dealt = scenes.dealt()
    assert sorted(sum(dealt.values(), ())) == list(range(1797))
    assert all(digits[split] <= set(dealt[split]) for split in digits)
    assert {split: round(len(of) / 1797, 1) for split, of in dealt.items()} == {"train": 0.7, "validation": 0.1, "test": 0.2}


def test_a_scene_has_two_to_four_digits_that_do_not_overlap():
    sizes, counts, shown = set(), set(), load_digits().target
    for number in range(200):
        placed = scenes.plan(keys.TRAIN, number)
        counts.add(len(placed))
        taken = np.zeros((scenes.SIDE, scenes.SIDE), int)
        for each in placed:
            sizes.add(each.side)
            taken[each.top : each.top + each.side, each.left : each.left + each.side] += 1
            assert each.category == shown[each.digit] + 1
        assert taken.max() == 1
        assert taken.sum() == sum(each.side**2 for each in placed)  # none leaves the scene
    assert counts == {2, 3, 4}
    assert (min(sizes), max(sizes)) == scenes.SIZES


def test_a_mask_says_which_digit_a_pixel_shows():
    for raw in raws(keys.TEST)[:20]:
        image, mask = pixels(raw.encoded()), pixels(raw.targets[keys.MASK]())
        placed = scenes.plan(keys.TEST, int(raw.example_id.split(b"/")[1]))
        assert image.shape == mask.shape == (64, 64)
        np.testing.assert_array_equal(mask > 0, image >= scenes.INK)
        assert set(np.unique(mask)) == {0, *(each.category for each in placed)}
        for each in placed:
            square = mask[each.top : each.top + each.side, each.left : each.left + each.side]
            assert set(np.unique(square)) == {0, each.category}


def test_scenes_are_the_same_each_time_and_all_different():
    """Drawn by the seed, the split and the number alone, whatever was drawn before."""
    first = [raw.encoded() for raw in raws(keys.VALIDATION)]
    scenes.composed.cache_clear()
    assert [raw.encoded() for raw in reversed(raws(keys.VALIDATION))][::-1] == first
    plans = {tuple(scenes.plan(split, number)) for split, count in scenes.SCENES.items() for number in range(count)}
    ids = {raw.example_id for split in scenes.SCENES for raw in raws(split)}
    assert len(plans) == len(ids) == sum(scenes.SCENES.values())
    image = pixels(first[0])
    assert (int(image.sum()), int((image > 0).sum())) == GOLDEN


GOLDEN = (106_297, 1_079)  # of the first validation scene: ink, and pixels with any


def test_what_is_no_source_of_scenes_is_refused(tmp_path):
    with pytest.raises(UsageError, match="There are no scenes of 'faces'"):
        sources.check("scenes:faces", tmp_path)
    with pytest.raises(UsageError, match=r"data\.features names mask, and scenes have images and masks"):
        sources.locate(DataConfig(source="scenes:digits", features={"mask": "m"}), tmp_path)
    located = sources.locate(DataConfig(source="scenes:digits"), tmp_path)
    assert located.class_names == []
    assert sources.held(DataConfig(source="scenes:digits"), tmp_path) == (located.digest, {})
    assert "Alpaydin" in sources.terms("scenes:digits", tmp_path)["citation"]

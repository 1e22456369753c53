"""Splits: a source's own are kept, only missing ones are carved, by hash of the id."""

import math

import pytest

from components.example_gen.splits import split_of, used
from configs.schema import DataConfig

IDS = [f"image-{number}".encode() for number in range(5000)]


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        (["train"], {"train": "train"}),
        (["train", "test"], {"train": "train", "test": "test"}),
        (["train", "val", "test", "extra"], {"train": "train", "val": "validation", "test": "test"}),
        (["train", "valid"], {"train": "train", "valid": "validation"}),
        (["all"], {"all": "train"}),
        (["test"], {"test": "train"}),
        (["a", "b"], {"a": "train", "b": "train"}),
    ],
)
def test_a_source_s_own_splits_are_known_by_their_usual_names(source, ours):
    assert used(source) == ours


@pytest.mark.parametrize(
    ("given", "shares"),
    [
        ({"train"}, {"validation": 0.1, "test": 0.2}),
        ({"train", "test"}, {"validation": 0.1}),
        ({"train", "validation"}, {"test": 0.2}),
        ({"train", "validation", "test"}, {}),
    ],
)
def test_only_missing_splits_are_carved_with_the_shares_asked_for(given, shares):
    data = DataConfig(validation=0.1, test=0.2)
    found = [split_of(image_id, "train", given, data) for image_id in IDS]
    for split in ("validation", "test"):
        share = shares.get(split, 0)
        bound = 4 * math.sqrt(share * (1 - share) / len(IDS))
        assert abs(found.count(split) / len(IDS) - share) <= bound
    assert found == [split_of(image_id, "train", given, data) for image_id in IDS]


def test_an_image_of_another_split_stays_there():
    for own in ("validation", "test"):
        assert {split_of(image_id, own, {"train", own}, DataConfig()) for image_id in IDS} == {own}


def test_more_test_images_do_not_move_validation_images():
    small, large = ([split_of(i, "train", {"train"}, data) for i in IDS] for data in (DataConfig(test=0.2), DataConfig(test=0.3)))
    assert [a for a, b in zip(small, large, strict=True) if a != b] == ["train"] * (large.count("test") - small.count("test"))

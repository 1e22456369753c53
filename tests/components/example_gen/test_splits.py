"""Splits: a source's own are kept, only missing ones are carved, by hash of the id."""

import math
from collections import Counter

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from components.example_gen.sources import Raw
from components.example_gen.splits import SMALL, Census, Plan, needs_census, plan, row_of, usable, used
from configs.errors import HubelError
from configs.schema.data import DataConfig

RAWS = [Raw(lambda: b"", f"image-{number}".encode(), number % 3 and 1) for number in range(5000)]  # 1,667 of 0, 3,333 of 1


def taken(raws, own: Plan | dict, data: DataConfig, source: str = "train") -> list[str | None]:
    made = own if isinstance(own, Plan) else Plan(own)
    return [made.split_of(source, raw, data) for raw in raws]


def counted(raws, own: dict, data: DataConfig, source: str = "train", workers: int = 3) -> Plan:
    """The plan of a census that several workers made."""
    census = Census(data)
    parts = [census.create_accumulator() for _ in range(workers)]
    for index, raw in enumerate(raws):
        parts[index % workers] = census.add_input(parts[index % workers], (source, row_of(raw)))
    return plan(census.extract_output(census.merge_accumulators(parts)), own, data)


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        (["train"], {"train": "train"}),
        (["train", "test"], {"train": "train", "test": "test"}),
        (["train", "val", "test", "extra"], {"train": "train", "val": "validation", "test": "test"}),
        (["train", "valid"], {"train": "train", "valid": "validation"}),
        (["train", "dev", "extra"], {"train": "train", "dev": "validation"}),  # what folders, files and tables call them, too
        (["training", "eval", "testing"], {"training": "train", "eval": "validation", "testing": "test"}),
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
    data, own = DataConfig(validation=0.1, test=0.2), {name: name for name in given}
    splits_of = taken(RAWS, own, data)
    for split in ("validation", "test"):
        share = shares.get(split, 0)
        bound = 4 * math.sqrt(share * (1 - share) / len(RAWS))
        assert abs(splits_of.count(split) / len(RAWS) - share) <= bound
    assert splits_of == taken(RAWS, own, data)


def test_an_image_of_another_split_stays_there():
    for own in ("validation", "test"):
        assert set(taken(RAWS, {"train": "train", own: own}, DataConfig(), own)) == {own}


def test_more_test_images_do_not_move_validation_images():
    small, large = (taken(RAWS, {"train": "train"}, data) for data in (DataConfig(test=0.2), DataConfig(test=0.3)))
    assert [a for a, b in zip(small, large, strict=True) if a != b] == ["train"] * (large.count("test") - small.count("test"))


@over(st.lists(st.integers(0, 3), min_size=16, max_size=200), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
@settings(max_examples=50)
def test_small_data_is_stratified_as_exactly_as_whole_images_allow(labels, validation, test):
    raws = [Raw(lambda: b"", f"{index}".encode(), label) for index, label in enumerate(labels)]
    data = DataConfig(validation=validation, test=test)
    splits_of = taken(raws, counted(raws, {"all": "train"}, data, "all"), data, "all")
    images = Counter(labels)
    for split, share in (("validation", validation), ("test", test)):
        total = splits_of.count(split)
        assert total >= 1
        if (1 - validation - test) * min(images.values()) >= 2:  # every class can spare what it is dealt
            assert total == 1 or abs(total - share * len(labels)) < 1 + 1e-6
            for label, count in images.items():
                ours = sum(its == split and own == label for its, own in zip(splits_of, labels, strict=True))
                assert abs(ours - share * count) < 1 + 1e-6 or share * len(labels) < 1
    assert {own for split, own in zip(splits_of, labels, strict=True) if split == "train"} == set(images)


def many(classes: int, each: int) -> list[Raw]:
    return [Raw(lambda: b"", f"{label}/{number}".encode(), label) for label in range(classes) for number in range(each)]


@pytest.mark.parametrize(
    ("classes", "each", "wanted"), [(100, 4, (40, 80)), (30, 2, (6, 12)), (30, 5, (15, 30)), (30, 15, (45, 90))]
)
def test_shares_of_many_small_classes_hold_in_sum(classes, each, wanted):
    raws, data = many(classes, each), DataConfig(validation=0.1, test=0.2)
    splits_of = taken(raws, counted(raws, {"all": "train"}, data, "all"), data, "all")
    assert (splits_of.count("validation"), splits_of.count("test")) == wanted
    assert {raw.label for raw, split in zip(raws, splits_of, strict=True) if split == "train"} == set(range(classes))


def test_one_inlier_among_many_classes_is_validated_on():
    raws, data = many(100, 4), DataConfig(inliers=[0])
    splits_of = taken(raws, counted(raws, {"all": "train"}, data, "all"), data, "all")
    assert {raw.label for raw, split in zip(raws, splits_of, strict=True) if split in ("train", "validation")} == {0}
    assert splits_of.count("validation") == 1
    assert splits_of.count("test") == 81  # 1 of 4, and 79.2 of 396 to within one


def test_a_plan_without_a_split_is_refused_with_what_would_help():
    def refused(raws, data, noun="image"):
        census = Census(data)
        accumulator = census.create_accumulator()
        for raw in raws:
            accumulator = census.add_input(accumulator, ("all", row_of(raw)))
        usable(plan(accumulator, {"all": "train"}, data, noun), accumulator, data, noun)

    with pytest.raises(HubelError, match=r"The validation split has no image \(40 to carve from, of 40 classes\)") as caught:
        refused(many(40, 1), DataConfig())
    assert "data.stratify: false carves by hash alone" in caught.value.hint
    refused(many(40, 1), DataConfig(stratify=False))  # is not
    refused(many(40, 4), DataConfig())
    with pytest.raises(HubelError, match=r"has no text .* a class has one text of") as caught:
        refused(many(40, 1), DataConfig(), "text")
    assert "Give the classes more texts" in caught.value.hint
    with pytest.raises(HubelError, match=r"has no image \(2 to carve from"):
        refused(many(2, 2), DataConfig(limit=2))
    with pytest.raises(HubelError, match="has no image") as caught:
        refused(many(2, 1), DataConfig())
    assert "stratify" not in caught.value.hint  # a hash leaves the two where they are


@over(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=1, max_size=120),
    st.sampled_from([None, 1, 7, 60]),
    st.sampled_from(["auto", False]),
    st.integers(1, 4),
)
@settings(max_examples=150)
def test_all_images_of_one_id_are_in_one_split(rows, limit, stratify, workers):
    raws = [Raw(lambda: b"", f"patient-{person}".encode(), label) for person, label in rows]
    data = DataConfig(validation=0.3, test=0.3, limit=limit, stratify=stratify)
    splits_of = taken(raws, counted(raws, {"all": "train"}, data, "all", workers), data, "all")
    splits = {}
    for raw, split in zip(raws, splits_of, strict=True):
        splits.setdefault(raw.example_id, set()).add(split)
    assert all(len(own) == 1 for own in splits.values())
    assert limit is None or len(rows) < limit or sum(split is not None for split in splits_of) >= limit


def test_classes_that_share_ids_are_not_stratified_and_those_that_share_none_are():
    data = DataConfig()
    people = [Raw(lambda: b"", f"{number // 2}".encode(), number // 2 % 2) for number in range(200)]  # two images of one class each
    assert counted(people, {"all": "train"}, data, "all").bounds
    mixed = [*people, Raw(lambda: b"", b"0", 1)]
    assert counted(mixed, {"all": "train"}, data, "all").bounds == {}
    assert counted(people, {"all": "train"}, DataConfig(stratify=True), "all").bounds
    with pytest.raises(HubelError, match="1 of the ids have images of several classes") as caught:
        counted(mixed, {"all": "train"}, DataConfig(stratify=True), "all")
    assert "data.features.id" in caught.value.hint


def test_two_splits_that_are_carved_count_once():
    raws = [Raw(lambda: b"", f"{number}".encode(), number % 2) for number in range(SMALL - 1000)]
    census, own = Census(DataConfig()), {"a": "train", "b": "train", "c": "train"}
    accumulator = census.create_accumulator()
    for number, raw in enumerate(raws):
        census.add_input(accumulator, ("ab"[number % 2], row_of(raw)))
    assert set(plan(accumulator, own, DataConfig()).bounds) == {0, 1}


def test_a_census_is_made_only_where_a_rule_needs_it():
    carve, whole = {"train": "train"}, {"train": "train", "validation": "validation", "test": "test"}
    assert needs_census(carve, {"train": SMALL}, True, DataConfig())
    assert needs_census(carve, {"train": None}, True, DataConfig())
    assert needs_census(carve, {"train": SMALL + 1}, True, DataConfig(stratify=True))
    for own, count, is_labelled, data in (
        (carve, SMALL + 1, True, DataConfig()),
        (carve, SMALL, False, DataConfig()),
        (carve, SMALL, True, DataConfig(stratify=False)),
        (whole, SMALL, True, DataConfig()),
    ):
        assert not needs_census(own, dict.fromkeys(own, count), is_labelled, data)
        assert needs_census(own, dict.fromkeys(own, count), is_labelled, data.model_copy(update={"limit": 5}))
        assert needs_census(own, dict.fromkeys(own, count), is_labelled, data.model_copy(update={"downsample": 2.0}))


def test_large_data_of_unknown_size_is_not_stratified_and_its_census_is_bounded():
    many = [Raw(lambda: b"", f"{number}".encode(), 0) for number in range(3 * SMALL)]
    census = Census(DataConfig())
    accumulator = census.create_accumulator()
    for raw in many:
        accumulator = census.add_input(accumulator, ("all", row_of(raw)))
        assert len(accumulator["all"][1]) <= 2 * (SMALL + 1)
    made = plan(census.merge_accumulators([accumulator]), {"all": "train"}, DataConfig())
    assert made.bounds == {}
    assert counted(many, {"all": "train"}, DataConfig(stratify=True), "all").bounds


@pytest.mark.parametrize("limit", [1, 7, 4999, 5000, 9999])
def test_a_limit_takes_exactly_so_many_whoever_counted(limit):
    data = DataConfig(limit=limit)
    made = [taken(RAWS, counted(RAWS, {"train": "train"}, data, workers=workers), data) for workers in (1, 4)]
    assert made[0] == made[1]
    assert len([split for split in made[0] if split]) == min(limit, len(RAWS))


def test_no_class_has_more_training_images_than_a_multiple_of_the_rarest():
    data = DataConfig(downsample=1.5)
    made = counted(RAWS, {"train": "train"}, data)
    assert made.kept == {1: pytest.approx(1.5 * 1667 / 3333)}
    splits_of = taken(RAWS, made, data)
    images = Counter(raw.label for raw, split in zip(RAWS, splits_of, strict=True) if split == "train")
    assert images[1] / images[0] == pytest.approx(1.5, rel=0.1)
    before = taken(RAWS, counted(RAWS, {"train": "train"}, DataConfig()), DataConfig())
    assert {(a, b) for a, b in zip(before, splits_of, strict=True) if a != b} == {("train", None)}


def test_outliers_are_tested_on_and_nothing_else():
    data = DataConfig(inliers=[0], downsample=1.0)
    splits_of = taken(RAWS, counted(RAWS, {"train": "train"}, data), data)
    for raw, split in zip(RAWS, splits_of, strict=True):
        assert split in ("test", None) if raw.label else split

"""Dealing of what rounding leaves over: shares hold in each class, and in sum."""

from itertools import accumulate

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from components.example_gen.stratify import dealt


def images(sizes: dict, counts: dict) -> dict:
    """Class -> images of validation, of test, and those that stay, counted by hand."""
    by_class = {}
    for label, each in sizes.items():
        ends = [0, *accumulate(each)]
        first, both = counts[label][0], sum(counts[label])
        by_class[label] = ends[first], ends[both] - ends[first], ends[-1] - ends[both]
    return by_class


def sums(by_class: dict) -> tuple[int, ...]:
    return tuple(map(sum, zip(*by_class.values(), strict=True)))


@pytest.mark.parametrize(
    ("classes", "each", "shares", "wanted"),
    [
        (100, 4, (0.1, 0.2), (40, 80, 280)),  # 0.4 and 0.8 of a class
        (30, 2, (0.2, 0.2), (12, 12, 36)),  # 0.4 and 0.4, which one image to spare cannot both give
        (30, 2, (0.1, 0.2), (6, 12, 42)),
        (40, 5, (0.1, 0.1), (20, 20, 160)),  # 0.5 is rounded to even
        (40, 15, (0.1, 0.1), (60, 60, 480)),  # and 1.5 too
        (10, 3, (0.0, 0.2), (0, 6, 24)),
        (10, 3, (0.1, 0.0), (3, 0, 27)),
        (100, 29, (0.01, 0.29), (29, 841, 2030)),  # 0.29 * 2900 is less than 841
    ],
)
def test_what_a_class_is_too_small_for_the_sum_has(classes, each, shares, wanted):
    sizes = {label: [1] * each for label in range(classes)}
    by_class = images(sizes, dealt(sizes, shares))
    assert sums(by_class) == wanted
    for counts in by_class.values():
        assert all(abs(count - share * each) < 1 for count, share in zip(counts, shares, strict=False))
        assert counts[2] >= 1


def test_the_order_of_dealing_is_a_hash_and_not_that_of_the_classes():
    sizes = {label: [1] * 4 for label in range(100)}
    counts = dealt(sizes, (0.1, 0.2))
    given = [label for label, (first, _) in counts.items() if first]
    assert given != list(range(40))
    assert counts == dealt(dict(reversed(sizes.items())), (0.1, 0.2))


@over(st.lists(st.integers(2, 40), min_size=1, max_size=40), st.floats(0.01, 0.45), st.floats(0.01, 0.45))
@settings(max_examples=100)
def test_shares_hold_in_every_class_and_in_sum(classes, validation, test):
    sizes = {label: [1] * each for label, each in enumerate(classes)}
    by_class = images(sizes, dealt(sizes, (validation, test)))
    validated, tested, _ = sums(by_class)
    assert all(rest >= 1 for _, _, rest in by_class.values())
    if sum(classes) - len(classes) >= 2:
        assert min(validated, tested) >= 1
    if all((1 - validation - test) * each >= 2 for each in classes):  # every class can spare what it is dealt
        for got, share in ((validated, validation), (tested, test)):
            assert got == 1 or abs(got - share * sum(classes)) < 1 + 1e-6
        for label, counts in by_class.items():
            assert all(
                abs(count - share * classes[label]) < 1 + 1e-6 or sum(classes) * share < 1
                for count, share in zip(counts, (validation, test), strict=False)
            )


def test_those_that_can_spare_none_are_made_up_for_by_others():
    sizes = {**{f"rare {number}": [1] for number in range(20)}, "often": [1] * 180}
    assert sums(images(sizes, dealt(sizes, (0.1, 0.2)))) == (20, 40, 140)
    few = {**{f"rare {number}": [1] for number in range(97)}, "often": [1] * 3}
    assert dealt(few, (0.1, 0.2))["often"] == (1, 1)


def test_without_any_to_spare_nothing_is_carved():
    assert set(dealt({label: [1] for label in range(40)}, (0.1, 0.2)).values()) == {(0, 0)}
    assert set(dealt({label: [1] for label in range(40)}, (0.1, 0.2), kept=0).values()) == {(0, 0), (1, 0), (0, 1)}


def test_ids_of_several_images_go_as_a_whole_and_the_sum_holds_to_within_one():
    sizes = {label: [10] * 3 for label in range(10)}  # three people a class: rounded down, nobody would be in validation
    assert sums(images(sizes, dealt(sizes, (0.1, 0.2)))) == (30, 60, 210)
    two = {label: [100, 100] for label in range(2)}
    assert sums(images(two, dealt(two, (0.1, 0.2)))) == (100, 100, 200)  # more than asked for, and not nothing

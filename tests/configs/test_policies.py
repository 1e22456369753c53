"""Policies by name: valid steps, the right ones for their domain, and doubts about digits that are flipped."""

import pytest

from configs import policies
from configs.schema.augment import COLOR_ONLY, AugmentStep
from configs.schema.run import RunConfig
from tests.components.digits import NAMES


def expanded(written, channels=3) -> list[AugmentStep]:
    return policies.expand(RunConfig(name="a", augment=written, transform={"channels": channels}).augment, channels)


def names(written, channels=3) -> list[str]:
    return [step.operation[0] for step in expanded(written, channels)]


@pytest.mark.parametrize("name", policies.POLICIES)
def test_a_policy_stands_for_its_steps(name):
    assert [step.model_dump(exclude_unset=True) for step in expanded(name)] == list(policies.POLICIES[name])


def test_a_policy_s_border_is_that_of_each_of_its_moves():
    asked = {"name": "objects", "border": "constant", "value": [1, 2, 3]}
    steps = dict(step.operation for step in expanded([{"policy": asked}]))
    moves = {name for name, parameters in steps.items() if hasattr(parameters, "border")}
    assert moves == {"translate", "rotate"}
    assert {(steps[name].border, tuple(steps[name].value)) for name in moves} == {("constant", (1, 2, 3))}
    plain = dict(step.operation for step in expanded("objects"))
    assert all(steps[name] == plain[name] for name in set(steps) - moves)
    assert all(steps[name] == plain[name].model_copy(update={"border": "constant", "value": [1, 2, 3]}) for name in moves)


def test_a_policy_may_stand_between_steps():
    assert names([{"zoom": {"factor": 0.1}}, "letters", {"mixup": {}}]) == ["zoom", *names("letters"), "mixup"]


def test_grey_images_keep_what_a_policy_has_for_them():
    assert set(COLOR_ONLY) & set(names("photos"))
    assert names("photos", channels=1) == [name for name in names("photos") if name not in COLOR_ONLY]


@pytest.mark.parametrize("name", ["digits", "letters"])
def test_what_is_written_is_never_flipped_or_turned_far(name):
    for operation, parameters in (step.operation for step in expanded(name)):
        assert operation != "flip"
        assert operation != "rotate" or parameters.degrees <= 15


def test_cells_have_no_way_up():
    steps = dict(step.operation for step in expanded("cells"))
    assert (steps["flip"].horizontal, steps["flip"].vertical, steps["rotate"].degrees) == (True, True, 180)


@pytest.mark.parametrize("classes", [NAMES, list("0123456789"), ["3", "8"], ["Zero", "One"]], ids=str)
@pytest.mark.parametrize(
    ("written", "word"),
    [([{"flip": {}}], "flips"), ("photos", "flips"), ("cells", "turns"), (["digits", {"rotate": {"degrees": 91}}], "turns")],
    ids=str,
)
def test_digits_that_are_flipped_or_upside_down_are_doubted(classes, written, word):
    assert any(word in text for text in policies.doubts(expanded(written), classes))


@pytest.mark.parametrize("classes", [["cat", "dog"], [], ["0", "dog"]], ids=str)
def test_other_classes_may_be_flipped(classes):
    assert policies.doubts(expanded("cells"), classes) == []


@pytest.mark.parametrize("written", ["digits", "none", [{"rotate": {"degrees": 90}}], [{"flip": {"horizontal": False}}]], ids=str)
def test_digits_that_stay_upright_are_not_doubted(written):
    assert policies.doubts(expanded(written), NAMES) == []


@pytest.mark.parametrize(
    ("crops", "classes", "doubted"),
    [({}, NAMES, True), ({"reflect": False}, NAMES, False), (None, NAMES, False), ({}, ["cat", "dog"], False)],
    ids=str,
)
def test_digits_that_are_mirrored_when_they_are_judged_are_doubted(crops, classes, doubted):
    cfg = RunConfig(name="a", export={"crops": crops})
    doubts = policies.doubts(expanded("digits"), classes, cfg.export.crops)
    assert [("reflect" in text) for text in doubts] == [True] * doubted


@pytest.mark.parametrize(
    ("written", "copies", "live"),
    [
        ([{"flip": {}}, {"copies": 3}, {"zoom": {"factor": 0.1}}], 3, ["zoom"]),
        (["digits", {"cutout": {"size": 0.2}}, {"copies": 3}], 3, ["cutout"]),
        ([{"flip": {}}, {"mask": {"share": 0.1}}, {"zoom": {"factor": 0.1}}, {"copies": 3}], 3, ["mask", "zoom"]),
        (["none", {"copies": 3}, {"flip": {}}], 0, ["flip"]),
        ([{"flip": {}}], 0, ["flip"]),
        ([], 0, []),
    ],
    ids=str,
)
def test_copies_hold_what_stands_before_them_and_needs_no_batch(written, copies, live):
    plan = policies.schedule(expanded(written))
    assert plan.copies == copies
    assert [step.operation[0] for step in plan.live] == live
    assert [*plan.written, *plan.live] == [step for step in expanded(written) if step.operation[0] != "copies"]

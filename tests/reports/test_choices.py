"""What stands for a choice is short, and no two choices of a parameter are alike."""

import pytest

from reports.choices import Choices, short


def moves(side, degrees, **options):
    return [{"translate": {"height": side, "width": side, "border": "constant"}}, {"rotate": {"degrees": degrees, **options}}]


@pytest.mark.parametrize(
    ("path", "values", "texts"),
    [
        ("augment", [[], moves(0.1, 10), moves(0.2, 20)], ["none", "translate 0.1 0.1, rotate 10", "translate 0.2 0.2, rotate 20"]),
        ("augment", [[{"rotate": {"degrees": 5}}, {"brightness": {"share": 0.1}}]], ["rotate 5, brightness 0.1"]),
        (  # which number is which has to be said
            "augment",
            [[{"translate": {"height": 0.1}}], [{"translate": {"width": 0.1}}]],
            ["translate (height 0.1)", "translate (width 0.1)"],
        ),
        (
            "augment",
            [moves(0.1, 10), moves(0.1, 10, border="constant")],
            ["translate 0.1 0.1, rotate 10", "translate 0.1 0.1, rotate 10 border constant"],
        ),
        ("train.optimizer", [{"name": "adam"}, {"momentum": 0.9, "name": "sgd"}], ["adam", "sgd, momentum 0.9"]),
        ("model.options.hidden", [[300, 100], [100], []], ["[300, 100]", "[100]", "[]"]),
    ],
)
def test_a_choice_is_as_short_as_it_can_be(path, values, texts):
    assert short(path, values) == texts


def test_a_trials_value_is_the_choice_that_it_equals():
    space = {"augment": {"choices": [[], moves(0.1, 10)], "min": None}, "train.epochs": {"choices": None, "min": 1, "max": 9}}
    kept = [{"translate": {"border": "constant", "value": 0.0, "width": 0.1, "height": 0.1}}, {"rotate": {"degrees": 10.0}}]
    choices = Choices(space, [{"augment": moves(0.1, 10.0), "train.epochs": 3}])
    assert choices.text("augment", moves(0.1, 10.0)) == "translate 0.1 0.1, rotate 10"
    assert choices.text("augment", []) == "none"
    assert choices.text("train.epochs", 3) == "3"
    assert choices.text("augment", kept) == "translate 0.1 0.1, rotate 10"  # of which nobody knew


def test_another_kind_of_border_than_that_of_the_other_steps_is_said():
    assert short("augment", [moves(0.1, 10), [{"translate": {"height": 0.1, "width": 0.1, "border": "mirror"}}]]) == [
        "translate 0.1 0.1 border constant, rotate 10", "translate 0.1 0.1",
    ]  # fmt: skip

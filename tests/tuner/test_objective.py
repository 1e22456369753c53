"""What a search is for: by name and direction, alone or as a sum."""

import math

import pytest

from configs.errors import UsageError
from configs.schema.tune import TuneConfig
from tuner import objective
from tuner.objective import Objective

LOGGED = {"val_loss": "min", "val_accuracy": "max", "val_kl": None}
CURVE = [
    {"val_loss": 0.5, "val_accuracy": 0.7},
    {"val_loss": 0.4, "val_accuracy": 0.6},
    {"val_loss": 0.6, "val_accuracy": 0.9},
    {"val_loss": math.nan, "val_accuracy": 0.99},
    {"val_loss": 0.4, "val_accuracy": 0.6},
]


def of(asked, judged_by="val_loss"):
    return objective.of(TuneConfig.model_validate({"objective": asked}).objective, LOGGED, judged_by)


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        (None, [Objective("val_distance", "min")]),
        ("val_accuracy", [Objective("val_accuracy", "max")]),
        ({"name": "val_kl", "direction": "max"}, [Objective("val_kl", "max")]),
        (
            [{"name": "val_loss", "weight": 0.5}, "val_accuracy"],
            [Objective("val_loss", "min", 0.5), Objective("val_accuracy", "max")],
        ),
    ],
    ids=str,
)
def test_the_task_says_the_direction(asked, made):
    assert of(asked, "val_distance") == made


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("val_auroc", "asks for val_auroc, and no epoch has it", "val_accuracy, val_kl, val_loss"),
        ("accuracy", "asks for accuracy, and no epoch has it", "val_accuracy"),
        ("val_kl", "nothing says which way it is better", "direction: min"),
        ({"name": "val_accuracy", "direction": "min"}, "of which more is better", "Write max"),
        ({"name": "val_loss", "direction": "max"}, "of which less is better", "Write min"),
    ],
    ids=str,
)
def test_what_cannot_be_searched_for_is_refused(asked, message, hint):
    with pytest.raises(UsageError) as refused:
        of(asked)
    assert message in refused.value.message
    assert hint in refused.value.hint


def test_of_several_a_value_is_their_sum_in_one_epoch():
    several = [Objective("val_loss", "min", 1.0), Objective("val_accuracy", "max", 2.0)]
    sums = [0.5 - 1.4, 0.4 - 1.2, 0.6 - 1.8]
    assert [objective.value(several, figures) for figures in CURVE[:3]] == pytest.approx(sums)
    assert (objective.name(several), objective.direction(several)) == ("objective", "min")
    assert objective.value(several, CURVE[3]) is None


def test_a_weight_of_one_alone_changes_nothing():
    assert objective.value([Objective("val_loss", "min", 7.0)], CURVE[0]) == 0.5

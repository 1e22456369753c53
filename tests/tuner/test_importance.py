"""The importance of parameters is that of functions whose parameters matter as they were made to."""

import math
import random

import pytest

from tuner import importance
from tuner.records import StudyRecord, TrialRecord

SPACE = {
    "rate": {"min": 1e-5, "max": 1e-1, "sampling": "log"},
    "kind": {"choices": ["a", "b", "c"]},
    "hidden": {"choices": [[300, 100], [50]]},
    "idle": {"min": 0.0, "max": 1.0},
    "of_a": {"min": 0.0, "max": 1.0, "when": {"kind": "a"}},
}


def study(direction="min") -> StudyRecord:
    objective = [{"name": "val_loss", "direction": direction, "weight": 1.0}]
    return StudyRecord(config="x", algorithm="random", objective=objective, space=SPACE, seed=0, fingerprint="f", started=0.0)


def trials(value, count=120) -> list[TrialRecord]:
    draw = random.Random(0)
    made = []
    for number in range(count):
        values = {"rate": 10 ** draw.uniform(-5, -1), "kind": draw.choice("abc"), "hidden": draw.choice([[300, 100], [50]])}
        values |= {"idle": draw.random(), **({"of_a": draw.random()} if values["kind"] == "a" else {})}
        made.append(TrialRecord(id=f"{number:04d}", values=values, status="completed", value=value(values)))
    return made


def test_what_the_value_is_made_of_matters_and_the_rest_does_not():
    shares = importance.of(study(), trials(lambda v: (math.log10(v["rate"]) + 3) ** 2 + 0.5 * (v["kind"] == "b")))
    assert list(shares)[:2] == ["rate", "kind"]
    assert shares["rate"] > 0.8
    assert shares["idle"] < 0.05
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("matters", ["kind", "hidden", "of_a"])
def test_choices_lists_and_conditional_parameters_are_seen(matters):
    def value(values):
        if matters == "of_a":
            return values.get("of_a", -1.0)
        return float(values[matters] in ("b", [50])) + 0.01 * values["idle"]

    assert next(iter(importance.of(study(), trials(value)))) in ({"of_a", "kind"} if matters == "of_a" else {matters})


def test_one_that_all_but_diverged_does_not_count_for_all_others():
    made = trials(lambda v: v["idle"])
    made[0] = made[0].model_copy(update={"value": 1e30})
    assert next(iter(importance.of(study(), made))) == "idle"


def test_the_same_trials_have_the_same_importance():
    made = trials(lambda v: v["rate"] + v["idle"])
    assert importance.of(study(), made) == importance.of(study(), made)


def test_of_little_nothing_is_said():
    assert importance.of(study(), []) == {}
    assert importance.of(study(), trials(lambda v: v["idle"], count=3)) == {}
    assert importance.of(study(), trials(lambda v: 1.0)) == {}
    failed = [trial.model_copy(update={"status": "failed", "value": None}) for trial in trials(lambda v: v["idle"])]
    assert importance.of(study(), failed) == {}
    fixed = [trial.model_copy(update={"values": {"idle": 0.5}}) for trial in trials(lambda v: v["idle"])]
    assert importance.of(study(), fixed) == {}


@pytest.mark.parametrize(("count", "is_doubted"), [(3, False), (4, True), (9, True), (10, False), (60, False)])
def test_of_few_trials_it_is_doubted(count, is_doubted):
    doubt = importance.doubt(study(), trials(lambda v: v["idle"], count=count))
    assert doubt == (
        f"Of {count} trials, importance says little: a few others may turn it over; it takes 10 or more." if is_doubted else ""
    )

"""Parallel coordinates: where values stand on an axis, and what is said there."""

import pytest

from reports import parallel, tuning
from reports.choices import Choices
from reports.parallel import Places
from reports.trials import shown
from tests.reports.searches import search
from tests.reports.test_tuning import data, specs

LOG = {"choices": None, "min": 1e-4, "max": 0.1, "sampling": "log"}


@pytest.mark.parametrize(
    ("values", "drawn", "ticks"),
    [
        ([0.0002, 0.05], LOG, [(0, "0.0002"), (1, "0.05")]),
        ([0.0002 * 1.3**n for n in range(22)], LOG, [(0, "0.0002"), (0.2922, "0.001"), (0.7101, "0.01"), (1, "0.04941")]),
        ([n / 8 for n in range(9)], None, [(0, "0"), (0.5, "0.5"), (1, "1")]),
        ([16, 32, 64], {"choices": None, "min": 16, "max": 64, "step": 2, "sampling": "log"}, [(0, "16"), (0.5, "32"), (1, "64")]),
        ([64, 16], {"choices": [16, 32, 64]}, [(0, "16"), (1, "64")]),
        (["tanh", "relu"], {"choices": ["relu", "selu", "tanh"]}, [(0, "relu"), (1, "tanh")]),
        ([True, False, True], None, [(0, "false"), (1, "true")]),
        ([3, 3], {"choices": None, "min": 1, "max": 9}, [(0.5, "3")]),
    ],
)  # fmt: skip
def test_an_axis_has_its_ends_and_round_numbers_or_its_choices_in_their_order(values, drawn, ticks):
    places = Places(values, drawn, shown)
    assert [(pytest.approx(at, abs=1e-3), text) for at, text in ticks] == places.ticks()
    assert all(places.place(value) == pytest.approx(dict(map(reversed, ticks))[shown(value)], abs=1e-3) for value in values[:1])


@pytest.mark.parametrize(("direction", "better"), [("max", max), ("min", min)])
def test_the_objective_is_the_last_axis_and_the_best_is_on_top_of_it(direction, better):
    asked = search(12, direction=direction, status="completed")
    rows = [row for row in data(specs(tuning.html(asked))["parallel"]) if row.get("parameter") == "" and "trial" in row]
    top = next(row for row in rows if row["place"] == 1)
    assert (top["trial"], top["value"], top["best"]) == (asked.best.id, better(row["value"] for row in rows), True)
    assert len(rows) == len(asked.ranking)


@pytest.mark.parametrize(("parameters", "lies"), [(5, False), (parallel.ACROSS, True)])
def test_axes_stand_side_by_side_where_there_is_room_for_them(parameters, lies):
    asked = search(5, parameters=parameters, status="completed")
    space, names = asked.study.space, {path: path for path in asked.study.space}
    made = parallel.chart(asked.ranking, names, space, Choices(space, ()), ("val_accuracy", "val_accuracy (max)"), "max")
    assert (made.spec == made.narrow) == lies


def test_one_that_ended_early_is_never_drawn_as_the_best():
    asked = search(12)
    rows = [row for row in data(specs(tuning.html(asked))["parallel"]) if "trial" in row]
    assert {row["trial"] for row in rows if row["best"]} == {asked.best.id}
    assert max(rows, key=lambda row: row["value"])["trial"] != asked.best.id, "one that was pruned has a better value"
    by_strength = sorted({row["trial"]: row["strength"] for row in rows}.items(), key=lambda pair: -pair[1])
    assert [trial for trial, _ in by_strength] == [trial.id for trial in asked.ranking]
    assert "Those that ended early are behind those trained to their end." in tuning.html(asked)

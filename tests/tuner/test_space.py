"""Distributions become keras-tuner's hyperparameters, and what its oracles draw becomes values of a config."""

import collections
import json

import keras_tuner
import pytest

from configs import choices
from configs import space as spaces
from configs.errors import UsageError
from configs.schema.tune import Distribution
from tuner import space

ORACLES = {
    "random": (keras_tuner.oracles.RandomSearchOracle, {"max_trials": 60}),
    "grid": (keras_tuner.oracles.GridSearchOracle, {"max_trials": None}),
    "bayesian": (keras_tuner.oracles.BayesianOptimizationOracle, {"max_trials": 19, "num_initial_points": 16}),
    "hyperband": (keras_tuner.oracles.HyperbandOracle, {"max_epochs": 27}),
}
CONDITIONAL = {
    "model.options.deep": {"choices": [True, False]},
    "train.optimizer": {"choices": [{"name": "adam"}, {"name": "sgd", "momentum": 0.9}]},
    "model.options.hidden": {"choices": [[300, 100], [200, 50], [100, 10]], "when": {"model.options.deep": True}},
    "train.optimizer.nesterov": {"choices": [True, False], "when": {"train.optimizer.name": "sgd"}},
    "model.options.dropout": {"choices": [0.2, 0.4], "when": {"model.options.hidden": [[300, 100], [200, 50]]}},
    "train.schedule": {
        "choices": [None, {"name": "cosine"}],
        "when": {"train.optimizer.nesterov": True, "model.options.deep": False},
    },
}


def declared(**drawn):
    [made] = space.hyperparameters({"train.x": Distribution(**drawn)}).space
    return made


@pytest.mark.parametrize(
    ("drawn", "kind", "values"),
    [
        ({"choices": [1, 2, 4]}, "Choice", [1, 2, 4]),
        ({"choices": [1, 0.5]}, "Choice", [1.0, 0.5]),
        ({"choices": ["adam", "sgd"]}, "Choice", ["adam", "sgd"]),
        ({"choices": [True, False]}, "Boolean", [True, False]),
        ({"choices": [True]}, "Fixed", [True]),
        ({"min": 1, "max": 5}, "Int", [1, 2, 3, 4, 5]),
        ({"min": 2, "max": 9, "step": 3}, "Int", [2, 5, 8]),
        ({"min": 8, "max": 64, "step": 2, "sampling": "log"}, "Int", [8, 16, 32, 64]),
        ({"min": 0.5, "max": 1.5, "step": 0.5}, "Float", [0.5, 1.0, 1.5]),
    ],
    ids=str,
)
def test_each_kind_draws_what_it_says(drawn, kind, values):
    made = declared(**drawn)
    assert type(made).__name__ == kind
    assert made.name == "train.x"
    assert sorted(made.values) == sorted(values)
    drawn_values = [made.random_sample(seed) for seed in range(60)]
    assert set(drawn_values) == set(values)
    assert {type(value) for value in drawn_values} == {type(value) for value in values}


@pytest.mark.parametrize(("sampling", "below"), [("linear", 0.0), ("log", 0.4)])
def test_ranges_of_fractions_are_drawn_evenly_or_by_their_logarithm(sampling, below):
    made = declared(min=1e-4, max=1.0, sampling=sampling)
    values = [made.random_sample(seed) for seed in range(200)]
    assert all(1e-4 <= value <= 1 for value in values)
    assert (sum(value < 1e-2 for value in values) / 200 > 0.3) == (below > 0)


def test_numbers_are_ordered_and_names_are_not():
    assert declared(choices=[1, 2]).ordered
    assert not declared(choices=["a", "b"]).ordered


def test_a_whole_space_survives_keras_tuner_s_own_serialisation():
    drawn = {"a": {"choices": [1, 2]}, "b.c": {"min": 0.1, "max": 1.0, "sampling": "log"}, "d": {"min": 1, "max": 3}}
    made = space.hyperparameters({path: Distribution(**d) for path, d in drawn.items()})
    again = keras_tuner.HyperParameters.from_config(made.get_config())
    assert [hp.name for hp in again.space] == ["a", "b.c", "d"]
    assert space.hyperparameters({}).space == []


def test_steps_end_where_they_should():
    assert len(list(declared(min=0.1, max=1.0, step=0.1).values)) == 10


@pytest.mark.parametrize(("sampling", "median"), [("log", 0.1), ("linear", 0.505), ("reverse_log", 0.91)])
def test_ranges_are_drawn_densely_near_one_end_or_the_other(sampling, median):
    made = declared(min=0.01, max=1.0, sampling=sampling)
    assert made.prob_to_value(0.5) == pytest.approx(median)
    assert [made.prob_to_value(0.0), made.prob_to_value(1.0)] == pytest.approx([0.01, 1.0])


@pytest.mark.parametrize("drawn", [{"choices": ["a", "b"], "default": "b"}, {"choices": [[1], [2]], "default": [2]}], ids=str)
def test_a_default_is_what_grid_search_begins_with(drawn):
    made = space.hyperparameters({"x": Distribution(**drawn)})
    assert space.values(made) == {"x": drawn["default"]}


def drawn_by(algorithm, entries, tmp_path, metric=lambda values: len(str(values)) % 7):
    """Values of every trial of a search by one of keras-tuner's oracles, and how often it was asked."""
    kind, budget = ORACLES[algorithm]
    oracle = kind(
        objective=keras_tuner.Objective("score", "min"),
        hyperparameters=space.hyperparameters(entries),
        tune_new_entries=False,
        allow_new_entries=False,
        seed=3,
        **budget,
    )
    oracle._set_project_dir(str(tmp_path), algorithm)
    trials = []
    while (trial := oracle.create_trial("tuner0")).status == "RUNNING":
        values = space.values(trial.hyperparameters)
        assert json.loads(json.dumps(values)) == values
        trials.append(values)
        oracle.update_trial(trial.trial_id, {"score": metric(values)})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    return trials


@pytest.mark.parametrize("algorithm", ORACLES)
def test_every_oracle_draws_an_entry_where_its_condition_holds_and_nowhere_else(algorithm, tmp_path):
    entries = {path: Distribution.model_validate(drawn) for path, drawn in CONDITIONAL.items()}
    trials = drawn_by(algorithm, entries, tmp_path)
    assert len(trials) >= 15
    for values in trials:
        sgd = values["train.optimizer"] == {"name": "sgd", "momentum": 0.9}
        assert ("model.options.hidden" in values) == values["model.options.deep"]
        assert ("train.optimizer.nesterov" in values) == sgd
        assert ("model.options.dropout" in values) == (values.get("model.options.hidden") in ([300, 100], [200, 50]))
        assert ("train.schedule" in values) == (values.get("train.optimizer.nesterov", False) and not values["model.options.deep"])
        assert all(drawn.has(values[path]) for path, drawn in entries.items() if path in values)
    seen = collections.defaultdict(set)
    for values in trials:
        for path, value in values.items():
            seen[path].add(json.dumps(value))
    assert set(seen) == set(entries), "every entry was drawn at least once"


def test_grid_search_tries_each_point_once_and_each_of_them(tmp_path):
    entries = {path: Distribution.model_validate(drawn) for path, drawn in CONDITIONAL.items()}
    trials = [json.dumps(values, sort_keys=True) for values in drawn_by("grid", entries, tmp_path)]
    assert len(trials) == len(set(trials))
    # deep: two of three networks have a dropout, so 5; not: 1; adam: 1; sgd: nesterov or not, and with it, not deep, 2 schedules
    assert len(trials) == 5 * (1 + 2) + 1 * (1 + 1 + 2)
    assert len(trials) == space.points(entries)


def test_a_grid_of_whole_steps_that_multiply_has_whole_numbers(tmp_path):
    entries = {"train.batch_size": Distribution(min=8, max=64, step=2, sampling="log", default=16)}
    values = [trial["train.batch_size"] for trial in drawn_by("grid", entries, tmp_path)]
    assert sorted(values) == [8, 16, 32, 64]
    assert values[0] == 16
    assert {type(value) for value in values} == {int}


@pytest.mark.parametrize(
    "entries",
    [
        {"a": {"min": 0.0, "max": 1.0}, "b": {"choices": [1, 2]}},
        {"a": {"min": 0.0, "max": 1.0, "default": 0.3}},
        {"a": {"min": 4, "max": 400, "sampling": "log"}},
        {"a": {"min": 1, "max": 5}, "b": {"choices": [True]}, "c": {"min": 1, "max": 3, "when": {"a": [1, 2]}}},
        {},
    ],
    ids=str,
)
def test_as_many_points_are_told_as_grid_search_tries(entries, tmp_path):
    entries = {path: Distribution.model_validate(drawn) for path, drawn in entries.items()}
    assert space.points(entries) == len(drawn_by("grid", entries, tmp_path))


def test_conditions_of_nested_scopes_are_keras_tuner_s_own():
    ours = space.hyperparameters(
        {
            "a": Distribution(choices=["x", "y"]),
            "b": Distribution(choices=["p", "q"], when={"a": "y"}),
            "c": Distribution(min=1, max=3, when={"b": ["p", "q"]}),
        }
    )
    theirs = keras_tuner.HyperParameters()
    theirs.Choice("a", ["x", "y"], default="x")
    with theirs.conditional_scope("a", ["y"]):
        theirs.Choice("b", ["p", "q"], default="p")
        with theirs.conditional_scope("b", ["p", "q"]):
            theirs.Int("c", 1, 3, default=1)
    for mine, wanted in zip(ours.space, theirs.space, strict=True):
        assert type(mine) is type(wanted)
        assert sorted(mine.conditions, key=lambda c: c.name) == wanted.conditions
    assert ours.values == theirs.values


def test_corners_are_what_the_config_is_tried_by():
    assert space.corners is spaces.corners


def test_values_of_a_config_are_drawn_as_in_a_space_where_they_lie_in_it():
    asked = {
        "model.options.hidden": Distribution(choices=[[300, 100], [200]]),
        "train.optimizer.name": Distribution(choices=["adam", "sgd"]),
        "train.optimizer.momentum": Distribution(min=0.0, max=0.9, when={"train.optimizer.name": "sgd"}),
    }
    declared = space.hyperparameters(asked)
    adam = {"model.options.hidden": [200], "train.optimizer.name": "adam"}
    made = declared.copy()
    made.values = space.drawn(declared, asked, adam)
    assert space.values(made) == adam
    assert space.drawn(declared, asked, {**adam, "train.optimizer.name": "sgd", "train.optimizer.momentum": 0.5})
    outside = [
        {**adam, "model.options.hidden": [100]},
        {**adam, "train.optimizer.momentum": 0.5},
        {**adam, "train.optimizer.name": "sgd"},
        {**adam, "train.batch_size": 32},
        {**adam, "train.optimizer.name": "sgd", "train.optimizer.momentum": 0.95},
    ]
    assert [space.drawn(declared, asked, values) for values in outside] == [None] * 5


RATES = {
    "train.optimizer": {"choices": [{"name": "adam"}, {"name": "sgd", "momentum": 0.9}]},
    "train.optimizer.learning_rate": {"choices": [0.001, 0.01], "when": {"train.optimizer.name": "adam"}},
    "train.optimizer.learning_rate#sgd": {"choices": [0.1, 0.5, 1.0], "when": {"train.optimizer.name": "sgd"}},
}


@pytest.mark.parametrize("algorithm", ORACLES)
def test_a_key_that_stands_twice_is_drawn_as_its_condition_says_and_is_one_key_of_the_config(algorithm, tmp_path):
    entries = {key: Distribution(**drawn) for key, drawn in RATES.items()}
    trials = drawn_by(algorithm, entries, tmp_path)
    seen = {(values["train.optimizer"]["name"], values["train.optimizer.learning_rate"]) for values in trials}
    assert all(values.keys() == {"train.optimizer", "train.optimizer.learning_rate"} for values in trials)
    every = {("adam", 0.001), ("adam", 0.01), ("sgd", 0.1), ("sgd", 0.5), ("sgd", 1.0)}
    assert seen == every if algorithm == "grid" else (seen <= every and {name for name, _ in seen} == {"adam", "sgd"})
    assert space.points(entries) == len(every)
    declared = space.hyperparameters(entries)
    for values in trials:
        made = declared.copy()
        made.values = dict(values)  # as TFX's artifact has the best ones, whose keys are the config's
        made.values["train.optimizer"] = choices.encoded(values["train.optimizer"])
        assert space.values(made) == values
        made.values = space.drawn(declared, entries, values)
        assert space.values(made) == values
    assert space.drawn(declared, entries, {"train.optimizer": {"name": "adam"}, "train.optimizer.learning_rate": 0.1}) is None


def test_a_key_that_stands_twice_under_conditions_that_meet_is_refused():
    entries = {key: Distribution(**{**drawn, "when": {}}) for key, drawn in RATES.items()}
    with pytest.raises(UsageError, match="learning_rate#sgd are of one key, and may be drawn together"):
        spaces.conditions(entries)

"""Distributions become keras-tuner's hyperparameters."""

import keras_tuner
import pytest

from configs.schema.tune import Distribution
from tuner import space


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

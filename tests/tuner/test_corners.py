"""A search that cannot be made is refused before it begins, with the values and the sentence of what refuses them."""

import itertools

import pytest

from configs.errors import UsageError
from configs.schema.run import RunConfig
from configs.schema.tune import Distribution
from tuner import auto, corners

HIDDEN = {"model.options.hidden": {"choices": [[100], [300, 100]]}}


def prove(space, fits=lambda corner: None, build=lambda corner: None, seconds=60.0, **tree):
    entries = {path: Distribution.model_validate(drawn) for path, drawn in space.items()}
    config = RunConfig.model_validate({"name": "a", "model": {"name": "mlp"}, "tune": {"enabled": True}, **tree})
    return corners.prove(config, entries, "here", fits, build, seconds)


def test_each_network_is_built_once_and_each_corner_asked_for():
    asked, built = [], []
    rates = {
        "train.optimizer.learning_rate": {"min": 0.001, "max": 0.1},
        "train.precision": {"choices": ["float32", "mixed_float16"]},
    }
    assert prove({**HIDDEN, **rates}, asked.append, built.append) == []
    networks = [(tuple(corner.model.options["hidden"]), corner.train.precision) for corner in built]
    assert len(networks) == len(set(networks)), "the rate builds no other network"
    assert {hidden for hidden, _ in networks} == {(100,), (300, 100)}
    assert {precision for _, precision in networks} == {"float32", "mixed_float16"}
    assert {corner.train.optimizer.learning_rate for corner in asked} >= {0.001, 0.1}


@pytest.mark.parametrize("asked", ["fits", "build"])
def test_what_refuses_a_corner_is_heard_with_the_values(asked):
    def refuse(corner):
        if corner.model.options["hidden"] == [300, 100]:
            raise UsageError("Model mlp: hidden is too much.", "Take less.")

    with pytest.raises(UsageError) as caught:
        prove({**HIDDEN, "train.batch_size": {"choices": [8, 16]}}, **{asked: refuse})
    assert caught.value.message == "Config here: tune.space with model.options.hidden: [300, 100]: Model mlp: hidden is too much."
    assert caught.value.hint == "Take less."


def test_what_there_is_no_time_for_is_counted():
    [said] = prove({"model.options.hidden": {"choices": [[n] for n in range(1, 6)]}}, seconds=-1.0)
    assert said.startswith("5 networks of the search's corners could not be tried within")


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"train.optimiser.learning_rate": {"choices": [0.1, 0.2]}}, "did you mean optimizer?"),
        ({"train.batch_size": {"choices": [0, 1]}}, "train.batch_size = 0"),
        ({"train.batch_size": {"choices": [8]}}, "has one point"),
        ({"train.batch_size": {"min": 8, "max": 9, "step": 4}}, "has one point"),
        ({}, "is empty"),
        ({"transform.height": {"choices": [8, 16]}}, "Transform would have to run again"),
        ({"data.validation": {"min": 0.1, "max": 0.2}}, "could not be compared"),
        ({"push.enabled": {"choices": [True, False]}}, "nothing that a trial is judged by depends on it"),
        ({"export.top_k": {"min": 1, "max": 5}}, "nothing that a trial is judged by depends on it"),
        ({"model": {"choices": [{"name": "mlp"}, {"name": "mlp", "initial": "a/1"}]}}, "cannot search model.initial"),
        ({"train.epochs": {"min": 3, "max": 9}}, "hyperband decides how long a trial is"),
        ({**HIDDEN, "train.batch_size": {"choices": [8, 16], "when": {"model.options.hidden": [[7]]}}}, "never holds"),
    ],
    ids=str,
)
def test_a_space_that_cannot_be_searched_is_refused_before_anything_is_built(space, words):
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        prove(space, build=lambda corner: pytest.fail("built"))


def test_a_trial_is_as_long_as_the_search_says_or_as_its_epochs():
    epochs = {"train.epochs": {"min": 3, "max": 9}}
    with pytest.raises(UsageError, match=r"tune\.epochs says how long a trial is: 5"):
        prove(epochs, tune={"enabled": True, "algorithm": "random", "epochs": 5})
    assert prove(epochs, tune={"enabled": True, "algorithm": "random"}) == []


def test_an_option_of_one_model_is_tried_with_that_model_alone():
    space = {
        "model.name": {"choices": ["mlp", "lenet5"]},
        "model.options.hidden": {"choices": [[10], [20]], "when": {"model.name": "mlp"}},
        "model.options.pooling": {"choices": ["max", "average"], "when": {"model.name": "lenet5"}},
    }
    built = []
    prove(space, build=built.append, model={"name": "mlp", "options": {"batch_norm": True}})
    tried = [(corner.model.name, corner.model.options) for corner in built]
    assert all(("hidden" in options) == (name == "mlp") for name, options in tried)
    assert all(("pooling" in options) == (name == "lenet5") for name, options in tried)
    assert all(("batch_norm" in options) == (name == "mlp") for name, options in tried), "an option of the config's own model"
    assert len(tried) == 4


def test_what_a_config_has_and_a_search_leaves_out_is_said():
    config = RunConfig(name="a")
    entries = {
        "train.batch_size": Distribution(choices=[16, 32]),
        "train.optimizer.learning_rate": Distribution(min=1e-4, max=1e-2),
        "model.options.dropout": Distribution(choices=[0.1, 0.2]),
    }
    assert corners.notes(config, entries) == ["the search does not try the config's own train.batch_size of 64"]


SGD = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}
RATE = {"train.optimizer.learning_rate": {"min": 1e-4, "max": 1e-1, "sampling": "log"}}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"train.optimizer": {"choices": [{"name": "sgd"}, {"name": "adam"}]}, **RATE}, []),
        ({"train.optimizer": {"choices": [{"name": "sgd", "learning_rate": 0.05}, {"name": "adam"}]}}, []),
        ({"train.optimizer": {"choices": [{"name": "sgd", "learning_rate": 0.01}, {"name": "adam"}]}, **RATE}, []),
        ({"train.optimizer": {"choices": [{"name": "sgd", "momentum": 0.5}, {"name": "adam"}]}, **RATE}, ["train.optimizer"]),
        ({"train.optimizer": {"choices": [{"name": "adam"}, {"name": "adamw"}]}, **RATE}, ["train.optimizer"]),
    ],
)
def test_a_choice_is_compared_with_the_config_s_own_once_it_is_merged_over_it(entries, said):
    config = RunConfig(name="a", train={"optimizer": SGD})
    told = corners.notes(config, {dotted: Distribution.model_validate(drawn) for dotted, drawn in entries.items()})
    own = '{"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}'
    assert told == [f"the search does not try the config's own {dotted} of {own}" for dotted in said]


def test_an_optimizer_of_a_space_auto_is_the_config_s_own_too():
    config = RunConfig(name="a", model={"name": "lenet5"}, train={"optimizer": SGD}, tune={"enabled": True, "space": "auto"})
    assert corners.notes(config, auto.space(config)) == []


@pytest.mark.parametrize(
    ("tune", "said"),
    [
        ({"trials": 5}, ["grid search tries the first 5 of 6 combinations: tune.trials is 5"]),
        ({"trials": 6}, ["grid search tries 6 combinations"]),
        ({}, ["grid search tries 6 combinations"]),
    ],
)
def test_a_grid_says_how_much_it_tries(tune, said):
    config = RunConfig(name="a", tune={"algorithm": "grid", **tune})
    entries = {"train.batch_size": Distribution(choices=[32, 64]), "model.options.hidden": Distribution(choices=[[1], [2], [3]])}
    assert corners.notes(config, entries) == said


def test_corners_are_in_the_order_of_the_space():
    seen = []
    prove({"model.options.hidden": {"choices": [[1], [2]]}, "model.options.dropout": {"min": 0.0, "max": 0.5}}, build=seen.append)
    options = [(corner.model.options["hidden"][0], corner.model.options["dropout"]) for corner in seen]
    assert (options[0], options[1], options[-1]) == ((1, 0.0), (2, 0.0), (2, 0.5))
    assert set(itertools.product((1, 2), (0.0, 0.5))) <= set(options)

"""Every model that ships has a space that can be searched, and what the config has is among what is tried."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

import keras_models
from configs import load, searched
from configs import space as spaces
from configs.errors import UsageError
from configs.override import override
from configs.schema.run import RunConfig
from configs.schema.tune import Distribution
from keras_models import building
from keras_models.parameters import without_weights
from tuner import auto, corners

TRAINED = sorted(name for name in keras_models.catalog() if name != "ensemble")  # which is made of models that are trained
ALIKE = {(record.module, str(record.space)): name for name, record in sorted(keras_models.catalog().items(), reverse=True)}
NETWORKS = sorted(set(ALIKE.values()) & set(TRAINED))  # one of those that share a builder and a space, such as densenet121 to 201
ELBO = {"objective": "val_elbo"}  # of another figure than the loss, so that no option is left out


def tiny_config(name, **tree):
    """A config of a model's tiny twin, that is searched by its own space."""
    record = keras_models.check(name)
    height, width, channels = record.tiny["input_shape"]
    of_data = ("input_shape", "num_classes")
    options = {key: value for key, value in record.tiny.items() if key not in of_data}
    return RunConfig.model_validate(
        {
            "name": "a",
            "transform": {"height": height, "width": width, "channels": channels},
            "model": {"name": name, "options": options},
            "tune": {"enabled": True, "space": "auto", **ELBO},
            **tree,
        }
    )


@pytest.mark.parametrize("name", TRAINED)
def test_every_model_has_a_space_that_the_schema_takes(name):
    config = tiny_config(name)
    space = auto.space(config)
    searched.check(config, space, "here")
    options = {path.removeprefix("model.options.") for path in space if path.startswith("model.options.")}
    record = keras_models.check(name)
    assert options <= record.space.keys()
    assert not options & record.options.keys(), "what the name fixes"
    if record.task != "reconstruction.principal_components":
        assert "train.optimizer.learning_rate" in space


@pytest.mark.parametrize("name", NETWORKS)
def test_every_corner_of_a_tiny_twin_s_space_is_a_network(name):
    config = tiny_config(name)
    tiny, entry = dict(keras_models.check(name).tiny), keras_models.get(name)
    of_data = {key: tiny.pop(key) for key in ("input_shape", "num_classes") if key in tiny}

    def build(corner):
        with without_weights():
            building.build(replace(entry, options={}), of_data, {**entry.options, **tiny, **corner.model.options})

    assert corners.prove(config, auto.space(config), "here", lambda corner: None, build) == []


@pytest.mark.parametrize("name", load.names())
def test_every_shipped_config_can_be_searched_by_the_space_of_its_model(name):
    config = load.load(name)
    if config.model.name == "ensemble":
        pytest.skip("made of models that are trained")
    config = override(config, {"tune": {"enabled": True, "algorithm": "random", "space": "auto"}})
    space = auto.space(config)
    searched.check(config, space, name)
    own = config.model_dump(mode="json")
    for path, drawn in space.items():
        value = spaces.at(own, path.split("."))
        if value is not None and path not in ("train.optimizer", "train.schedule"):
            assert drawn.has(value), f"{path}: the config's own {value} is among what is tried"
    for path in {"train.optimizer", "train.schedule"} & space.keys():
        assert override(config, {path: space[path].choices[0]}) == config, "and so is its own optimizer"


@pytest.mark.parametrize(
    ("own", "rates"),
    [
        ({"name": "adam", "learning_rate": 3e-3}, {"": (1e-4, 1e-2), "#sgd": (1e-3, 1.0)}),
        ({"name": "sgd", "learning_rate": 2.0}, {"": (1e-3, 2.0), "#adam": (1e-4, 1e-2)}),
        ({"name": "rmsprop", "learning_rate": 1e-5}, {"": (1e-5, 1e-2), "#adam": (1e-4, 1e-2), "#sgd": (1e-3, 1.0)}),
    ],
    ids=["adam", "sgd", "rmsprop"],
)
def test_each_optimizer_has_rates_of_its_own(own, rates):
    config = RunConfig(name="a", train={"optimizer": own}, tune={"enabled": True, "space": "auto"})
    space = auto.space(config)
    searched.check(config, space, "here")
    of_rate = {key: drawn for key, drawn in space.items() if key.partition("#")[0] == auto.RATE}
    assert {key.removeprefix(auto.RATE): (drawn.min, drawn.max) for key, drawn in of_rate.items()} == rates
    corners_of = {corner["train.optimizer"]["name"]: set() for corner in spaces.corners(space)}
    for corner in spaces.corners(space):
        corners_of[corner["train.optimizer"]["name"]].add(corner[auto.RATE])
    for drawn in of_rate.values():
        tried = corners_of[drawn.when["train.optimizer.name"]]
        assert {drawn.min, drawn.max} <= tried
        assert all(drawn.has(rate) for rate in tried)


def test_a_builder_s_space_may_have_an_option_several_times_too():
    dropout = {"min": 0.0, "max": 0.2, "when": {"batch_norm": True}}
    space = {"batch_norm": {"choices": [True, False]}, "dropout": dropout}
    space["dropout#plain"] = {"min": 0.3, "max": 0.6, "when": {"batch_norm": False}}
    config = RunConfig(name="a", model={"name": "mlp", "options": {"dropout": 0.1}}, tune={"enabled": True, "space": "auto"})
    made = dict(auto._of_model(config, replace(keras_models.check("mlp"), space=space)))
    entries = {key: Distribution.model_validate(drawn) for key, drawn in made.items()}
    searched.check(config, entries, "here")
    tried = {(corner["model.options.batch_norm"], corner["model.options.dropout"]) for corner in spaces.corners(entries)}
    assert {(True, 0.0), (True, 0.2), (False, 0.1), (False, 0.6)} <= tried, "the config's own 0.1 too"
    assert all(rate <= 0.2 if has_norm else rate >= 0.1 for has_norm, rate in tried)


def test_augmentation_is_tried_weaker_and_stronger_and_not_at_all():
    config = load.load("digits_lenet5", ["tune.space=auto"])
    [own, half, double, none] = auto.space(config)["augment"].choices
    assert own == config.model_dump(mode="json")["augment"]
    assert [step["rotate"]["degrees"] for step in (own[1], half[1], double[1])] == [10, 5, 20]
    assert half[0]["translate"] == {"height": 0.05, "width": 0.05, "border": "constant", "value": 0.0}
    assert none == []


def test_a_step_that_cannot_be_stronger_stays_as_it_is():
    config = RunConfig(
        name="a", augment=[{"rotate": {"degrees": 170}}, {"flip": {}}, {"zoom": {"factor": 0.1}}], tune={"space": "auto"}
    )
    [_, half, double, _] = auto.space(config)["augment"].choices
    assert (half[0]["rotate"]["degrees"], double[0]["rotate"]["degrees"]) == (85, 170)
    assert (half[2]["zoom"]["factor"], double[2]["zoom"]["factor"]) == (0.05, 0.2)
    assert half[1] == {"flip": {"horizontal": True, "vertical": False}}


def test_a_policy_is_scaled_step_by_step_and_copies_leave_augmentation_alone():
    config = RunConfig(name="a", augment="digits", tune={"space": "auto"})
    own, half, *_ = auto.space(config)["augment"].choices
    assert own == [{"policy": "digits"}]
    assert [next(iter(step)) for step in half] == ["translate", "rotate", "shear", "zoom", "elastic"]
    assert "augment" not in auto.space(RunConfig(name="a", augment=["digits", {"copies": 2}], tune={"space": "auto"}))


def test_what_transform_computes_for_an_augmentation_is_in_every_choice():
    steps = [{"flip": {}}, {"pca_color": {"stddev": 0.1}}]
    config = RunConfig(name="a", transform={"channels": 3}, augment=steps, tune={"space": "auto", "enabled": True})
    choices = auto.space(config)["augment"].choices
    assert choices[-1] == [{"pca_color": {"stddev": 0.1}}]
    assert [choice[-1]["pca_color"]["stddev"] for choice in choices] == [0.1, 0.05, 0.2, 0.1]
    searched.check(config, auto.space(config), "here")


def test_noise_of_a_denoising_autoencoder_is_never_taken_away():
    config = load.load("digits_denoising_autoencoder", ["tune.space=auto"])
    assert [choice[0]["gaussian_noise"]["stddev"] for choice in auto.space(config)["augment"].choices] == [0.3, 0.15, 0.6]


@pytest.mark.parametrize(
    ("name", "option"), [("digits_vae", "beta"), ("digits_contractive_autoencoder", "weight"), ("digits_sparse_coding", "penalty")]
)
def test_what_changes_the_loss_is_not_searched_by_the_loss(name, option):
    by_loss = load.load(name, ["tune.space=auto"])
    assert f"model.options.{option}" not in auto.space(by_loss)
    [said] = auto.notes(by_loss)
    assert option in said
    assert "tune.objective" in said
    by_another = load.load(name, ["tune.space=auto", "tune.objective=val_mse"])
    assert f"model.options.{option}" in auto.space(by_another)
    assert auto.notes(by_another) == []


@pytest.mark.parametrize(
    ("options", "there"),
    [
        ({}, ["code_size", "rate", "weight"]),
        ({"penalty": "kl"}, ["code_size", "rate", "weight"]),
        ({"penalty": "l1"}, ["code_size", "weight"]),
        ({"penalty": "k_sparse"}, ["code_size", "k"]),
    ],
    ids=str,
)
def test_an_option_is_searched_only_with_the_penalty_that_reads_it(options, there):
    config = RunConfig(name="a", model={"name": "sparse_autoencoder", "options": options}, tune={"space": "auto", **ELBO})
    paths = [path for path in auto.space(config) if path.startswith("model.options.")]
    assert sorted(path.removeprefix("model.options.") for path in paths) == there


def test_a_space_that_is_written_out_stays_and_auto_becomes_one():
    written = RunConfig(name="a", tune={"space": {"train.batch_size": {"choices": [8, 16]}}})
    assert auto.written_out(written) is written
    resolved = auto.written_out(RunConfig(name="a", tune={"space": "auto"}))
    assert not resolved.tune.is_auto
    assert resolved.tune.space == auto.space(RunConfig(name="a", tune={"space": "auto"}))
    assert RunConfig.model_validate_json(resolved.model_dump_json()).tune == resolved.tune


@pytest.mark.parametrize(
    ("transfer", "paths"),
    [
        ({"source": "a"}, {"train.optimizer.learning_rate"}),
        ({"source": "a", "fine_tune": {"from": "c3"}}, {"train.optimizer.learning_rate", "transfer.fine_tune.learning_rate"}),
        ({"source": "a", "head": "nearest_neighbours"}, {"transfer.neighbours", "transfer.distance"}),
    ],
)
def test_a_transfer_is_searched_by_its_head_and_not_by_a_model_that_it_does_not_read(transfer, paths):
    config = RunConfig(name="a", transfer=transfer, tune={"enabled": True, "space": "auto"})
    assert set(auto.space(config)) == paths
    searched.check(config, auto.space(config), "here")


def test_a_model_that_there_is_not_is_named():
    with pytest.raises(UsageError, match="lenet6"):
        auto.space(RunConfig(name="a", model={"name": "lenet6"}, tune={"space": "auto"}))


def test_no_two_choices_are_the_same():
    for name in TRAINED:
        for drawn in auto.space(tiny_config(name)).values():
            assert not any(spaces.same(*pair) for pair in itertools.combinations(drawn.choices or (), 2))


def test_the_page_has_every_option_that_a_model_says_is_worth_a_search():
    page = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text(encoding="utf-8").partition("### Spaces that ship")[2]
    options = {option for record in keras_models.catalog().values() for option in record.space}
    assert not [option for option in options if f"`{option}`" not in page]

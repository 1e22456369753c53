"""What a slice accepts: every default, every bound, every rule that one value has with another."""

import importlib
import math
import pkgutil

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from configs import schema
from configs.schema.augment import COLOR_ONLY, AugmentStep, Border
from configs.schema.base import Slice
from configs.schema.data import DataConfig
from configs.schema.evaluate import Change, Threshold
from configs.schema.run import RunConfig
from configs.schema.transform import MAX_SIDE, MAX_WHITENED, TransformConfig
from configs.schema.tune import Distribution, TuneConfig

TOPICS = [importlib.import_module(topic.name) for topic in pkgutil.walk_packages(schema.__path__, f"{schema.__name__}.")]
SLICES = [
    made
    for topic in TOPICS
    for made in vars(topic).values()
    if isinstance(made, type) and issubclass(made, Slice) and made is not Slice and made.__module__ == topic.__name__
]
WITH_DEFAULTS = [
    made for made in SLICES if not any(f.is_required() for f in made.model_fields.values()) and made is not AugmentStep
]
ONE_OF_EACH = {
    "translate": {"height": 0.1, "width": 0.2},
    "rotate": {"degrees": 10},
    "zoom": {"factor": 0.1},
    "shear": {"degrees": 5},
    "flip": {"horizontal": True, "vertical": True},
    "crop": {"share": 0.125, "pad": 4},
    "elastic": {"alpha": 0.03, "sigma": 0.1},
    "elastic_grid": {"sigma": 2.0, "points": 4},
    "brightness": {"share": 0.1},
    "contrast": {"factor": 0.2},
    "saturation": {"factor": 0.2},
    "hue": {"degrees": 10},
    "color_shift": {"share": 0.1},
    "pca_color": {"stddev": 0.1},
    "cutout": {"size": 0.5},
    "gaussian_noise": {"stddev": 0.1},
    "salt_and_pepper": {"share": 0.05},
    "mask": {"share": 0.25},
    "rand_augment": {"operations": 2, "magnitude": 5},
    "mixup": {"alpha": 0.2},
    "cutmix": {"alpha": 1},
    "policy": "photos",
    "copies": 4,
}


def refused(model: type[BaseModel], tree: dict, *words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(tree)
    for word in words:
        assert word in str(caught.value)


NEEDS_A_CHOICE = (Distribution, Threshold, Change)  # one of two keys must be given, so nothing is no value


@pytest.mark.parametrize("made", [m for m in WITH_DEFAULTS if m not in NEEDS_A_CHOICE], ids=lambda made: made.__name__)
def test_every_default_is_valid(made):
    assert made.model_validate(made().model_dump()) == made()


@pytest.mark.parametrize("made", NEEDS_A_CHOICE, ids=lambda made: made.__name__)
def test_a_bound_that_bounds_nothing_is_refused(made):
    refused(made, {})


def test_a_run_needs_no_more_than_a_name():
    assert RunConfig(name="digits").model_dump(exclude_unset=True) == {"name": "digits"}


@pytest.mark.parametrize("made", SLICES, ids=lambda made: made.__name__)
def test_every_slice_refuses_unknown_keys(made):
    refused(made, {"no_such_key": 1}, "no_such_key")


@pytest.mark.parametrize(
    ("path", "value"), [("name", "b"), ("seed", 1), ("train.epochs", 3), ("data.limit", 3), ("model.initial", "digits/1")]
)
def test_slices_are_frozen(path, value):
    *outer, last = path.split(".")
    part = RunConfig(name="a")
    for key in outer:
        part = getattr(part, key)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(part, last, value)


@pytest.mark.parametrize(
    "tree",
    [
        {"name": ""},
        {"name": ".hidden"},
        {"name": "a/b"},
        {"name": "a b"},
        {"name": "a" * 101},
        {"name": "7"},
        {"seed": -1},
        {"seed": 2**31},
        {"data": {"source": "digits"}},
        {"data": {"source": "tfds:"}},
        {"data": {"validation": 0}},
        {"data": {"test": 1}},
        {"data": {"limit": 0}},
        {"data": {"inliers": []}},
        {"data": {"classes": [1]}},
        {"data": {"classes": [1, 1]}},
        {"data": {"classes": [1, -1]}},
        {"data": {"classes": ["cat", True]}},
        {"data": {"classes": ["cat", ""]}},
        {"data": {"inliers": [1.5]}},
        {"data": {"inliers": [-1]}},
        {"transfer": {}},
        {"transfer": {"source": ""}},
        {"transfer": {"source": "a", "shots": 0}},
        {"transfer": {"source": "a", "head": "svm"}},
        {"transfer": {"source": "a", "fine_tune": {}}},
        {"data": {"max_quarantined": 1.1}},
        {"transform": {"height": 0}},
        {"transform": {"width": MAX_SIDE + 1}},
        {"transform": {"channels": 2}},
        {"transform": {"resize": "squash"}},
        {"transform": {"materialize": "sometimes"}},
        {"augment": [{"rotate": {"degrees": 181}}]},
        {"augment": [{"zoom": {"factor": 1}}]},
        {"augment": [{"shear": {"degrees": 90}}]},
        {"augment": [{"flip": {}}] * 33},
        {"augment": [{"crop": {"share": 1}}]},
        {"augment": [{"elastic": {"alpha": 0.1, "sigma": 0}}]},
        {"augment": [{"gaussian_noise": {"stddev": 1.1}}]},
        {"augment": [{"rand_augment": {"operations": 0}}]},
        {"augment": [{"rand_augment": {"magnitude": 11}}]},
        {"augment": [{"mixup": {"alpha": 0}}]},
        {"augment": [{"policy": "dogs"}]},
        {"augment": "dogs"},
        {"augment": ["digits", "dogs"]},
        {"augment": [{"policy": None}]},
        {"augment": [{"policy": {"border": "constant"}}]},
        {"augment": [{"rotate": {"degrees": 1, "border": "wrap"}}]},
        {"augment": [{"rotate": {"degrees": 1, "border": "constant", "value": 256}}]},
        {"augment": [{"rotate": {"degrees": 1, "border": "constant", "value": [0, 0]}}], "transform": {"channels": 3}},
        {"augment": [{"rotate": {"degrees": 1, "border": "constant", "value": [0, 0, 0]}}]},
        {"augment": [{"policy": {"name": "digits", "border": "constant", "value": [0, 0, 0]}}]},
        {"augment": [{"rotate": {"degrees": 1, "value": 1}}]},
        {"augment": [{"rotate": {"degrees": 1, "border": "edge", "value": 1}}]},
        {"augment": [{"flip": {"border": "constant"}}]},
        {"model": {"initial": "digits/latest"}},
        {"train": {"epochs": -1}},
        {"train": {"batch_size": 0}},
        {"train": {"optimizer": {"learning_rate": 0}}},
        {"train": {"optimizer": {"learning_rate": math.inf}}},
        {"train": {"optimizer": {"learning_rate": math.nan}}},
        {"train": {"optimizer": {"name": "adam2"}}},
        {"train": {"optimizer": {"name": "sgd", "momentum": 1}}},
        {"train": {"optimizer": {"weight_decay": -1e-4}}},
        {"train": {"optimizer": {"clip_norm": 0}}},
        {"train": {"early_stopping": {"patience": 0}}},
        {"train": {"schedule": {"name": "step", "milestones": []}}},
        {"train": {"schedule": {"name": "step", "milestones": [0, 1]}}},
        {"train": {"schedule": {"name": "step", "milestones": [1], "factor": 1}}},
        {"train": {"schedule": {"name": "exponential", "every": 0}}},
        {"train": {"schedule": {"name": "linear"}}},
        {"train": {"label_smoothing": 1}},
        {"train": {"label_smoothing": -0.1}},
        {"train": {"precision": "float16"}},
        {"train": {"schedule": {"warmup_epochs": -1}}},
        {"tune": {"trials": 0}},
        {"tune": {"workers": 0}},
        {"tune": {"executions": 0}},
        {"tune": {"pruning": "mean"}},
        {"tune": {"algorithm": "genetic"}},
        {"tune": {"objective": []}},
        {"tune": {"objective": [{"name": "val_loss", "direction": "down"}]}},
        {"tune": {"objective": ["val_loss", {"name": "val_loss"}]}},
        {"tune": {"space": "all"}},
        {"evaluate": {"thresholds": {"accuracy": {}}}},
        {"evaluate": {"thresholds": {"accuracy": {"min": math.nan}}}},
        {"evaluate": {"change": {"accuracy": {"max_drop": 0.1, "max_rise": 0.1}}}},
        {"evaluate": {"slices": {"label": {"min_count": 0}}}},
        {"export": {"top_k": 0}},
        {"export": {"warmup": 1001}},
        {"beam": {"flags": ["runner=Direct"]}},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(tree):
    refused(RunConfig, {"name": "a", **tree})


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_shares_must_leave_images_to_train_on(validation, test):
    if validation + test < 1:
        assert DataConfig(validation=validation, test=test).test == test
    else:
        refused(DataConfig, {"validation": validation, "test": test}, "leave images to train on")


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_an_augmentation_step_survives_json(name):
    step = AugmentStep.model_validate({name: ONE_OF_EACH[name]})
    assert step.operation[0] == name
    border = {"border": "mirror", "value": 0} if isinstance(step.operation[1], Border) and name != "policy" else {}
    assert step.model_dump(mode="json") == {name: {**ONE_OF_EACH[name], **border} if border else ONE_OF_EACH[name]}
    assert AugmentStep.model_validate_json(step.model_dump_json()) == step


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("digits", [{"policy": "digits"}]),
        (["photos", {"mixup": {"alpha": 0.2}}], [{"policy": "photos"}, {"mixup": {"alpha": 0.2}}]),
        ([], []),
    ],
    ids=str,
)
def test_a_policy_may_be_written_as_its_name_alone(written, read):
    config = RunConfig(name="a", augment=written)
    assert config.model_dump(mode="json")["augment"] == read
    assert RunConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("steps", "word"),
    [
        ([{"copies": 2}], "a step before it"),
        ([{"copies": 2}, {"flip": {}}], "a step before it"),
        ([{"mask": {"share": 0.1}}, {"copies": 2}], "a step before it"),
        ([{"flip": {}}, {"copies": 2}, {"copies": 3}], "once"),
        ([{"flip": {}}, {"copies": 0}], "greater than or equal to 1"),
    ],
    ids=str,
)
def test_copies_are_of_something_and_named_once(steps, word):
    refused(RunConfig, {"name": "a", "augment": steps}, word)


def test_copies_are_made_of_stored_images():
    config = RunConfig(name="a", augment=[{"flip": {}}, {"copies": 2}], transform={"materialize": False})
    assert config.copies
    assert config.materializes


@pytest.mark.parametrize("name", COLOR_ONLY)
def test_colours_of_grey_images_cannot_be_changed(name):
    steps = [{name: ONE_OF_EACH[name]}]
    refused(RunConfig, {"name": "a", "augment": steps, "transform": {"channels": 1}}, name, "transform.channels: 3")
    assert RunConfig(name="a", augment=steps, transform={"channels": 3}).augment[0].operation[0] == name


def test_the_round_trip_covers_every_operation():
    assert set(ONE_OF_EACH) == set(AugmentStep.model_fields)


@pytest.mark.parametrize("tree", [{}, {"rotate": None}, {"rotate": {"degrees": 1}, "flip": {}}, {"rotate": {}}], ids=str)
def test_an_augmentation_step_names_exactly_one_operation(tree):
    refused(AugmentStep, tree)


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"min": 1}, "both min and max"),
        ({"choices": [1], "min": 1, "max": 2}, "either choices"),
        ({"choices": []}, "at least 1"),
        ({"min": 2, "max": 2}, "min must be below max"),
        ({"min": 0, "max": 1, "sampling": "log"}, "above 0"),
        ({"min": 1, "max": 8, "sampling": "log", "step": 1}, "above 1"),
        ({"min": 1, "max": 8, "step": 0.5}, "whole step"),
        ({"min": 1, "max": 8, "step": 0}, "greater than 0"),
        ({"choices": [1, "two"]}, "one kind"),
        ({"choices": [True, 2]}, "one kind"),
        ({"choices": [[1], "two", 3]}, "one kind"),
        ({"choices": [[1, 2], {"a": 1}, [1, 2]]}, "stand once"),
        ({"choices": [1, 2], "step": 1}, "step is of a range"),
        ({"min": 0.0, "max": 1.0, "sampling": "reverse_log"}, "reverse_log sampling needs a min above 0"),
        ({"min": 1, "max": 8, "sampling": "reverse_log", "step": 1}, "above 1"),
        ({"min": 1, "max": 3, "default": 4}, "the default 4 is outside"),
        ({"min": 1, "max": 7, "step": 2, "default": 4}, "the default 4 is outside"),
        ({"choices": [1, 2], "default": True}, "the default True is outside"),
        ({"choices": [[1], [2]], "default": [3]}, "outside"),
        ({"min": -math.inf, "max": 0.0}, "finite"),
    ],
    ids=str,
)
def test_a_distribution_that_cannot_be_drawn_from_is_refused(tree, words):
    refused(Distribution, tree, words)


@pytest.mark.parametrize(
    ("tree", "steps", "examples"),
    [
        ({"choices": ["b", "a"]}, ["b", "a"], ["b", "a"]),
        ({"choices": [None, [1], {"a": 1}]}, [None, [1], {"a": 1}], [None, [1], {"a": 1}]),
        ({"min": 1, "max": 4}, [1, 2, 3, 4], [1, 4]),
        ({"min": 1, "max": 8, "step": 3}, [1, 4, 7], [1, 7]),
        ({"min": 1, "max": 2, "step": 3}, [1], [1]),
        ({"min": 8, "max": 100, "step": 2, "sampling": "log"}, [8, 16, 32, 64], [8, 64]),
        ({"min": 1, "max": 27, "step": 3, "sampling": "reverse_log"}, [1, 19, 25, 27], [1, 27]),
        ({"min": 8, "max": 64, "sampling": "log"}, None, [8, 64]),
        ({"min": 0.0, "max": 1.0}, None, [0.0, math.nextafter(0.0, 1), 1.0]),
    ],
    ids=str,
)
def test_what_can_be_drawn_and_what_a_key_is_tried_with(tree, steps, examples):
    drawn = Distribution(**tree)
    assert drawn.steps == steps
    assert drawn.examples == examples
    assert all(drawn.has(value) for value in examples)
    assert Distribution.model_validate(drawn.model_dump(mode="json")) == drawn


def test_steps_that_rounding_puts_beside_the_greatest_value_reach_it():
    assert Distribution(min=0.1, max=1.0, step=0.1).steps == pytest.approx([0.1 * number for number in range(1, 11)])


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("val_accuracy", [{"name": "val_accuracy"}]),
        ({"name": "val_mse", "direction": "min"}, [{"name": "val_mse", "direction": "min"}]),
        (["val_loss", {"name": "val_elbo", "weight": 2}], [{"name": "val_loss"}, {"name": "val_elbo", "weight": 2.0}]),
        (None, None),
    ],
    ids=str,
)
def test_an_objective_is_a_name_a_mapping_or_a_list(given, read):
    tune = TuneConfig.model_validate({"objective": given})
    assert tune.model_dump(mode="json", exclude_unset=True)["objective"] == read
    assert TuneConfig.model_validate(tune.model_dump(mode="json")) == tune


@pytest.mark.parametrize(
    ("tune", "train", "word"),
    [
        ({"epochs": 2}, {}, "tune.epochs is 2; make it 3"),
        ({}, {"epochs": 2}, "train.epochs is 2; make it 3"),
        ({"algorithm": "random", "epochs": 6, "total_epochs": 5}, {}, "less than the 6 of one trial (tune.epochs)"),
        ({"algorithm": "grid", "total_epochs": 5}, {"epochs": 6}, "less than the 6 of one trial (train.epochs)"),
    ],
)
def test_a_budget_in_which_nothing_can_be_tried_is_refused_where_it_is_searched(tune, train, word):
    refused(RunConfig, {"name": "a", "train": train, "tune": {**tune, "enabled": True}}, word)
    assert not RunConfig(name="a", train=train, tune=tune).tune.enabled
    enough = {**tune, "enabled": True, "epochs": 3, "total_epochs": 3}
    assert RunConfig(name="a", train=train, tune=enough).tune.enabled


def test_a_search_that_says_nothing_is_the_one_there_was():
    assert TuneConfig().model_dump() == {
        "enabled": False,
        "algorithm": "hyperband",
        "objective": None,
        "trials": None,
        "epochs": None,
        "total_epochs": None,
        "minutes": None,
        "executions": 1,
        "pruning": "auto",
        "workers": 1,
        "warm_start": None,
        "space": {},
    }


def test_a_space_is_written_out_or_the_model_s_own():
    auto = RunConfig(name="a", tune={"space": "auto"})
    assert auto.tune.is_auto
    assert RunConfig.model_validate_json(auto.model_dump_json()) == auto
    written = RunConfig(name="a", tune={"space": {"b": {"choices": [1, 2]}, "c": None}})
    assert not written.tune.is_auto
    assert list(written.tune.space) == ["b"]


def test_choices_of_whole_numbers_and_fractions_are_fractions():
    assert [type(choice) for choice in Distribution(choices=[1, 0.1]).choices] == [float, float]
    assert [type(choice) for choice in Distribution(choices=[1, 2]).choices] == [int, int]
    assert [type(choice) for choice in Distribution(choices=[True, False]).choices] == [bool, bool]


@pytest.mark.parametrize(
    ("materialize", "tuned", "stored"), [("auto", False, False), ("auto", True, True), (True, False, True), (False, True, False)]
)
def test_images_are_stored_when_asked_or_when_the_tuner_reads_them_often(materialize, tuned, stored):
    config = RunConfig(name="a", transform={"materialize": materialize}, tune={"enabled": tuned})
    assert config.materializes is stored


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        st.lists,
        max_leaves=5,
    )
)
def test_model_options_take_any_yaml_value_and_give_it_back(value):
    config = RunConfig(name="a", model={"options": {"x": value}})
    again = yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))
    assert RunConfig.model_validate(again) == config


MEMBERS = {"name": "ensemble", "members": ["a/1", "a/2"]}


@pytest.mark.parametrize(
    ("tree", "word"),
    [
        ({"model": {"name": "ensemble"}}, "members are what the model ensemble is made of; got None for ensemble"),
        ({"model": {"name": "mlp", "members": ["a", "b"]}}, "members are what the model ensemble is made of"),
        ({"model": {"name": "ensemble", "members": ["a"]}}, "at least 2"),
        ({"model": {"name": "ensemble", "members": ["a", "../b"]}}, "pattern"),
        ({"model": MEMBERS, "tune": {"enabled": True}}, "nothing to tune"),
    ],
)
def test_an_ensemble_has_members_and_nothing_else_has(tree, word):
    refused(RunConfig, {"name": "x", **tree}, word)
    assert RunConfig(name="x", model=MEMBERS).model.members == ["a/1", "a/2"]


def test_zca_is_for_small_images():
    assert TransformConfig(height=64, width=64, normalize="zca").values == MAX_WHITENED
    tree = {"height": 64, "width": 64, "channels": 3, "normalize": "zca"}
    refused(TransformConfig, tree, "zca needs height * width * channels of at most 4,096; 64 * 64 * 3 is 12,288")


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ({"optimizer": {"momentum": 0.9}}, "momentum is of sgd and rmsprop; adam has none to set"),
        ({"optimizer": {"name": "sgd", "nesterov": True}}, "nesterov changes the momentum of sgd"),
        ({"optimizer": {"name": "rmsprop", "momentum": 0.9, "nesterov": True}}, "nesterov changes the momentum of sgd"),
        ({"optimizer": {"name": "sgd", "decays": "kernels"}}, "decays: kernels says what weight_decay is of, and there is no"),
        ({"optimizer": {"clip_norm": 1, "clip_value": 1}}, "clipped in one way; give clip_norm or clip_value"),
        ({"schedule": {"name": "step"}}, "step needs milestones"),
        ({"schedule": {"name": "step", "milestones": [2, 1]}}, "milestones must rise; got [2.0, 1.0]"),
        ({"schedule": {"milestones": [1]}}, "milestones is of step; cosine does not read it"),
        ({"schedule": {"name": "step", "milestones": [1], "every": 2}}, "every is of exponential; step does not read it"),
        ({"schedule": {"name": "constant", "factor": 0.5}}, "factor is of step and exponential and plateau; constant does not"),
        (
            {"schedule": {"name": "plateau", "patience": 3}},
            "early_stopping.patience of 3 ends training before schedule.patience of 3",
        ),
    ],
    ids=str,
)
def test_options_of_training_that_do_not_go_together_are_refused(train, sentence):
    refused(RunConfig, {"name": "a", "train": train}, sentence)


@pytest.mark.parametrize(
    "train",
    [
        {"optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4, "decays": "kernels"}},
        {"optimizer": {"name": "adamw", "decays": "kernels"}},
        {"schedule": {"name": "step", "milestones": [82, 123], "warmup_epochs": 5}},
        {"schedule": {"name": "plateau"}},
        {"schedule": {"name": "plateau", "patience": 9}, "early_stopping": None},
        {"schedule": {"name": "exponential", "factor": 0.96, "every": 8}, "label_smoothing": 0.1, "precision": "mixed_float16"},
    ],
    ids=str,
)
def test_options_of_training_survive_being_written_out(train):
    config = RunConfig(name="a", train=train)
    assert RunConfig.model_validate(config.model_dump(mode="json")) == config


def test_how_it_is_trained_is_read_by_trainer_and_tuner_alone():
    assert {made.__name__ for made in SLICES if "train" in made.model_fields} == {"RunConfig", "TrainerSlice"}


NEIGHBOURS = {"source": "a", "head": "nearest_neighbours"}


@pytest.mark.parametrize(
    ("tree", "word"),
    [
        ({"transfer": {**NEIGHBOURS, "fine_tune": {"from": "c5"}}}, "fine_tune needs a head"),
        ({"transfer": {"source": "a", "neighbours": 3}}, "neighbours is of nearest_neighbours"),
        ({"transfer": {"source": "a", "distance": "euclidean"}}, "distance is of nearest_neighbours"),
        ({"transfer": NEIGHBOURS, "model": {"initial": "b"}}, "give one of them"),
        ({"transfer": NEIGHBOURS, "train": {"precision": "mixed_float16"}}, "computes in float32"),
        ({"transfer": {**NEIGHBOURS, "shots": 1}, "augment": [{"rotate": {"degrees": 5}}, {"copies": 2}]}, "give one of them"),
    ],
)
def test_what_does_not_go_with_a_transfer_is_refused(tree, word):
    refused(RunConfig, {"name": "a", **tree}, word)


def test_the_first_layer_that_is_tuned_keeps_its_name():
    tree = {"source": "a", "fine_tune": {"from": "c5"}}
    config = RunConfig.model_validate({"name": "a", "transfer": tree})
    assert config.transfer.fine_tune.from_ == "c5"
    assert config.model_dump(mode="json", exclude_unset=True)["transfer"] == tree
    assert RunConfig.model_validate_json(config.model_dump_json()) == config

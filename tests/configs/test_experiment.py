"""Experiments: each arm is a config like any other; what is wrong with one is said before anything starts."""

import pytest
import yaml

from configs import experiment, load
from configs.errors import UsageError
from configs.schema.evaluate import EvaluateConfig
from tests.configs.test_load import plainly_merged, resolved
from tests.docs.pages import ROOT, examples

SMALL = {"config": "digits_mlp", "arms": {"relu": {}, "tanh": {"model": {"options": {"activation": "tanh"}}}}}


@pytest.fixture
def write(tmp_path):
    def write(tree, name="small.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(tree, sort_keys=False))
        return str(tmp_path / name)

    return write


def refused(said, *arguments, **keywords):
    with pytest.raises(UsageError, match=said) as caught:
        experiment.load(*arguments, **keywords)
    return caught.value


def test_the_classic_ones_are_there():
    assert {"random_labels", "depth", "width", "activation", "batch_norm"} <= set(experiment.names())


@pytest.mark.parametrize("name", experiment.names())
def test_a_shipped_experiment_is_described_and_its_arms_are_never_pushed(name):
    loaded = experiment.load(name)
    assert len(loaded.about.splitlines()) > 2
    assert f"hubel experiment {name}" in loaded.about
    assert len(loaded.arms) == len(loaded.asked.arms) * loaded.asked.seeds
    for arm in loaded.arms:
        assert arm.config.name == loaded.pipeline == f"experiment_{name}"
        assert not arm.config.push.enabled
        assert arm.config.evaluate == EvaluateConfig()
        assert arm.config.data == loaded.arms[0].config.data


@pytest.mark.parametrize("name", experiment.names())
def test_the_arms_of_a_shipped_experiment_are_what_plain_merging_makes_of_them(name):
    """As in tests.configs.test_load, of files: `depth` has options in common, and a name in each arm."""
    loaded = experiment.load(name)
    for arm in loaded.arms:
        tree = resolved(load.find(loaded.asked.config))
        for changes in (loaded.asked.common, loaded.asked.arms[arm.name]):
            tree = plainly_merged(tree, changes)
        asked = load.validate({**tree, "name": loaded.pipeline, "seed": arm.seed, "evaluate": {}, "push": {"enabled": False}}, name)
        assert arm.config == asked


@pytest.mark.parametrize("name", experiment.names())
def test_a_shipped_experiment_takes_other_data(name):
    arms = experiment.load(name, ["data.source=tfds:mnist", "data.limit=5000"]).arms
    assert {(arm.config.data.source, arm.config.data.limit) for arm in arms} == {("tfds:mnist", 5000)}


def test_an_arm_is_the_base_then_what_is_common_then_its_own_then_the_command_line(write):
    tree = {**SMALL, "common": {"train": {"epochs": 3, "batch_size": 16}}}
    tree["arms"] = {"a": {}, "b": {"train": {"epochs": 4}}}
    a, b = (arm.config for arm in experiment.load(write(tree), ["train.batch_size=8"]).arms)
    assert (a.train.epochs, b.train.epochs) == (3, 4)
    assert a.train.batch_size == b.train.batch_size == 8
    assert a.transform == load.load("digits_mlp").transform


def test_each_arm_is_trained_with_seeds_one_after_another(write):
    loaded = experiment.load(write({**SMALL, "seeds": 2}), ["seed=5"])
    assert [(arm.title, arm.config.seed) for arm in loaded.arms] == [
        ("relu, seed 5", 5), ("relu, seed 6", 6), ("tanh, seed 5", 5), ("tanh, seed 6", 6),
    ]  # fmt: skip
    assert [arm.title for arm in experiment.load(write({**SMALL, "seeds": 2}), seeds=1).arms] == ["relu", "tanh"]


def test_an_experiment_can_extend_another(write):
    write(SMALL)
    loaded = experiment.load(write({"extends": "small.yaml", "seeds": 3}, "more.yaml"))
    assert (loaded.name, len(loaded.arms)) == ("more", 6)


def test_an_unknown_experiment_lists_the_nearest():
    assert "random_labels" in refused("no experiment 'random_lables'", "random_lables").hint
    assert "random_labels" in refused("no experiment", "zzz").hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arm": {}}, r"small.yaml: unknown key arm \(did you mean arms\?\)"),
        ({"arms": {"a": {}}}, "arms .*at least 2"),
        ({"plot": {"z": 1}}, r"unknown key plot.z"),
        ({"show": ["test_accuracy", "acuracy"]}, "show.1 = 'acuracy'"),
        ({"plot": {"x": "epoch", "y": ["test_accuracy"]}}, "test_accuracy is known at the end alone"),
        (
            {"arms": {"a": {}, "b": {"model": {"option": {}}}}},
            r"small.yaml, arm b: unknown key model.option \(did you mean options",
        ),
        ({"common": {"train": {"epochs": -1}}}, "arm relu: train.epochs = -1"),
        ({"config": "digits_mpl"}, "no config 'digits_mpl'"),
        ({"arms": {"a": {}, "b": {"seed": 0}}}, "arms a and b are the same"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(write, change, said):
    refused(said, write({**SMALL, **change}))


def test_a_command_line_that_makes_arms_the_same_is_refused(write):
    assert "--set" in refused("arms relu and tanh are the same", write(SMALL), ["model.options.activation=elu"]).hint


def test_the_page_s_example_is_one(tmp_path):
    ((name, text),) = examples("docs/experiments.md").items()
    (tmp_path / name).write_text(text)
    assert len(experiment.load(str(tmp_path / name)).arms) == 6


def test_the_page_says_what_every_key_means():
    page = (ROOT / "docs/experiments.md").read_text(encoding="utf-8")
    for key in [*experiment.ExperimentConfig.model_fields, *(f"plot.{key}" for key in experiment.PlotConfig.model_fields)]:
        assert key == "plot" or f"\n| `{key}` |" in page


def test_a_file_whose_name_is_no_name_is_refused(write):
    refused("'my experiment' names it", write(SMALL, "my experiment.yaml"))

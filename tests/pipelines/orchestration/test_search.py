"""A search is tried before the first stage, by what a run and a look ahead both ask; all its networks are in the digests."""

import functools
import json
import shlex

import pytest

from components.example_gen.sources import Located
from configs import load
from configs.errors import UsageError
from configs.schema.run import RunConfig
from pipelines.orchestration import execute, searching, settled
from pipelines.workspace.layout import Workspace
from pipelines.workspace.starts import Start
from tuner import corners

SEARCH = "tune={{enabled: true, algorithm: random, space: {}}}"


def searched(config, space, *assignments):
    return load.load(config, [SEARCH.format(space), *assignments])


@pytest.mark.parametrize(
    ("config", "space", "words"),
    [
        (
            "digits_mlp",
            "{model.options.hidden: {choices: [[100], [0]]}}",
            r"tune\.space with model\.options\.hidden: \[0\]: Model mlp: ",
        ),
        ("digits_mlp", "{model.options.hiden: {choices: [[100], [10]]}}", "has no option 'hiden'; did you mean 'hidden'?"),
        ("digits_mlp", "{model.name: {choices: [mlp, mpl]}}", "no model 'mpl'"),
        ("digits_mlp", "{model.name: {choices: [mlp, conv_autoencoder]}}", "trials of two tasks cannot be compared"),
        ("digits_mlp", "{train.pretrain: {choices: [null, {epochs: 1}]}}", "mlp has none"),
        (
            "digits_autoencoder",
            "{train.label_smoothing: {choices: [0.0, 0.1]}}",
            "spreads labels over classes, and this task has none",
        ),
        ("digits_vae", "{model.options.beta: {choices: [1.0, 0.0]}}", r"model\.options\.beta: 0\.0"),
        ("digits_lenet5", "{train.class_weight: {choices: [null, balanced]}, augment: {choices: [[], [{mixup: {}}]]}}", "two"),
    ],
)
def test_what_no_trial_could_be_trained_with_is_refused_with_the_values(config, space, words, tmp_path):
    with pytest.raises(UsageError, match=words.replace("?", r"\?")) as caught:
        settled.tried(searched(config, space), Workspace.at(tmp_path))
    assert "tune.space" in caught.value.message
    assert not list(tmp_path.iterdir()), "nothing was started"


@pytest.mark.parametrize("config", ["digits_lenet5", "digits_vae", "digits_deep_autoencoder"])
def test_the_space_of_a_shipped_config_s_model_is_tried_in_seconds(config, tmp_path):
    assert settled.tried(searched(config, "auto"), Workspace.at(tmp_path)).reads == "image"


def of(config: RunConfig, place):
    return settled.of(config, Workspace.at(place), Start("image"), Located({}, "digest"))


def test_every_network_and_part_of_a_search_is_in_the_digests(tmp_path):
    alone = of(load.load("digits_mlp"), tmp_path)
    both = of(searched("digits_mlp", "{model.name: {choices: [mlp, lenet5]}}"), tmp_path)
    assert {*both.modules} - {*alone.modules} == {"keras_models.classifiers.lenet"}
    assert len(both.modules) == len(set(both.modules))
    deep = searched("digits_deep_autoencoder", "{train.pretrain: {choices: [null, {epochs: 1}]}}", "train.pretrain=null")
    assert "components.trainer.pretrain" in of(deep, tmp_path).modules
    assert "components.trainer.pretrain" not in of(load.load("digits_deep_autoencoder", ["train.pretrain=null"]), tmp_path).modules


def test_the_stages_get_the_space_written_out_and_what_it_leaves_out_is_said(tmp_path):
    known = of(searched("digits_vae", "auto"), tmp_path)
    assert not known.config.tune.is_auto
    assert "model.options.code_size" in known.config.tune.space
    assert any("leaves out model.options.beta" in note for note in known.notes)
    left = of(searched("digits_mlp", "{train.batch_size: {choices: [16, 32]}}", "train.batch_size=64"), tmp_path)
    assert "the search does not try the config's own train.batch_size of 64" in left.notes
    own = of(searched("digits_mlp", "{train.batch_size: {choices: [16, 32]}}", "train.batch_size=32"), tmp_path).config.tune.space
    assert own["train.batch_size"].first == 32, "grid search begins with what the config has"
    assert of(load.load("digits_mlp", ["tune.space=auto"]), tmp_path).config.tune.is_auto, "which is not searched"


def test_a_look_ahead_has_the_notes_that_the_search_would_begin_with(tmp_path, monkeypatch):
    monkeypatch.setattr(corners, "prove", functools.partial(corners.prove, seconds=-1.0))
    space = "{train.batch_size: {choices: [16, 32, 48]}, model.options.hidden: {choices: [[10], [20]]}}"
    sizes = [f"tune={{enabled: true, algorithm: grid, trials: 2, space: {space}}}", "train.batch_size=64"]
    value = execute.plan("digits_mlp.tiny", sizes, str(tmp_path))
    assert value["notes"] == searching.plan("digits_mlp.tiny", sizes, str(tmp_path))["notes"]
    assert "the search does not try the config's own train.batch_size of 64" in value["notes"]
    assert "grid search tries the first 2 of 6 combinations: tune.trials is 2" in value["notes"]
    assert any("could not be tried within" in note for note in value["notes"]), "what is said while networks are tried"
    assert not list(tmp_path.iterdir())


def test_of_trials_that_are_gone_it_says_what_to_type_for_their_best(tmp_path):
    values = {"train.batch_size": 48, "train.optimizer": {"name": "sgd", "momentum": 0.5}, "model.options.hidden": [10, 20]}
    (tmp_path / "best_hyperparameters.txt").write_text(json.dumps({"space": [], "values": values}))
    said = searching._gone(tmp_path / "gone", tmp_path, "digits_mlp", 3)
    typed = shlex.split(said.hint.partition(": ")[2].partition(". To search anew")[0])
    read = load.load("digits_mlp", [part for part in typed if part != "--set"])
    assert (read.train.batch_size, read.train.optimizer.momentum, read.model.options["hidden"]) == (48, 0.5, [10, 20])
    assert "--set seed=4" in said.hint

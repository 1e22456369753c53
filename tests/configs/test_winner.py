"""What a search chose is written as a config that is the one its trials were trained by."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs import load, winner
from configs.errors import UsageError
from configs.override import override
from configs.schema.slices.trainer import TrainerSlice

RATE = "train.optimizer.learning_rate"
OWN = """\
extends: digits_mlp
name: mine
train: {optimizer: {name: sgd, learning_rate: 0.1, momentum: 0.9}, epochs: 3}
tune: {enabled: true, algorithm: random, space: {train.optimizer.learning_rate: {min: 0.01, max: 0.1}}}
"""


def made(folder: Path, config, assignments, values):
    """The text, and the config that it is read as."""
    text = winner.text(config, assignments, values, "of a search")
    (folder / "best.yaml").write_text(text)
    return text, load.load(str(folder / "best.yaml"))


@pytest.mark.parametrize(
    ("assignments", "values"),
    [
        ([], {RATE: 0.02}),
        (["train.epochs=7", "tune.trials=3", "tune.algorithm=grid"], {RATE: 0.02, "train.batch_size": 32}),
        ([], {"train.optimizer.name": "rmsprop"}),  # with a name alone, what was said of the old one stays in a trial
        ([], {"train.optimizer": {"name": "adam", "learning_rate": 0.004}}),
        (["data.limit=300"], {"model.options.hidden": [30, 10], "augment": [{"rotate": {"degrees": 5}}]}),
        (["model.options.hidden=[7]"], {"model.name": "lenet5"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("config", ["own", "digits_mlp"])
def test_it_is_read_as_the_config_that_trials_were_trained_by(config, assignments, values, tmp_path):
    (tmp_path / "own.yaml").write_text(OWN)
    config = str(tmp_path / "own.yaml") if config == "own" else config
    kept = [each for each in assignments if not each.startswith("tune")]
    expected = override(load.load(config, kept), values)
    _, read = made(tmp_path, config, assignments, values)
    assert read.model_dump(exclude={"tune"}) == expected.model_dump(exclude={"tune"})
    assert not read.tune.enabled


def test_it_extends_the_config_and_has_only_what_was_found(tmp_path):
    text, _ = made(tmp_path, "digits_mlp", ["tune.space=auto", "tune.enabled=true"], {RATE: 0.02})
    assert text.startswith("# of a search\n")
    assert yaml.safe_load(text) == {"extends": "digits_mlp", "train": {"optimizer": {"learning_rate": 0.02}}}


def test_a_file_is_extended_by_its_whole_path(tmp_path, monkeypatch):
    (tmp_path / "own.yaml").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    tree = yaml.safe_load(winner.text("own.yaml", [], {RATE: 0.02}))
    assert tree == {
        "extends": str(tmp_path / "own.yaml"), "train": {"optimizer": {"learning_rate": 0.02}}, "tune": {"enabled": False},
    }  # fmt: skip


SEARCHED = """
name: searched
extends: digits_mlp
augment: [{rotate: {degrees: 5}}, {flip: {}}]
model: {name: mlp, options: {hidden: [100], dropout: 0.1}}
train:
  epochs: 4
  optimizer: {name: sgd, learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 1.0e-4}
  schedule: {name: step, milestones: [2]}
tune:
  enabled: true
  algorithm: random
  space:
    train.optimizer: {choices: [{name: sgd}, {name: adam}]}
    train.batch_size: {choices: [16, 32]}
"""
drawn = st.fixed_dictionaries(
    {},
    optional={
        "train.optimizer": st.sampled_from(
            [{"name": "sgd"}, {"name": "sgd", "momentum": 0.5}, {"name": "adam"}, {"name": "adamw", "weight_decay": 0.01}]
        ),
        "train.optimizer.learning_rate": st.floats(1e-6, 1.0),
        "train.batch_size": st.integers(1, 4096),
        "train.schedule": st.sampled_from(
            [None, {"name": "cosine"}, {"name": "step", "factor": 0.5}, {"name": "exponential", "every": 2.0}]
        ),
        "train.schedule.warmup_epochs": st.floats(0.0, 5.0),
        "train.early_stopping": st.sampled_from([None, {"patience": 7}]),
        "model": st.sampled_from(
            [
                {"name": "lenet5"},
                {"name": "lenet5", "options": {"pooling": "max"}},
                {"name": "mlp", "options": {"batch_norm": True}},
            ]
        ),
        "model.options.dropout": st.sampled_from([0.1, 0.25]),
        "augment": st.sampled_from([[], ["digits"], [{"zoom": {"factor": 0.1}}, {"flip": {}}, {"mixup": {"alpha": 0.2}}]]),
        "seed": st.integers(0, 5),
    },
) | st.fixed_dictionaries(
    {"model.name": st.sampled_from(["mlp", "lenet5"]), "augment.0.rotate.degrees": st.floats(0, 180)},
    optional={"model.options.hidden.0": st.integers(1, 500)},
)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    path = tmp_path_factory.mktemp("searched") / "searched.yaml"
    path.write_text(SEARCHED, encoding="utf-8")
    return path


@settings(deadline=None, max_examples=50)
@given(drawn, st.sampled_from([(), ("train.epochs=9", "model.options.dropout=0.3"), ("train.optimizer={name: rmsprop}",)]))
def test_whatever_was_found_is_read_as_the_config_with_the_values(searched, values, assignments):
    config = load.load(str(searched), assignments)
    try:
        wanted = override(config, values)
    except UsageError:
        return  # such as an option in a list that another model has not
    best = searched.parent / "best.yaml"
    best.write_text(winner.text(str(searched), assignments, values, beside=best.parent))
    again = load.load(str(best))
    assert again.model_dump(exclude={"tune"}) == wanted.model_dump(exclude={"tune"})
    assert not again.tune.enabled
    trial = override(TrainerSlice.model_validate_json(of_trainer(config).model_dump_json()), values)
    assert trial.model_dump() == of_trainer(again).model_dump(), "and as a trial has them, whose slice says every default"


def of_trainer(config) -> TrainerSlice:
    return TrainerSlice(**{name: getattr(config, name) for name in TrainerSlice.model_fields})


def test_what_was_found_is_written_also_where_the_config_has_it(searched):
    values = {RATE: 0.003, "train.batch_size": 64, "model.options.hidden": [100]}
    tree = yaml.safe_load(winner.text(str(searched), [], values, beside=searched.parent))
    assert tree["extends"] == "searched.yaml"
    assert tree["train"] == {"optimizer": {"learning_rate": 0.003}, "batch_size": 64}
    assert tree["model"] == {"options": {"hidden": [100]}}


def test_a_space_that_does_not_go_with_what_was_found_falls_away(tmp_path):
    path = tmp_path / "own.yaml"
    momentum = "{choices: [0.5, 0.9], when: {train.optimizer.name: sgd}}"
    space = f"{{train.optimizer.name: {{choices: [adam, sgd]}}, train.optimizer.momentum: {momentum}}}"
    path.write_text(f"extends: digits_mlp\nname: mine\ntune: {{enabled: true, algorithm: random, space: {space}}}")
    values = {"train.optimizer.name": "sgd", "train.optimizer.momentum": 0.9}
    _, read = made(tmp_path, str(path), [], values)
    assert (read.train.optimizer.name, read.train.optimizer.momentum) == ("sgd", 0.9)
    assert read.tune.space == {}
    auto = tmp_path / "auto.yaml"
    auto.write_text("extends: digits_mlp\nname: mine\ntune: {enabled: true, space: auto}")
    assert not made(tmp_path, str(auto), [], {RATE: 0.02})[1].tune.enabled


def test_a_file_is_named_from_where_the_winner_lies(searched, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "own.yaml").write_text(SEARCHED)
    assert yaml.safe_load(winner.text(str(tmp_path / "own.yaml"), [], {}, beside=tmp_path / "deep"))["extends"] == "../own.yaml"
    assert yaml.safe_load(winner.text("digits_mlp", [], {RATE: 0.1}, beside=tmp_path))["extends"] == "digits_mlp"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "deep/inner.yaml").write_text(SEARCHED)
    assert yaml.safe_load(winner.text(str(tmp_path / "deep/inner.yaml"), [], {}, beside=tmp_path))["extends"] == "deep/inner.yaml"
    apart = winner.text(str(tmp_path / "deep/inner.yaml"), [], {}, beside=tmp_path / "elsewhere")
    assert yaml.safe_load(apart)["extends"] == str(tmp_path / "deep/inner.yaml"), "nobody moves the two together"
    (tmp_path / "digits_mlp").mkdir()
    assert yaml.safe_load(winner.text("digits_mlp", [], {RATE: 0.1}, beside=tmp_path))["extends"].endswith("digits_mlp.yaml")

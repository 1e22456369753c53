"""What a search chose is written as a config that is the one its trials were trained by."""

from pathlib import Path

import pytest
import yaml

from configs import load, winner
from configs.override import override

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

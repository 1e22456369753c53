"""What is known of a training once it is over."""

import json

import pytest

from components import keys
from configs import load
from configs.schema.slices.trainer import TrainerSlice
from pipelines.orchestration import training
from tests.components import digits


def summary(tmp_path, cfg, history, **card):
    (tmp_path / "history.json").write_text(json.dumps(history))
    (tmp_path / keys.CARD_FILE).write_text(digits.card(**card).model_dump_json())
    asked = TrainerSlice(**{name: getattr(cfg, name) for name in TrainerSlice.model_fields})
    return training.summary(asked, tmp_path, tmp_path)


def test_it_is_what_trainer_wrote(tmp_path):
    history = [{"loss": 2.0, "val_loss": 1.0}, {"loss": float("nan"), "val_loss": float("inf")}, {"val_loss": 0.5}]
    summed = summary(tmp_path, load.load("digits_lenet5"), history, train_images=7)
    assert summed == {
        "epochs": 3,
        "asked": 15,
        "loss": [2.0, None, None],
        "val_loss": [1.0, None, 0.5],
        "train_images": 7,
        "classes": len(digits.card().class_names),
        "code_size": None,
    }


@pytest.mark.parametrize(
    ("assignments", "chosen", "asked", "code"),
    [
        ([], {}, None, None),
        (["train.epochs=7", "model.options.code_size=5"], {}, 7, 5),
        ([], {"train.epochs": 9, "model.options.code_size": 6}, 9, 6),
        ([], {"train.epochs": 9, "model": {"options": {"code_size": 6}}}, 9, 6),  # a whole mapping
    ],
)
def test_the_tuner_s_values_and_the_config_s_come_before_the_builder_s(tmp_path, assignments, chosen, asked, code):
    cfg = load.load("digits_conv_autoencoder", assignments)
    summed = summary(tmp_path, cfg, [], hyperparameters=chosen)
    assert summed["asked"] == (asked or cfg.train.epochs)
    assert summed["code_size"] == (code or cfg.model.options["code_size"])


def test_a_fine_tuning_has_its_own_epochs_and_a_transfer_no_code(tmp_path):
    cfg = load.load("digits_lenet5", ["transfer={source: a, fine_tune: {from: c3, epochs: 7}}", "train.epochs=3"])
    summed = summary(tmp_path, cfg, [])
    assert (summed["asked"], summed["code_size"]) == (10, None)

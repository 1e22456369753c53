"""What is known of a training once it is over, as plain data: what the command line's hints read of a model not blessed."""

import inspect
import json
import math
from pathlib import Path
from typing import Any

from components import keys
from configs.override import override
from configs.schema.model import ModelConfig
from configs.schema.slices.trainer import TrainerSlice


def summary(asked: TrainerSlice, model_run: Path, model: Path) -> dict[str, Any]:
    """Of a Trainer's outputs.

    Args:
        asked: what it was given.
        model_run: folder of history.json.
        model: folder of card.json.

    Returns:
        {epochs: trained; asked: epochs that the config allows; loss, val_loss: by epoch, None for what is not finite or was not
        computed; train_images; classes; code_size: numbers in the code of an autoencoder that has the option, else None}.
    """
    history = json.loads((model_run / "history.json").read_text())
    card = json.loads((model / keys.CARD_FILE).read_text())
    asked = override(asked, card["hyperparameters"])  # the tuner's, by dotted path
    epochs = asked.train.epochs
    if asked.transfer and asked.transfer.fine_tune:
        epochs += asked.transfer.fine_tune.epochs
    return {
        "epochs": len(history),
        "asked": epochs,
        **{name: [_finite(epoch.get(name)) for epoch in history] for name in ("loss", "val_loss")},
        "train_images": card["train_images"],
        "classes": len(card["class_names"]),
        "code_size": None if asked.transfer else _code_size(asked.model),
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def architecture(model: Path) -> str:
    """Name or dotted path of what was trained. model: folder of card.json."""
    return json.loads((model / keys.CARD_FILE).read_text())["architecture"]


def _code_size(model: ModelConfig) -> int | None:
    import keras_models

    known = inspect.signature(keras_models.get(model.name).build).parameters.get("code_size")
    size = model.options.get("code_size", known.default) if known else None
    return size if isinstance(size, int) else None

"""What `hubel init` proposes where there are few images: another network's features. Plain data in; imports nothing heavy."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import earlier_cards, inputs, keys
from keras_models import published
from pipelines.workspace import runs
from pipelines.workspace.layout import Workspace

FEW = 2000  # images, below which features learned elsewhere mostly win
NETWORK, SIDES = "MobileNetV2", (128, 160, 192, 224)  # px that its weights are published for, and that photos can do with
FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{}_no_top.h5"  # as keras.applications names them


@dataclass(frozen=True)
class Source:
    """Of features: what `transfer.source` names, and the size of its images in px."""

    source: str
    height: int
    width: int


def imagenet() -> Source | None:
    """A network of keras.applications whose weights are on this machine; None where they would have to be fetched."""
    models = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    side = next((side for side in SIDES if (models / FILE.format(side)).is_file()), None)
    return None if side is None else Source(f"{published.PREFIX}{NETWORK}", side, side)


def pushed(place: Workspace, channels: int) -> Source | None:
    """The newest classifier of the workspace that takes such images and was pushed."""
    for record in reversed(runs.records(place)):
        card = _card(record)
        is_classifier = earlier_cards.names_classes(card) and not card.get("members")  # an ensemble has no layer of features
        reads_images = card.get("reads", inputs.DEFAULT) == "image"  # the length of a text is no number of channels
        if is_classifier and reads_images and card.get("input_shape", [0])[-1] in (channels, 3):
            return Source(record.config, *card["input_shape"][:2])
    return None


def _card(record: runs.RunRecord) -> Mapping[str, Any]:
    import json

    if record.version is None or not record.model_dir:
        return {}
    try:
        return json.loads((Path(record.model_dir) / keys.CARD_IN_EXPORT).read_text())
    except (OSError, ValueError):  # removed since
        return {}

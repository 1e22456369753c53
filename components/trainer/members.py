"""What an ensemble is made of: Model artifacts of pushed versions, by the names of these."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from components import keys, progress
from components.tasks.by_name import task_of
from components.tasks.classification import TEMPERATURE
from components.trainer.card import Card
from configs.errors import UsageError
from configs.schema.reading import Reading
from configs.schema.slices.trainer import TrainerSlice
from configs.schema.transform import TransformConfig

SEEN = ("height", "width", "channels", "resize", "interpolation")  # keys of transform that decide which pixels a model sees
READING = Reading()


def cards(uris: Mapping[str, str], transform: TransformConfig, reading: Reading = READING) -> dict[str, Card]:
    """The members' cards.

    Args:
        uris: NAME/VERSION -> folder of the Model artifact.
        transform, reading: the ensemble's.

    Raises:
        UsageError: where one answers another question or sees other pixels than the ensemble; says which.
    """
    by_name = {name: Card.read(uri) for name, uri in uris.items()}
    if by_name and transform.normalize != "none":
        raise UsageError("An ensemble's members normalise their images themselves.", "Set transform.normalize=none.")
    for name, card in by_name.items():
        if not task_of(card.task).averages:
            raise UsageError(f"{name} is a model of {card.task}, which has no probabilities to average.", "Take it out.")
        if card.reads != "image":
            raise UsageError(f"{name} reads {card.reads}, and an ensemble is of models that read images.", "Take it out.")
        if _pixels(card.transform) != _pixels(transform):
            raise UsageError(
                f"{name} sees images of {_pixels(card.transform)}, and this ensemble's transform makes {_pixels(transform)}.",
                "Members must see the same pixels; give the ensemble their transform.",
            )
        if card.reading not in (None, reading):
            raise UsageError(
                f"{name} was trained with data.ground {card.reading.ground} and data.white {card.reading.white}, and this ensemble "
                f"has {reading.ground} and {reading.white}.",
                "Members must see the same pixels; give the ensemble their data.ground and data.white.",
            )
        check_classes(by_name, card.class_names, name)
    return by_name


def checked(uris: Mapping[str, str], cfg: TrainerSlice, class_names: Sequence[str]) -> dict[str, Card]:
    """The cards of an ensemble's members, which must suit its config and have the classes of its data. Warns of one that is served
    at a temperature, which is no part of its network. Raises as `cards`."""
    members = cards(uris, cfg.transform, cfg.reading)
    check_classes(members, class_names, "the data")
    for name, card in members.items():
        if (at := card.calibrated.get(TEMPERATURE)) is not None:
            progress.emit(
                "warning",
                text=f"{name} is served at temperature {at:.4g}; the ensemble averages what it answers without. export.temperature "
                "of the ensemble has one for all",
            )
    return members


def check_classes(members: Mapping[str, Card], class_names: Sequence[str], whose: str) -> None:
    """Raise UsageError unless every member has these classes, in this order."""
    for name, card in members.items():
        if card.class_names != list(class_names):
            raise UsageError(
                f"{name} has the classes {_listed(card.class_names)}, and {whose} has {_listed(class_names)}.",
                "Members of an ensemble must have the same classes in the same order.",
            )


def digest(uri: str) -> str:
    """Of the trained model in a Model artifact."""
    with (Path(uri) / keys.KERAS_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pixels(transform):
    height, width, channels, *how = (getattr(transform, name) for name in SEEN)
    return f"{height}x{width}x{channels} ({', '.join(how)})"


def _listed(class_names):
    return ", ".join(class_names) if len(class_names) <= 12 else f"{', '.join(class_names[:12])} and {len(class_names) - 12} more"

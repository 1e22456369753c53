"""Which of train, validation and test an image belongs to: the source's own split, else by hash of the image's id."""

from collections.abc import Collection

from components import keys
from components.example_gen.records import share
from configs.schema import DataConfig

_OWN = {"train": keys.TRAIN, "validation": keys.VALIDATION, "valid": keys.VALIDATION, "val": keys.VALIDATION, "test": keys.TEST}


def used(source_splits: Collection[str]) -> dict[str, str]:
    """Source split -> ours. A source without `train` (say, one split `all`) is carved from what it has."""
    own = {name: _OWN[name] for name in source_splits if name in _OWN}
    return own if keys.TRAIN in own.values() else dict.fromkeys(source_splits, keys.TRAIN)


def split_of(image_id: bytes, own: str, given: Collection[str], data: DataConfig) -> str:
    """The split of one image.

    Args:
        own: the split that its source put it in, in our words.
        given: all splits that the source has, in our words; only the missing ones are carved from `train`.
    """
    if own != keys.TRAIN:
        return own
    drawn = share(image_id)
    bound = 0.0
    for name, part in ((keys.VALIDATION, data.validation), (keys.TEST, data.test)):
        if name not in given:
            bound += part
            if drawn < bound:
                return name
    return keys.TRAIN

"""What the features of tf.train.Examples hold, by the values of some of them: asked where nobody says what is to be read."""

import io
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from components import examples
from components.image_files import FORMATS

IMAGE, TEXT = "image", "text"
LEAST = 16  # numbers of an image
WORDS = 2  # of a text in the mean; with less it is a name
UNPARTED = 8  # characters of a text in a script that parts no words


def features_of(records: Sequence[Any]) -> dict[str, list[list]]:
    """Feature -> its values in each record that has any."""
    names = sorted({name for record in records for name in record.features.feature})
    values = {name: [list(examples.values(record, name)) for record in records] for name in names}
    return {name: [of for of in every if of] for name, every in values.items() if any(every)}


def kinds(features: Mapping[str, Sequence[list]]) -> dict[str, str]:
    """Feature -> IMAGE or TEXT, of those whose values can be such and are no mere names; the likeliest of each kind first, which
    are texts that are seldom the same, and of these the longest."""
    held = {name: kind for name, values in features.items() if (kind := _kind(values))}
    return dict(sorted(held.items(), key=lambda item: _rank(features[item[0]]) if item[1] == TEXT else (0.0, 0.0)))


def kind(features: Mapping[str, Sequence[list]], usual: Mapping[str, Sequence[str]]) -> str:
    """IMAGE or TEXT: what features of usual names hold, else what any holds; IMAGE where nothing tells.

    Args:
        usual: kind -> names.
    """
    held = kinds(features)
    named = [of for of in (IMAGE, TEXT) for name in usual[of] if held.get(name) == of]
    return next(iter([*named, *(of for of in (IMAGE, TEXT) if of in held.values())]), IMAGE)


def named(features: Mapping[str, Sequence[list]], reads: str, usual: Sequence[str]) -> str | None:
    """The feature of a kind that has to be named, because the first of a usual name, if there is any, does not hold it; None where
    none has to be, or it cannot be told which."""
    held = [name for name, of in kinds(features).items() if of == reads]
    guessed = next((name for name in usual if name in features), None)
    if guessed in held or not held or (reads == IMAGE and len(held) > 1):
        return None
    return next((name for name in usual if name in held), held[0])


def _kind(values: Sequence[list]) -> str | None:
    if not all(isinstance(value, bytes) for of in values for value in of):
        return IMAGE if all(_is_square(of) for of in values) else None
    if any(len(of) > 1 for of in values):
        return None
    contents = [of[0] for of in values]
    if all(map(_is_image, contents)):
        return IMAGE
    return TEXT if _are_texts(contents) else None


def _is_square(values: list) -> bool:
    """Whether so many numbers are a square of 1 or 3 channels."""
    if len(values) < LEAST or isinstance(values[0], bytes):
        return False
    return any(
        len(values) % channels == 0 and math.isqrt(len(values) // channels) ** 2 * channels == len(values) for channels in (1, 3)
    )


def _is_image(encoded: bytes) -> bool:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            return opened.format in FORMATS
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        return False


def _are_texts(contents: Sequence[bytes]) -> bool:
    """Whether most are UTF-8 of several words, or as long in a script that parts none."""
    texts = [text for content in contents if (text := _decoded(content)) is not None]
    if 2 * len(texts) < len(contents) + 1:
        return False
    unparted = [sum(not character.isascii() for character in text) for text in texts]
    return statistics.fmean(len(text.split()) for text in texts) >= WORDS or statistics.fmean(unparted) >= UNPARTED


def _decoded(content: bytes) -> str | None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character.isspace() for character in text) else None


def _rank(values: Sequence[list]) -> tuple[float, float]:
    contents = [of[0] for of in values]
    return -round(len(set(contents)) / len(contents), 1), -statistics.fmean(map(len, contents))

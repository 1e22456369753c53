"""Classes of a source: the one order in which their names get label numbers, and configs that name them."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from components.example_gen import labels as texts
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig

SHOWN = 12  # known classes that a message names
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DIGITS = re.compile(r"([0-9]+)")


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once, in the order of the labels 0, 1, ...: by value where all are whole numbers, otherwise in natural order, in
    which digits within a name count as the number that they write, and letters stand by code point, as before."""
    every = set(names)
    if all(map(_WHOLE.fullmatch, every)):
        return sorted(every, key=lambda name: (int(name), name))
    return sorted(every, key=lambda name: (_natural(name), name))


def _natural(name: str) -> list:
    parts = _DIGITS.split(name)  # text and digits in turns, text first
    return [(len(part.lstrip("0")), part.lstrip("0")) if at % 2 else part for at, part in enumerate(parts)]


def resolved(data: DataConfig, names: Sequence[str]) -> DataConfig:
    """The slice with label numbers in the place of names.

    Args:
        names: of all classes of the source, in the order of their labels. `data.inliers` counts those of `data.classes`.

    Raises:
        UsageError: for a class that is not there, or one of data.classes that is named twice.
    """
    if data.classes is not None:
        data = data.model_copy(update={"classes": _labels("classes", data.classes, names, data.source)})
        names = [names[label] for label in data.classes]
    if data.inliers is not None:
        data = data.model_copy(update={"inliers": _labels("inliers", data.inliers, names, data.source)})
    return data


def check_told_apart(
    source: str,
    names: Sequence[str],
    data: DataConfig,
    least: int,
    model: str,
    error: type[HubelError] = UsageError,
    noun: str = "image",
) -> None:
    """Raise an error where there are fewer classes to train on than a model tells apart.

    Args:
        names: of the classes that data.classes keeps. data: of `resolved`. least: how many there have to be; 0 for none.
        model: what is said of it. noun: what an example is called.
    """
    kept = [names[label] for label in data.inliers] if data.inliers is not None else names
    if len(set(kept)) < least:
        has = f"{noun}s of one class, {kept[0]!r}," if kept else f"{noun}s without labels"
        raise error(
            f"{source} gives {has} to train on, and {model} tells at least {least} classes apart.",
            f"Give {noun}s of each class, of a folder each class in one of its own; `hubel init` writes a config that fits the "
            f"{noun}s that there are.",
        )


def _labels(key: str, asked: Sequence[int | str], names: Sequence[str], source: str) -> list[int]:
    places = {unicodedata.normalize("NFC", name): label for label, name in enumerate(names)}
    labels: list[int] = []
    for kept in asked:
        spellings = [] if isinstance(kept, int) else [unicodedata.normalize("NFC", kept), texts.spelling(kept)]  # folder's, table's
        label = kept if isinstance(kept, int) else next((places[name] for name in spellings if name in places), None)
        if label is None or label >= len(names):
            raise _unknown(key, kept, names, source)
        if label in labels and key == "classes":  # an inlier may be named twice
            message = f"data.{key} names class {label} of {source}, {names[label]!r}, twice."
            raise UsageError(message, "Name each class once, by its name or by its number.")
        labels.append(label)
    return labels


def _unknown(key: str, asked: int | str, names: Sequence[str], source: str) -> UsageError:
    if not names:
        return UsageError(f"data.{key} names class {asked!r}, and {source} has no labels.", f"Take data.{key} out.")
    shown = ", ".join(f"{label}: {name!r}" for label, name in enumerate(names[:SHOWN]))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    nearest = difflib.get_close_matches(str(asked), names, 1)
    if isinstance(asked, int) and str(asked) in names:
        hint = f'A number counts the classes from 0; the one called {asked} is ["{asked}"].'
    elif nearest:
        hint = f"Did you mean {nearest[0]!r}?"
    else:
        hint = f"Name classes by their names, or by their numbers from 0, or take them out of data.{key}."
    return UsageError(f"data.{key} names class {asked!r} of {source}; it has {len(names)}, counted from 0: {shown}{more}.", hint)

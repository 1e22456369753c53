"""What an image is labelled with, drawn on it and said beside it: a function for each kind of target (components.targets)."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components import targets
from components.example_gen import sources
from reports import sheet

LINE = 1 / 96  # of a picture's longer side: how thick a box is drawn


def colour(number: int) -> tuple[int, int, int]:
    """Of a class, as the masks of PASCAL VOC have it: bits of the number, the lowest first, in turns for red, green and blue."""
    parts = [0, 0, 0]
    for place in range(8):
        for part in range(3):
            parts[part] |= (number >> part & 1) << (7 - place)
        number >>= 3
    return tuple(parts)


@functools.singledispatch
def drawn(kind: targets.Kind, image: np.ndarray, value: np.ndarray) -> np.ndarray:
    """An image with what a target has in it.

    Args:
        image: uint8 [height, width, 1 or 3]. value: of this image, as tasks get it.

    Returns:
        uint8, of the same size, or enlarged as reports.sheet enlarges it.
    """
    return image


@drawn.register
def _(kind: targets.Map, image: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Half image, half the class's colour; what is of no class stays as it is."""
    colours = np.array([colour(number) for number in range(targets.VOID + 1)])
    mixed = (image.astype(int) + colours[value[..., 0]]) // 2
    return np.where(value == targets.VOID, image, mixed).astype(np.uint8)


@drawn.register
def _(kind: targets.Table, image: np.ndarray, value: np.ndarray) -> np.ndarray:
    """A rectangle each, on an enlarged picture, where it hides less."""
    from PIL import ImageDraw

    rows = [row for row in value.tolist() if row[4] != targets.NONE]
    if not rows:
        return image
    picture = sheet.picture(image).convert("RGB")
    draw, factor = ImageDraw.Draw(picture), picture.width / image.shape[1]
    for *box, number in rows:
        top, left, bottom, right = (factor * side for side in box)
        corners = [left, top, max(left, right - 1), max(top, bottom - 1)]
        draw.rectangle(corners, outline=colour(int(number) + 1), width=max(1, round(LINE * max(picture.size))))
    return np.asarray(picture)


@functools.singledispatch
def said(kind: targets.Kind, value: Any, names: Sequence[str]) -> list[str]:
    """In words, of a value as `Kind.checked` makes it: names of the classes that are there, or what is said of the image."""
    return []


@said.register
def _(kind: targets.Labels, value: Sequence[int], names: Sequence[str]) -> list[str]:
    return [names[place] for place in kind.classes(value)]


@said.register
def _(kind: targets.Map, value: tuple[bytes, Sequence[int]], names: Sequence[str]) -> list[str]:
    return [_name(number, names) for number in value[1]]


@said.register
def _(kind: targets.Table, value: Sequence[Sequence[float]], names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(_name(int(row[4]), names) for row in value))


@said.register
def _(kind: targets.Text, value: Sequence[bytes], names: Sequence[str]) -> list[str]:
    return [text.decode() for text in value]


def labels(label: int | None, values: Mapping[str, Any], contents: sources.Contents) -> tuple[list[str], list[str]]:
    """Names of an example's classes, and what else is said of it. values: of its further targets, as their kinds check them."""
    names = [] if label is None else [contents.class_names[label]]
    told = {name: said(targets.of(name), value, contents.targets[name]) for name, value in values.items()}
    names += told.pop(contents.labelled, [])
    return names, [", ".join(words) if targets.of(name).counted else "; ".join(words) for name, words in told.items() if words]


@functools.singledispatch
def coloured(kind: targets.Kind, value: Any, names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Class that is drawn -> its colour."""
    return {}


@coloured.register
def _(kind: targets.Map, value: tuple[bytes, Sequence[int]], names: Sequence[str]):
    return {_name(number, names): colour(number) for number in value[1]}


@coloured.register
def _(kind: targets.Table, value: Sequence[Sequence[float]], names: Sequence[str]):
    return {_name(int(row[4]), names): colour(int(row[4]) + 1) for row in value}


def _name(number: int, names: Sequence[str]) -> str:
    return names[number] if number < len(names) else f"class {number}"

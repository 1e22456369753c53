"""What a method of looking inside is asked, and what it answers.

A method is a file of this folder with

    ORDER: int                      its place among the methods, from what is learned to what is decided
    TITLE, PAPER, TELLS, HIDES      what it is called, where it stands, what it can tell and what it cannot, for a person
    NEEDS: frozenset                of IMAGES and MANY: what it cannot do without
    show(network, asked) -> Answer  raises Unsuited where it says nothing of that network
"""

import difflib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from configs import by_name
from configs.errors import UsageError

HERE = str(Path(__file__).parent)
IMAGES, MANY = "images", "many"  # a few images to look at; as many as there are, to search
MOST = 10  # units of a layer that are shown where none is asked for


class Unsuited(UsageError):
    """A method that says nothing of a network, and why."""


@dataclass(frozen=True)
class Tile:
    """Pictures of one size that belong together.

    values: float32 [n, height, width, channels], 1 or 3 channels.
    kind: "pixels" of 0..255; "signed": 0 is nothing, drawn from the least to the largest size; "strength": at least 0.
    captions: of each of the n; or none.
    over: float32 [height, width, channels], 0..255: the image that values lie on.
    box: first row, first column, last row and last column, within `values`, of what is framed; it may stick out.
    """

    caption: str
    values: np.ndarray
    kind: Literal["pixels", "signed", "strength"]
    captions: Sequence[str] = ()
    over: np.ndarray | None = None
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Strip:
    """Tiles that stand side by side."""

    caption: str
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Answer:
    """What a method shows.

    figures: rows of a table, all with the same keys; numbers, words or None.
    notes: sentences on what was assumed, left out or is to be doubted.
    """

    strips: Sequence[Strip]
    figures: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Asked:
    """What a person wants to see.

    layer, unit: None: the method's choice.
    images: float32 [N, height, width, channels], 0..255, of the network's size; called: what each is called.
    many, many_called: the same of those that are searched.
    classes: names of the output's units, where it is a classifier.
    judged: images whose sanity figures are computed, the first; None: all.
    """

    layer: str | None = None
    unit: int | None = None
    images: np.ndarray | None = None
    called: Sequence[str] = ()
    many: np.ndarray | None = None
    many_called: Sequence[str] = ()
    classes: Sequence[str] = field(default_factory=tuple)
    seed: int = 0
    judged: int | None = None

    def name_of(self, network, path: str, unit: int) -> str:
        """Of a unit, for a person."""
        if path == network.output and unit < len(self.classes):
            return self.classes[unit]
        return f"unit {unit} of {network.short(path)}"


def names() -> list[str]:
    """Of the methods, in their order."""
    there = {name: importlib.import_module(f"{__package__}.{name}") for name in by_name.names([HERE], {"show"})}
    return sorted(there, key=lambda name: (there[name].ORDER, name))


def method(name: str) -> ModuleType:
    """The file of a method. Raises UsageError for an unknown name, with the known ones."""
    called, known = name.replace("-", "_"), by_name.names([HERE], {"show"})
    if called not in known:
        near = difflib.get_close_matches(called, known, 1)
        guess = f"; did you mean {near[0]!r}?" if near else "."
        raise UsageError(f"There is no method {name!r}{guess}", f"There are {', '.join(names())}.")
    return importlib.import_module(f"{__package__}.{called}")

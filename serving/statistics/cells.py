"""Distributions in a bounded place that can be put together: numbers in cells, names with their counts."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

PARTS = 16  # cells between a number and its double: each is about 6 % wide or narrower
LEAST, MOST = -40, 60  # powers of two; what is smaller or larger shares the last cell
MAX_VALUES = 512  # whole numbers that are counted one by one; further ones share cells
MAX_NAMES = 10_000  # of one feature; further ones are counted together
OTHER = "(other)"


class Numbers:
    """Finite numbers. A cell knows how many there are and the least and largest of them, so equal numbers stay exact. Of whole
    numbers a few are mostly most of all, such as the one width of a camera's images, beside a few that differ by some px: a cell
    that held both would take all of them to lie evenly in between. So these are counted one by one, as long as they are few.

    Attributes:
        values: whole number -> how many, of MAX_VALUES; the others are in cells.
        cells: place -> [count, least, largest], ascending places for ascending numbers.
        count, total, squares: of all numbers: how many, their sum, the sum of their squares. strange: how many were not finite.
    """

    def __init__(self, is_whole: bool = False):
        """Args: is_whole: whether they are whole numbers, such as px."""
        self.is_whole = is_whole
        self.cells: dict[int, list[float]] = {}
        self.values: dict[float, float] = {}
        self.count, self.total, self.squares, self.strange = 0, 0.0, 0.0, 0

    def add(self, values: Iterable[float]) -> None:
        """Put numbers in."""
        for value in values:
            number = float(value)
            if not math.isfinite(number):
                self.strange += 1
                continue
            self.count += 1
            self.total += number
            self.squares += number * number
            self._count(number, 1)

    def merge(self, other: "Numbers") -> None:
        """Put in what another one holds."""
        for place, (count, low, high) in other.cells.items():
            self._put(place, count, low, high)
        for number, count in other.values.items():
            self._count(number, count)
        self.count, self.strange = self.count + other.count, self.strange + other.strange
        self.total, self.squares = self.total + other.total, self.squares + other.squares

    def _count(self, number: float, count: float) -> None:
        if self.is_whole and (number in self.values or len(self.values) < MAX_VALUES):
            self.values[number] = self.values.get(number, 0) + count
        else:
            self._put(_place(number), count, number, number)

    def _put(self, place: int, count: float, low: float, high: float) -> None:
        cell = self.cells.get(place)
        if cell is None:
            self.cells[place] = [count, low, high]
        else:
            cell[0] += count
            cell[1], cell[2] = min(cell[1], low), max(cell[2], high)

    @property
    def mean(self) -> float:
        """NaN of none."""
        return self.total / self.count if self.count else math.nan

    @property
    def deviation(self) -> float:
        """The standard deviation; NaN of none."""
        return math.sqrt(max(self.squares / self.count - self.mean**2, 0.0)) if self.count else math.nan

    def ordered(self) -> np.ndarray:
        """float64 [cells, 3]: count, least, largest, by size, of cells and of whole numbers by themselves."""
        alone = ((count, number, number) for number, count in self.values.items())
        return np.array(sorted([*map(tuple, self.cells.values()), *alone], key=lambda cell: cell[1:]), np.float64).reshape(-1, 3)

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """The numbers below which these shares of all lie, taken to lie evenly in a cell. float64, as long as shares.

        Args:
            shares: ascending, 0 to 1.

        Raises:
            ValueError: of none.
        """
        cells = self.ordered()
        if not len(cells):
            raise ValueError("there are no numbers")
        ends = np.cumsum(cells[:, 0])
        ranks = np.asarray(shares, np.float64) * ends[-1]
        inside = np.minimum(np.searchsorted(ends, ranks, "left"), len(cells) - 1)
        part = (ranks - (ends[inside] - cells[inside, 0])) / cells[inside, 0]
        values = cells[inside, 1] + np.clip(part, 0, 1) * (cells[inside, 2] - cells[inside, 1])
        values = np.maximum.accumulate(values)  # a whole number by itself may lie in a cell of others
        return np.round(values) if self.is_whole else values

    def histogram(self, edges: np.ndarray) -> np.ndarray:
        """How many lie in each of the intervals between ascending edges, the last one closed; taken as `quantiles` takes them.
        float64 [edges - 1]."""
        cells = self.ordered()
        counts = np.zeros(len(edges) - 1)
        for count, low, high in cells:
            if high > low:
                shares = np.clip((np.asarray(edges) - low) / (high - low), 0, 1)
                counts += count * np.diff(shares)
            else:
                place = int(np.searchsorted(edges, low, "right")) - 1
                counts[min(max(place, 0), len(counts) - 1)] += count
        return counts

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        cells = {str(place): self.cells[place] for place in sorted(self.cells)}
        values = {name: getattr(self, name) for name in ("is_whole", "count", "total", "squares", "strange")}
        alone = {str(int(number)): count for number, count in sorted(self.values.items())}
        return {"kind": "numbers", **values, "cells": cells, "values": alone}


class Names:
    """Names and how often each is; of an example that has several, or a share of several, each counts by itself.

    Attributes:
        counts: by name. count: examples.
    """

    def __init__(self):
        self.counts: dict[str, float] = {}
        self.count = 0

    def add(self, values: Iterable[Mapping[str, float]]) -> None:
        """Put in the names of examples: name -> how often, each."""
        for names in values:
            self.count += 1
            for name, often in names.items():
                self._put(name, often)

    def merge(self, other: "Names") -> None:
        """Put in what another one holds."""
        self.count += other.count
        for name, often in other.counts.items():
            self._put(name, often)

    def _put(self, name: str, often: float) -> None:
        known = name if name in self.counts or len(self.counts) < MAX_NAMES else OTHER
        self.counts[known] = self.counts.get(known, 0) + often

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        return {"kind": "names", "count": self.count, "counts": dict(sorted(self.counts.items()))}


def of_json(value: Mapping[str, Any]) -> Numbers | Names:
    """What `as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    if value["kind"] == "names":
        names = Names()
        names.count, names.counts = int(value["count"]), {str(name): float(often) for name, often in value["counts"].items()}
        return names
    numbers = Numbers(bool(value["is_whole"]))
    numbers.count, numbers.strange = int(value["count"]), int(value["strange"])
    numbers.total, numbers.squares = float(value["total"]), float(value["squares"])
    for place, (count, low, high) in value["cells"].items():
        numbers.cells[int(place)] = [float(count), float(low), float(high)]
    for number, count in value.get("values", {}).items():  # of files of before there is none
        numbers.values[float(number)] = float(count)
    return numbers


def _place(number: float) -> int:
    """The cell of a number: ascending, 0 of zero."""
    if number == 0:
        return 0
    mantissa, power = math.frexp(abs(number))  # mantissa in [0.5, 1)
    if power < LEAST:
        place = 0
    elif power > MOST:
        place = (MOST - LEAST + 1) * PARTS - 1
    else:
        place = (power - LEAST) * PARTS + int((2 * mantissa - 1) * PARTS)
    return (place + 1) if number > 0 else -(place + 1)

"""Examples and how many there are, as rows of a page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.data_sets.choosing import Counts


class Cell(NamedTuple):
    """What stands in a table."""

    text: str
    is_number: bool


class Table(NamedTuple):
    """Of a page."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def of_counts(counts: Counts) -> Table:
    """A row for each class and one of all, a column for each split."""
    rows = [[name, *(of[name] for of in counts.classes.values())] for name in next(iter(counts.classes.values()), {})]
    return Table(["class", *counts.examples], [list(map(_cell, row)) for row in [*rows, ["all", *counts.examples.values()]]])


def of_rows(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Of mappings that have the same keys; a column of which all is empty is left out."""
    rows = list(rows)
    columns = [name for name in rows[0] if any(row[name] not in ("", []) for row in rows)]
    return Table(columns, [[_cell(row[name]) for name in columns] for row in rows])


def _cell(value: Any) -> Cell:
    if isinstance(value, int | float):
        return Cell(f"{value:,}" if isinstance(value, int) else f"{value:.4g}", True)
    return Cell(value if isinstance(value, str) else ", ".join(value), False)

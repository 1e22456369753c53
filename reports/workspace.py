"""The page of a workspace: tables that are sorted and filtered in the reader's browser. One file, which asks nothing of a network.

Its script is its own, and does not draw: a page of charts carries 0.9 MB of Vega. Without scripts the tables stand as they are.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from reports import charts

TEMPLATE = "workspace.html.j2"


@dataclass(frozen=True)
class Cell:
    """What stands in a table: its text; `value`, what it is sorted by, None for nothing; `to`, a relative address; `mark`: good,
    bad or open, of a verdict; `picture`: a WebP beside the text, which says nothing that the text does not."""

    text: str
    value: str | float | int | None = None
    to: str = ""
    mark: str = ""
    picture: bytes = b""

    @property
    def address(self) -> str:
        """Of the picture: itself."""
        return f"data:image/webp;base64,{base64.b64encode(self.picture).decode()}"


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Args:
        key: its id in the page; that of the table which is filtered is "runs".
        columns, numbers: their names, and whether each holds numbers. rows: as they stand before anybody sorts them.
        filtered: places of columns by whose values rows are chosen. more: rows that were left out.
    """

    key: str
    title: str
    about: str
    columns: Sequence[str]
    numbers: Sequence[bool]
    rows: Sequence[Sequence[Cell]]
    filtered: Sequence[int] = ()
    more: int = 0

    @property
    def filters(self) -> list[tuple[int, str, list[str]]]:
        """(place, name, values) of each column by which rows are chosen."""
        kept = ((place, {str(row[place].value) for row in self.rows if row[place].value is not None}) for place in self.filtered)
        return [(place, self.columns[place], sorted(values)) for place, values in kept]


def html(title: str, about: str, tables: Sequence[Table]) -> str:
    """The page's text. about: a line under the title."""
    page = charts.environment(charts.HERE).get_template(TEMPLATE).render(title=title, about=about, tables=tables)
    return re.sub(r"\n\s*\n+", "\n", page).encode("utf-8", "replace").decode()  # names of files may hold bytes that are no text

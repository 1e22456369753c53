"""`hubel list runs` for people: a line a run, below it its figures and why it ended as it did."""

import csv as writing
import sys
import textwrap
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.command_line import console
from pipelines.workspace import columns
from pipelines.workspace.runs import RunRecord

COLUMNS = ("run", "config", "seconds", "outcome", "version")
NUMBERS = ("seconds", "version")
FOLDED = COLUMNS.index("config")  # the one column that breaks where lines are too long
LEAST = 12  # characters that are left to it
GAP = 2  # spaces between columns
INDENT = "    "
WIDTH = 100  # columns, where there is no terminal to say how many


def terminal(records: Sequence[RunRecord]) -> None:
    """Print them in the order given, in lines that fit a terminal; figures are the test split's."""
    out = Console(highlight=False, emoji=False, soft_wrap=True)
    width = out.width if out.is_terminal else WIDTH
    lines = [[_cell(cell) for cell in _cells(record)] for record in records]
    sizes = [max(map(cell_len, column)) for column in zip(COLUMNS, *lines, strict=True)]
    room = width - sum(sizes) + sizes[FOLDED] - GAP * (len(COLUMNS) - 1)
    sizes[FOLDED] = min(sizes[FOLDED], max(LEAST, room))
    out.print(_line(COLUMNS, sizes, style="bold"))
    for record, cells in zip(records, lines, strict=True):
        out.print(_line(cells, sizes))
        for text in _below(record):
            print(textwrap.fill(text, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False))


def table(records: Sequence[RunRecord], chosen: Sequence[str]) -> None:
    """Print these columns of them, in the order given."""
    held = [[columns.value(record, name) for name in chosen] for record in records]
    numbers = [
        name
        for name, cells in zip(chosen, zip(*held, strict=True), strict=False)
        if any(_is_number(cell) for cell in cells) and all(cell is None or _is_number(cell) for cell in cells)
    ]
    console.table(list(chosen), [[_shown(cell, name) for cell, name in zip(row, chosen, strict=True)] for row in held], numbers)


def csv(records: Sequence[RunRecord], chosen: Sequence[str]) -> None:
    """Write them to stdout as RFC 4180 has it: a head, lines that end in CR LF, numbers in full, nothing where there is none."""
    out = writing.writer(sys.stdout)
    out.writerow(chosen)
    out.writerows([_plain(columns.value(record, name)) for name in chosen] for record in records)


def _is_number(cell: columns.Value) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _shown(cell: columns.Value, name: str) -> columns.Value:
    if isinstance(cell, bool):
        return _plain(cell)
    if name == "seconds" and cell is not None:
        return f"{cell:.0f}"
    return f"{cell:.4f}" if isinstance(cell, float) and cell % 1 else f"{cell:.0f}" if isinstance(cell, float) else cell


def _plain(cell: columns.Value) -> columns.Value:
    return str(cell).lower() if isinstance(cell, bool) else cell


def _cells(record: RunRecord) -> list:
    seconds = None if record.seconds is None else f"{record.seconds:.0f}"
    return [record.run, record.config, seconds, record.status, record.version]


def _below(record: RunRecord) -> list[str]:
    """A paragraph of figures with their intervals, and one of the reason, where there are any."""
    figures = [
        " ".join([name, shown, *_interval(record.intervals.get(name))])
        for name, shown, _ in console.figures(record.metrics)
        if name != console.COUNT
    ]
    return [text for text in (", ".join(figures), " ".join(record.reason.split())) if text]


def _interval(ends: Sequence[float] | None) -> list[str]:
    return [f"({ends[0]:.4f} to {ends[1]:.4f})"] if ends else []


def _cell(value) -> str:
    return "" if value is None else str(value)


def _line(cells: Sequence[str], sizes: Sequence[int], style: str = "") -> Table:
    """One row of columns of these sizes."""
    made = Table.grid(padding=(0, GAP, 0, 0))
    for name, size in zip(COLUMNS, sizes, strict=True):
        made.add_column(justify="right" if name in NUMBERS else "left", width=size, overflow="fold")
    made.add_row(*map(escape, cells), style=style)
    return made

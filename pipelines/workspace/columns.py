"""The columns of a table of runs: what is on record of each, by name, and their order. Light."""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Sequence

from configs.errors import UsageError
from pipelines.workspace.runs import RunRecord

Value = str | int | float | bool | None

FIXED: dict[str, Callable[[RunRecord], Value]] = {
    "run": lambda record: record.run,
    "config": lambda record: record.config,
    "started": lambda record: record.started,
    "seconds": lambda record: record.seconds,
    "outcome": lambda record: record.status,
    "version": lambda record: record.version,
    "blessed": lambda record: record.blessed,
    "forced": lambda record: record.forced,
    "reason": lambda record: " ".join(record.reason.split()) or None,
    "model_dir": lambda record: record.model_dir,
}
SAME = {"status": "outcome"}  # what --json calls a column -> what it is called here
LOW, HIGH = "_low", "_high"  # ends of the names of an interval's ends


def names(records: Iterable[RunRecord]) -> list[str]:
    """All columns: what is on record of every run, then each figure that one of them has, followed by the ends of its interval."""
    figures: dict[str, bool] = {}
    for record in records:
        for name in record.metrics:
            figures[name] = figures.get(name, False) or name in record.intervals
    told = [[name, *([f"{name}{LOW}", f"{name}{HIGH}"] if intervals else [])] for name, intervals in figures.items()]
    return list(dict.fromkeys([*FIXED, *(name for each in told for name in each)]))


def chosen(asked: str, records: Sequence[RunRecord]) -> list[str]:
    """Names of columns, from what a person lists with commas between.

    Raises:
        UsageError: for a column that there is not, or that is named twice, and for none; lists those there are.
    """
    wanted = [name.strip() for name in asked.split(",") if name.strip()]
    if not wanted:
        raise UsageError("--columns names no column.", _there(records))
    known = [named(name, records) for name in wanted]
    if twice := [name for name in dict.fromkeys(known) if known.count(name) > 1]:
        raise UsageError(f"--columns names {twice[0]} twice.", "Name each column once.")
    return known


def named(asked: str, records: Sequence[RunRecord]) -> str:
    """The column of a name. Raises UsageError where there is none; lists those there are."""
    known = names(records)
    name = SAME.get(asked, asked)
    if name not in known:
        near = difflib.get_close_matches(asked, known, 1)
        raise UsageError(f"There is no column {asked!r}{f'; did you mean {near[0]!r}?' if near else '.'}", _there(records))
    return name


def value(record: RunRecord, name: str) -> Value:
    """What a run has in a column; None for nothing, such as a figure that another kind of model has."""
    if name in FIXED:
        return FIXED[name](record)
    if name in record.metrics:
        return record.metrics[name]
    for place, end in enumerate((LOW, HIGH)):
        ends = record.intervals.get(name.removesuffix(end)) if name.endswith(end) else None
        if ends:
            return ends[place]
    return None


def ordered(records: Sequence[RunRecord], name: str, descending: bool = False) -> list[RunRecord]:
    """By a column; those that have nothing in it, or no number among numbers, last either way. Equal ones stay in their order."""
    told = [(record, value(record, name)) for record in records]
    there = [(record, held) for record, held in told if not _is_nothing(held)]
    there.sort(key=lambda pair: _key(pair[1]), reverse=descending)
    return [record for record, _ in there] + [record for record, held in told if _is_nothing(held)]


def _is_nothing(held: Value) -> bool:
    return held is None or (isinstance(held, float) and math.isnan(held))


def _key(held: Value) -> tuple:
    """Of numbers by size, of texts as people count: run-2 before run-10."""
    if isinstance(held, (bool, int, float)):
        return (0, held)
    return (1, [(not part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", str(held)) if part])


def _there(records: Sequence[RunRecord]) -> str:
    return f"There are: {', '.join(names(records))}."

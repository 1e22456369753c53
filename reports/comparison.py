"""What an experiment's trainings are compared by: the printed table, a CSV file and a plot, of plain rows."""

import csv
import io
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from configs.errors import HubelError
from configs.experiment import COUNTS, ExperimentConfig
from reports import curves

# arm, seed, note, intervals by name, and figures by name; those that a training does not have are None or missing
Row = Mapping[str, object]
NEVER = "never"
ENDS = ("low", "high")


def check(asked: ExperimentConfig, rows: Sequence[Row]) -> None:
    """Raise HubelError for a figure that is asked for and that no training can have."""
    known = {name for row in rows for name in row}.union(COUNTS)
    wanted = [*asked.show, *asked.plot.y, *([] if asked.plot.follows_training else [asked.plot.x])]
    missing = [name for name in wanted if name not in known]
    if missing and not all(row["note"] for row in rows):
        have = ", ".join(sorted(known - {"arm", "seed", "note", "intervals"}))
        raise HubelError(f"The experiment asks for {missing[0]!r}, which its models do not have.", f"They have: {have}.")


def table(asked: ExperimentConfig, rows: Sequence[Row]) -> dict:
    """What is printed: {columns, rows}; a row an arm, figures as the mean over its seeds and, of several, the range; of one seed,
    the 95 % interval in brackets."""
    lines = []
    for arm in asked.arms:
        mine = [row for row in rows if row["arm"] == arm]
        cells = [summary([row.get(name) for row in mine]) + _interval(mine, name) for name in asked.show]
        lines.append([arm, *cells, "; ".join(dict.fromkeys(str(row["note"]) for row in mine if row["note"]))])
    columns = ["arm", *(_title(name, asked) for name in asked.show), "note"]
    if not any(cells[-1] for cells in lines):
        columns, lines = columns[:-1], [cells[:-1] for cells in lines]
    return {"columns": columns, "rows": lines}


def summary(values: Sequence[float | None]) -> str:
    """Mean and range of what the seeds of an arm gave; "never" for what none gave, such as steps to an accuracy."""
    known = [value for value in values if value is not None]
    if not known:
        return NEVER
    mean = _shown(statistics.fmean(known) if isinstance(known[0], float) else round(statistics.fmean(known)))
    if len(values) == 1:
        return mean
    missing = f", {len(values) - len(known)} {NEVER}" if len(known) < len(values) else ""
    return f"{mean} ({_shown(min(known))} to {_shown(max(known))}{missing})"


def _interval(rows: Sequence[Row], name: str) -> str:
    ends = rows[0].get("intervals", {}).get(name) if len(rows) == 1 else None
    return f" [{ends[0]:.4f}, {ends[1]:.4f}]" if ends else ""


def with_errors_too(intervals: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Intervals and, beside that of the accuracy, that of the error, 1 minus it."""
    low, high = intervals.get("test_accuracy", (None, None))
    return {**intervals, **({} if low is None else {"test_error": [1 - high, 1 - low]})}


def told(asked: ExperimentConfig, differences: Sequence[Mapping]) -> list[str]:
    """Lines below the table: how far arms are from the first one, and whether that is more than noise."""
    if not differences:
        return []
    noun = differences[0].get("noun", "image")
    lines = [f"Differences from {differences[0]['against']!r}; in brackets, 95 % over test {noun}s:"]
    for row in differences:
        lines.append(f"  {row['arm']}: {_title(row['metric'], asked)} {row['difference']:+.4f}, {row['words']}")
    return lines


def as_csv(rows: Sequence[Row]) -> str:
    """All figures of all trainings, a line each; the ends of a figure's interval are NAME_low and NAME_high."""
    rows = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "note"))
    written = io.StringIO()
    writer = csv.DictWriter(written, [*columns, "note"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def _flat(row: Row) -> dict[str, object]:
    ends = {
        f"{name}_{end}": value
        for name, interval in row.get("intervals", {}).items()
        for end, value in zip(ENDS, interval, strict=True)
    }
    return {**{name: value for name, value in row.items() if name != "intervals"}, **ends}


def plot(title: str, asked: ExperimentConfig, rows: Sequence[Row], histories: Sequence[Sequence[Mapping[str, float]]]) -> str:
    """The experiment's curves as SVG; figures are means over seeds.

    Args:
        histories: of each training, in the order of `rows`, its figures by epoch.
    """
    wanted = asked.plot
    drawn = _while_training(asked, rows, histories) if wanted.follows_training else _at_the_end(asked, rows)
    y = _title(wanted.y[0], asked) if len(wanted.y) == 1 else ""
    return curves.svg(title, drawn, curves.Axis(_title(wanted.x, asked), "x" in wanted.log), curves.Axis(y, "y" in wanted.log))


def _while_training(asked, rows, histories):
    """A curve for each arm and figure, as far as all trainings of the arm go."""
    drawn = []
    for arm in asked.arms:
        mine = [history for row, history in zip(rows, histories, strict=True) if row["arm"] == arm and history]
        epochs = list(zip(*mine, strict=False))
        places = [epoch[0]["step"] if asked.plot.x == "step" else number for number, epoch in enumerate(epochs, 1)]
        for name in asked.plot.y:
            title = arm if len(asked.plot.y) == 1 else f"{arm}, {_title(name, asked)}"
            drawn.append(curves.Curve(title, list(zip(places, _means(epochs, name), strict=True))))
    return drawn


def _at_the_end(asked, rows):
    """A curve for each figure, a point for each arm that has it."""
    arms = [[row for row in rows if row["arm"] == arm] for arm in asked.arms]
    places = _means(arms, asked.plot.x)
    return [curves.Curve(_title(name, asked), sorted(zip(places, _means(arms, name), strict=True))) for name in asked.plot.y]


def _means(groups: Iterable[Sequence[Row]], name: str) -> list[float]:
    """Of each group, the mean of a figure over the rows that have it; nan where none has."""
    values = [[row[name] for row in group if row.get(name) is not None] for group in groups]
    return [statistics.fmean(some) if some else math.nan for some in values]


def _shown(value):
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


def _title(name, asked):
    return f"steps to {asked.steps_to:g}" if name == "steps_to" and asked.steps_to else name.replace("_", " ")

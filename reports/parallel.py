"""Parallel coordinates of a search (Inselberg 1985, "The plane with parallel coordinates"): an axis a parameter, a line a trial."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configs import words
from reports import charts
from reports.charts import Chart
from reports.choices import Choices
from reports.trials import shown, value_of

ACROSS = 10  # axes at most that stand side by side in a wide window; more, and those of a narrow one, lie below each other
HEIGHT, ROW = 400, 68  # px, of axes side by side, and of one that lies
TICKS = 3  # at most, between the ends of an axis of numbers
FEW_NUMBERS = 6  # of an axis, that are its ticks
APART = 0.18  # of an axis's length, that its ticks are apart
ENDS = {0: "left", 1: "right"}  # how the texts at both ends of an axis that lies are aligned
WIDE_NAMES = 4  # axes at most whose names have room beside each other
LOWER, UPPER = 1.07, 1.14  # where names stand above axes of the length 1
SMALL = 10.5  # px of ticks
LYING_CHOICES = 44  # characters of all choices up to which each is named on an axis that lies
FAINT = 15  # trials: of more, lines are the fainter the worse they are
NOT_THERE = "not there"


@dataclass(frozen=True)
class Axis:
    """One axis: texts at places from 0 to 1.

    Args:
        name: what stands above it, short.
        is_choice: whether its places are choices, side by side.
    """

    path: str
    name: str
    ticks: Sequence[tuple[float, str]]
    is_choice: bool = False


class Places:
    """Where the values of a parameter stand between 0 and 1: numbers by their size, choices side by side in their own order.

    Args:
        values: those that were tried, one or more.
        drawn: what the parameter is drawn from, as `tune.space` has it, where it is known.
        text: of a value.
    """

    def __init__(self, values: Sequence[Any], drawn: Any, text):
        entry = drawn if isinstance(drawn, Mapping) else {}
        self._text = text
        choices = entry.get("choices")
        self.is_choice = choices is not None or not all(map(_is_number, values))
        if self.is_choice:
            tried = dict.fromkeys(map(text, values))
            known = [text(choice) for choice in choices or ()]
            self._choices = [choice for choice in dict.fromkeys([*known, *sorted(tried)]) if choice in tried]
            return
        self._is_log = str(entry.get("sampling", "")).endswith("log") and min(values) > 0
        self._ends, self._tried = (min(values), max(values)), sorted(set(values))

    def place(self, value: Any) -> float:
        """0 to 1; in the middle where only one value was tried."""
        if self.is_choice:
            return self._choices.index(self._text(value)) / (len(self._choices) - 1) if len(self._choices) > 1 else 0.5
        low, high, at = (math.log(number) if self._is_log else float(number) for number in (*self._ends, value))
        return (at - low) / (high - low) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """(place, text): each choice; of numbers both ends, and between them those that were tried, or of many round ones."""
        if self.is_choice:
            last = len(self._choices) - 1
            return [(at / last if last else 0.5, text) for at, text in enumerate(self._choices)]
        kept = [(self.place(end), self._text(end)) for end in dict.fromkeys(self._ends)]
        few = len(self._tried) <= FEW_NUMBERS
        for number in (self._tried if few else self._round()) if len(kept) > 1 else ():
            at = self.place(number)
            if all(abs(at - other) >= APART for other, _ in kept):
                kept.append((at, self._text(number)))
        return sorted(kept)

    def _round(self) -> Iterator[float]:
        """Round numbers between the ends."""
        low, high = self._ends
        if self._is_log:
            yield from (10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1))
            return
        rough = (high - low) / (TICKS + 1)
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough)
        yield from (float(f"{step * count:.10g}") for count in range(math.ceil(low / step), math.floor(high / step) + 1))


def chart(
    judged: Sequence[Any],
    names: Mapping[str, str],
    space: Mapping[str, Any],
    choices: Choices,
    objective: tuple[str, str],
    direction: str,
) -> Chart | None:
    """The chart; None where fewer than two trials have a value, or nothing was searched.

    Args:
        judged: trials with a value, the best first: see reports.tuning.Trial.
        names: path -> short name, of all parameters in their order.
        space: path -> what it is drawn from.
        objective: its name, and how it is said with its direction.
        direction: min or max.
    """
    paths = [path for path in names if any(path in trial.values for trial in judged)]
    if len(judged) < 2 or not paths:
        return None
    places = {
        path: Places(
            [trial.values[path] for trial in judged if path in trial.values],
            space.get(path),
            lambda value, path=path: choices.text(path, value),
        )
        for path in paths
    }
    figures = Places([trial.value for trial in judged], None, shown)
    turned = 1 if direction == "max" else -1  # the best is on top, and at the right
    axes = [Axis(path, names[path], of.ticks(), of.is_choice) for path, of in places.items()]
    axes.append(Axis("", objective[0], [(_up(place, turned), text) for place, text in figures.ticks()]))
    points = []
    for rank, trial in enumerate(reversed(judged), 1):  # so that the better are drawn over the others
        known = {"trial": trial.id, "value": trial.value, "strength": (rank / len(judged)) ** 2, "best": rank == len(judged)}
        for path, of in places.items():
            at, told = None, NOT_THERE
            if path in trial.values:
                at, told = of.place(trial.values[path]), choices.text(path, trial.values[path])
            points.append({**known, "parameter": path, "axis": names[path], "place": at, "is": told})
        at = _up(figures.place(trial.value), turned)
        points.append({**known, "parameter": "", "axis": objective[0], "place": at, "is": shown(trial.value)})
    about = (
        f"Each trial is a line from parameter to parameter and on to its {objective[1]}, at the places of its values; the better "
        f"it is, the stronger its colour. The thick line is the best, trial {judged[0].id}."
    )
    about += " Those that ended early are behind those trained to their end." if not all(t.is_whole for t in judged) else ""
    about += " A dotted one leads over what a trial does not have." if any(point["place"] is None for point in points) else ""
    lying = charts.spec(_drawn(points, axes, is_lying=True), about)
    standing = charts.spec(_drawn(points, axes, is_lying=False), about) if len(axes) <= ACROSS else lying
    table = [
        [trial.id, value_of(trial), *(choices.text(path, trial.values[path]) if path in trial.values else "" for path in paths)]
        for trial in judged
    ]
    return Chart("parallel", "Parallel coordinates", about, standing, ("trial", "value", *paths), table, lying)


def _drawn(points, axes: Sequence[Axis], is_lying: bool):
    """The lines and their axes; these lie below each other, or stand side by side."""
    import altair as alt

    order = [axis.path for axis in axes]
    row = {axis.path: number for number, axis in enumerate(axes)}
    (Along, along), (Place, place) = ((alt.Y, "y"), (alt.X, "x")) if is_lying else ((alt.X, "x"), (alt.Y, "y"))
    placed = {
        along: Along("parameter:N", sort=order, axis=None, scale=alt.Scale(type="point", padding=0.5)),
        place: Place("place:Q", axis=None, scale=alt.Scale(domain=[0, 1] if is_lying else [-0.03, UPPER + 0.03], nice=False)),
    }
    ordered = [{**point, "row": row[point["parameter"]]} for point in points]
    lines = alt.Chart(charts.rows(ordered)).encode(
        **placed,
        detail="trial:N",
        order="row:O",
        tooltip=["trial:N", "axis:N", "is:N", alt.Tooltip("value:Q", format=".4f")],
    )
    color = alt.Color("strength:Q", scale=alt.Scale(domain=[0, 1]), legend=None)
    faintest = min(0.8, FAINT / len({point["trial"] for point in points}))
    opacity = alt.Opacity("strength:Q", scale=alt.Scale(domain=[0, 1], range=[faintest, 0.95]), legend=None)
    best = lines.transform_filter("datum.best")
    rails = alt.Chart(charts.rows([{"parameter": axis.path, "place": 0, "to": 1} for axis in axes])).encode(**placed)
    over = lines.transform_filter("datum.place !== null")  # what is missing, to the next that is there
    layers = [
        over.mark_line(strokeWidth=0.8, strokeDash=[2, 3]).encode(color=color, opacity=opacity),
        over.transform_filter("datum.best").mark_line(style="strong", strokeWidth=1.6, strokeDash=[2, 3]),
        rails.mark_rule(style="rail", strokeWidth=2).encode(**{f"{place}2": "to:Q"}),
        lines.mark_line(strokeWidth=1.4).encode(color=color, opacity=opacity),
        best.mark_line(style="beneath", strokeWidth=6, strokeJoin="round"),
        best.mark_line(style="strong", strokeWidth=3, strokeJoin="round"),
        lines.mark_point(size=24, filled=True).encode(color=color, opacity=opacity),
        best.mark_point(style="strong", size=54, filled=True, opacity=1),
        *(_lying_texts(alt, axes, placed) if is_lying else _standing_texts(alt, axes, placed)),
    ]
    return alt.layer(*layers).properties(height=ROW * len(axes) if is_lying else HEIGHT)


def _standing_texts(alt, axes: Sequence[Axis], placed):
    """Names above axes that stand, by turns higher and lower where there are many; ticks at their right."""
    by_turns = len(axes) > WIDE_NAMES
    heights = (LOWER, UPPER) if by_turns else (LOWER, LOWER)
    names = [{"parameter": axis.path, "place": heights[at % 2], "text": axis.name} for at, axis in enumerate(axes)]
    ticks = [{"parameter": axis.path, "place": at, "text": text} for axis in axes for at, text in axis.ticks]
    share = f"width / {len(axes)}"
    told = alt.Chart(charts.rows(ticks)).encode(**placed, text="text:N")
    for style in ("halo", "soft"):
        yield told.mark_text(style=style, align="left", dx=7, fontSize=SMALL, limit=alt.ExprRef(f"{share} - 16"))
    yield (
        alt.Chart(charts.rows(names))
        .encode(**placed, text="text:N")
        .mark_text(style="ink", limit=alt.ExprRef(f"{share} * {2 if by_turns else 1} - 10"))
    )


def _lying_texts(alt, axes: Sequence[Axis], placed):
    """Names above axes that lie, ticks below them."""
    names = [{"parameter": axis.path, "place": 0, "text": axis.name} for axis in axes]
    ticks = [
        {"parameter": axis.path, "place": at, "text": text, "align": ENDS.get(at, "center"), "of": len(shown_ticks)}
        for axis in axes
        for shown_ticks in [_lying_ticks(axis)]
        for at, text in shown_ticks
    ]
    for style in ("halo", "ink"):
        told = alt.Chart(charts.rows(names)).encode(**placed, text="text:N")
        yield told.mark_text(style=style, align="left", dy=-14, limit=alt.ExprRef("width"))
    for style in ("halo", "soft"):
        told = alt.Chart(charts.rows(ticks)).encode(**placed, text="text:N")
        yield told.mark_text(
            style=style, align=alt.ExprRef("datum.align"), dy=14, fontSize=SMALL, limit=alt.ExprRef("width / datum.of - 8")
        )


def _lying_ticks(axis: Axis) -> Sequence[tuple[float, str]]:
    """All, or of many long choices the outer ones, and how many there are."""
    if axis.is_choice and len(axis.ticks) > 2 and sum(len(text) for _, text in axis.ticks) > LYING_CHOICES:
        return [axis.ticks[0], (0.5, words.count(len(axis.ticks), "choice")), axis.ticks[-1]]
    return axis.ticks


def _up(place: float, turned: int) -> float:
    return place if turned > 0 else 1 - place


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

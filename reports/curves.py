"""Curves as one SVG file, of plain points, by the library that draws the pages' charts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports import charts

WIDTH, HEIGHT = 496, 332  # px, inside the axes; the names of the curves stand on the right
COLORS = (*charts.SERIES, "#000000")
DASHES = ([1, 0], [6, 3], [2, 2])  # once the colours are used up
MARKED = 40  # points of a curve up to which each is marked
ROOM = 12  # px between the outer points and the axes


@dataclass(frozen=True)
class Curve:
    """A name, which no other has, and points (x, y); one that is not finite, or not above 0 on a logarithmic axis, is left out."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """What an axis says and how it is divided."""

    name: str
    log: bool = False

    def takes(self, value: float) -> bool:
        """Whether the value has a place on it."""
        return math.isfinite(value) and (value > 0 or not self.log)


def svg(title: str, curves: Sequence[Curve], x: Axis, y: Axis) -> str:
    """A picture of the curves, in their order, with a legend."""
    import altair as alt

    names = [curve.name for curve in curves]
    points = [
        {"curve": curve.name, "x": a, "y": b, "marked": len(curve.points) <= MARKED}
        for curve in curves
        for a, b in curve.points
        if x.takes(a) and y.takes(b)
    ]
    placed = {
        "x": alt.X("x:Q", title=x.name, axis=alt.Axis(format=".6~g"), scale=_scale(x, bool(points))),
        "y": alt.Y("y:Q", title=y.name, axis=alt.Axis(format=".6~g"), scale=_scale(y, bool(points))),
    }
    legend = alt.Legend(title=None, labelLimit=0, symbolType="stroke", symbolSize=400) if names else None
    color = alt.Color(
        "curve:N", legend=legend, scale=alt.Scale(domain=names, range=[COLORS[at % len(COLORS)] for at in range(len(names))])
    )
    dashes = [DASHES[at // len(COLORS) % len(DASHES)] for at in range(len(names))]
    dash = alt.StrokeDash("curve:N", legend=legend, scale=alt.Scale(domain=names, range=dashes))
    drawn = alt.Chart(charts.rows(points), title=title).encode(color=color, **placed)
    layers = [drawn.mark_line(strokeWidth=1.8).encode(strokeDash=dash)]
    if any(point["marked"] for point in points):
        layers.append(drawn.transform_filter("datum.marked").mark_point(filled=True, opacity=1, size=22))
    return charts.svg(alt.layer(*layers, background="white").properties(width=WIDTH, height=HEIGHT).to_dict())


def _scale(axis: Axis, has_points: bool):
    """Altair's; of no points from 0 to 1, or of one power of ten."""
    import altair as alt

    ends = {"padding": ROOM} if has_points else {"domain": [1, 10] if axis.log else [0, 1]}
    return alt.Scale(type="log" if axis.log else "linear", nice=False, **({} if axis.log else {"zero": False}), **ends)

"""Charts of a classifier's report, of what components.reporter.classes and calibration computed."""

from collections.abc import Collection, Mapping, Sequence

import altair as alt
import numpy as np

from components.reporter.calibration import Bin
from components.reporter.classes import Abstention, Curve
from components.reporter.classified import share, with_interval
from reports import charts
from reports.charts import Chart

HEIGHT = 280  # px
LEGEND = alt.Legend(orient="bottom", title=None, columns=3, labelLimit=220)
ENDS, STARTS = (0.05, 0.1, 0.2, 0.5, 1.0), (0.8, 0.5, 0.0)  # of axes that show a corner
TABLE = 12  # points of a curve that its table has


def curves(key: str, title: str, about: str, x: str, y: str, of: Mapping[str, Curve], diagonal: bool) -> Chart:
    """Curves of classes on 0..1 by 0..1, joined as their areas are counted: ROC by lines, precision over recall by steps, each of
    the height of its end (Davis & Goadrich 2006, ICML). of: at most as many as there are colours, by class."""
    points = [
        {"class": name, "x": float(a), "y": float(b), "at": at}
        for name, curve in of.items()
        for at, (a, b) in enumerate(zip(curve.x, curve.y, strict=True))
    ]
    names, ends = list(of), _corner(of.values()) if diagonal else (1.0, 0.0)
    lines = (
        alt.Chart(charts.rows(points))
        .mark_line(strokeWidth=1.8, interpolate="linear" if diagonal else "step-before", clip=True)
        .encode(
            alt.X("x:Q", title=x, scale=alt.Scale(domain=[0, ends[0]])),
            alt.Y("y:Q", title=y, scale=alt.Scale(domain=[ends[1], 1])),
            alt.Color("class:N", legend=LEGEND, scale=alt.Scale(domain=names, range=list(charts.SERIES[: len(names)]))),
            alt.StrokeDash("class:N", legend=LEGEND, scale=alt.Scale(domain=names, range=_dashes(len(names)))),
            order="at:Q",
            tooltip=["class:N", alt.Tooltip("x:Q", title=x, format=".3f"), alt.Tooltip("y:Q", title=y, format=".3f")],
        )
    )
    layers = [_diagonal(), lines] if diagonal and ends == (1.0, 0.0) else [lines]
    about += (
        "" if ends == (1.0, 0.0) else f" Drawn up to {ends[0]:g} of the one and from {ends[1]:g} of the other, where they differ."
    )
    rows = [
        [name, f"{curve.x[at]:.3f}", f"{curve.y[at]:.3f}", with_interval(curve.area)]
        for name, curve in of.items()
        for at in np.unique(np.linspace(0, len(curve.x) - 1, TABLE).astype(int))
    ]
    made = alt.layer(*layers).properties(height=HEIGHT)
    return Chart(key, title, about, charts.spec(made, about), ["class", x, y, "area"], rows)


def reliability(key: str, title: str, about: str, of: Mapping[str, Sequence[Bin]]) -> Chart:
    """Accuracy over confidence, of a model as it is and otherwise: by what it is called."""
    points = [
        {"model": name, "confidence": part.confidence, "accuracy": part.accuracy, "low": part.interval[0], "high": part.interval[1],
         "images": part.images}
        for name, bins in of.items()
        for part in bins
    ]  # fmt: skip
    names, unit = list(of), alt.Scale(domain=[0, 1])
    base = alt.Chart(charts.rows(points)).encode(
        alt.X("confidence:Q", title="mean confidence", scale=unit),
        color=alt.Color("model:N", legend=LEGEND, scale=alt.Scale(domain=names, range=list(charts.SERIES[: len(names)]))),
    )
    said = ["model:N", alt.Tooltip("confidence:Q", format=".3f"), alt.Tooltip("accuracy:Q", format=".3f"), "images:Q"]
    bars = base.mark_rule(strokeWidth=1.4, opacity=0.7).encode(alt.Y("low:Q", title="accuracy", scale=unit), alt.Y2("high:Q"))
    marks = base.mark_point(filled=True, opacity=1).encode(
        alt.Y("accuracy:Q"),
        alt.Size("images:Q", legend=None, scale=alt.Scale(type="sqrt", range=[25, 260])),
        alt.Shape("model:N", legend=LEGEND, scale=alt.Scale(domain=names, range=["circle", "diamond"][: len(names)])),
        tooltip=said,
    )
    rows = [
        [name, f"{part.low:.3f} to {part.high:.3f}", f"{part.images:,}", f"{part.confidence:.3f}", f"{part.accuracy:.3f}",
         f"{part.interval[0]:.3f} to {part.interval[1]:.3f}"]
        for name, bins in of.items()
        for part in bins
    ]  # fmt: skip
    made = alt.layer(_diagonal(), bars, marks).properties(height=HEIGHT)
    columns = ["model", "confidence in", "images", "mean confidence", "accuracy", "95 %"]
    return Chart(key, title, about, charts.spec(made, about), columns, rows)


def abstention(key: str, title: str, about: str, of: Abstention) -> Chart:
    """Accuracy over the share of images that are answered, with its interval."""
    points = [
        {
            "coverage": float(coverage),
            "accuracy": float(accuracy),
            "low": float(low),
            "high": float(high),
            "threshold": share(limit),
        }
        for coverage, accuracy, (low, high), limit in zip(of.coverage, of.accuracy, of.interval, of.threshold, strict=True)
    ]
    low = min((point["low"] for point in points if point["coverage"] >= 0.1), default=0.0)
    base = alt.Chart(charts.rows(points)).encode(
        alt.X("coverage:Q", title="share of images that are answered", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    )
    scale = alt.Scale(domain=[low, 1], clamp=True)
    band = base.mark_area(style="weak", opacity=0.25).encode(
        alt.Y("low:Q", title="accuracy of these", scale=scale, axis=alt.Axis(format=".1%")), alt.Y2("high:Q")
    )
    line = base.mark_line(style="strong", strokeWidth=2).encode(
        alt.Y("accuracy:Q", scale=scale),
        tooltip=[alt.Tooltip("coverage:Q", format=".1%"), alt.Tooltip("accuracy:Q", format=".2%"), alt.Tooltip("threshold:N")],
    )
    at = np.unique(np.linspace(0, len(points) - 1, 2 * TABLE).astype(int))
    rows = [
        [f"{of.coverage[n]:.1%}", f"{of.answered[n]:,}", share(of.threshold[n]), f"{of.accuracy[n]:.2%}",
         f"{of.interval[n][0]:.2%} to {of.interval[n][1]:.2%}"]
        for n in at
    ]  # fmt: skip
    made = alt.layer(band, line).properties(height=HEIGHT)
    return Chart(key, title, about, charts.spec(made, about), ["answered", "images", "from confidence", "accuracy", "95 %"], rows)


def _corner(of: Collection[Curve]) -> tuple[float, float]:
    """Of ROC curves: the rate of false alarms at which all have caught nearly everything, and what all catch from the first ones
    on; (1, 0) where there is no corner to look into."""
    reached = max(float(curve.x[np.argmax(curve.y >= 0.995)]) for curve in of)
    end = next(end for end in ENDS if reached <= end)
    least = min(float(np.interp(0.02 * end, curve.x, curve.y)) for curve in of)
    return (1.0, 0.0) if end == 1 else (end, next(start for start in STARTS if start <= least))


def _diagonal():
    ends = alt.Chart(charts.rows([{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 1.0}]))
    return ends.mark_line(style="rail", strokeDash=[4, 4]).encode(alt.X("x:Q"), alt.Y("y:Q"))


def _dashes(many: int) -> list[list[int]]:
    return [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3]][:many]

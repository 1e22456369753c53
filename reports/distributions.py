"""Charts of how numbers are spread: histograms, boxes, ranks, one against another, and the ROC curve."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports import charts
from reports.charts import Chart

HEIGHT = 240  # px
TABLE = 100  # rows of numbers below a chart, at most; evenly spread where there are more


class Rule(NamedTuple):
    """A value that is marked, and what it is."""

    value: float
    name: str


def histogram(
    key: str, title: str, about: str, rows: Sequence[Mapping[str, Any]], x: str, y: str = "images", rules: Sequence[Rule] = ()
) -> Chart:
    """Bars of rows {low, high, count} or, of several kinds, {group, low, high, count}, over each other; rules stand on them.

    Args:
        x, y: what the axes are called.
    """
    import altair as alt

    groups = list(dict.fromkeys(row["group"] for row in rows if "group" in row))
    base = alt.Chart(charts.rows(rows)).encode(
        alt.X(
            "low:Q",
            bin="binned",
            title=x,
            axis=alt.Axis(format=".3~g", tickCount=6, labelOverlap=True),
            scale=alt.Scale(zero=False, nice=False),
        ),
        alt.X2("high:Q"),
        alt.Y("count:Q", title=y, stack=None, axis=alt.Axis(format="d", tickMinStep=1)),
        tooltip=[
            alt.Tooltip("low:Q", title="from", format=".4~g"),
            alt.Tooltip("high:Q", title="to", format=".4~g"),
            alt.Tooltip("count:Q", title=y),
            *([alt.Tooltip("group:N")] if len(groups) > 1 else []),
        ],
    )
    if len(groups) > 1:
        drawn = base.mark_bar(opacity=0.6, binSpacing=1).encode(_group(groups))
    else:
        drawn = base.mark_bar(style="bar", binSpacing=1)
    spec = charts.spec(alt.layer(drawn, *_rules(rules)).properties(height=HEIGHT), about)
    table = [[f"{row['low']:.4g}", f"{row['high']:.4g}", f"{row['count']:,}", *([row["group"]] if groups else [])] for row in rows]
    return Chart(key, title, about, spec, ("from", "to", y, *(["kind"] if groups else [])), thinned(table))


def boxes(key: str, title: str, about: str, rows: Sequence[Mapping[str, Any]], x: str, y: str) -> Chart:
    """Of rows {name, low, q25, middle, q75, high}: a line from low to high, a bar between the quartiles, a stroke at the median; in
    their order."""
    import altair as alt

    order = [row["name"] for row in rows]
    quantiles = ("low", "q25", "middle", "q75", "high")
    base = alt.Chart(charts.rows(rows)).encode(
        alt.X("name:N", title=x, sort=order, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        tooltip=[alt.Tooltip("name:N", title=x), *(alt.Tooltip(f"{name}:Q", format=".3g") for name in quantiles)],
    )
    value = alt.Y("low:Q", title=y, axis=alt.Axis(format=".3~g"), scale=alt.Scale(zero=False))
    layers = [
        base.mark_rule(style="weak", strokeWidth=1.4).encode(value, alt.Y2("high:Q")),
        base.mark_bar(style="bar", size=9).encode(alt.Y("q25:Q"), alt.Y2("q75:Q")),
        base.mark_tick(style="ink", thickness=2, size=11).encode(alt.Y("middle:Q")),
    ]
    spec = charts.spec(alt.layer(*layers).properties(height=HEIGHT), about)
    table = [[str(row["name"]), *(f"{row[name]:.4g}" for name in quantiles)] for row in rows]
    return Chart(key, title, about, spec, (x, "5 %", "25 %", "median", "75 %", "95 %"), thinned(table))


def ranked(
    key: str, title: str, about: str, values: Sequence[float], names: Sequence[str], x: str, y: str, rules: Sequence[Rule] = ()
) -> Chart:
    """Values in descending order, as an area of steps; `names` of each."""
    import altair as alt

    rows = [
        {"rank": rank, "value": float(value), "name": name} for rank, (value, name) in enumerate(zip(values, names, strict=True), 1)
    ]
    base = alt.Chart(charts.rows(rows)).encode(
        alt.X("rank:Q", title=x, axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        alt.Y("value:Q", title=y, axis=alt.Axis(format=".3~g")),
        tooltip=[alt.Tooltip("name:N", title="which"), "rank:Q", alt.Tooltip("value:Q", title=y, format=".3g")],
    )
    lines = [base.mark_area(style="bar", interpolate="step", opacity=0.25), base.mark_line(style="strong", interpolate="step")]
    spec = charts.spec(alt.layer(*lines, *_rules(rules, "y")).properties(height=HEIGHT), about)
    return Chart(
        key, title, about, spec, ("rank", "which", y), thinned([[str(r["rank"]), r["name"], f"{r['value']:.4g}"] for r in rows])
    )


def against(key: str, title: str, about: str, rows: Sequence[Mapping[str, Any]], x: str, y: str) -> Chart:
    """Dots of rows {x, y, name}, and the diagonal, where both are equal."""
    import altair as alt

    ends = [min(min(row["x"], row["y"]) for row in rows), max(max(row["x"], row["y"]) for row in rows)]
    scale = alt.Scale(domain=ends, nice=False, padding=6)
    axis = alt.Axis(format=".3~g", tickCount=6)
    dots = alt.Chart(charts.rows(rows)).mark_point(style="strong", filled=True, opacity=0.45, size=22)
    dots = dots.encode(
        alt.X("x:Q", title=x, scale=scale, axis=axis),
        alt.Y("y:Q", title=y, scale=scale, axis=axis),
        tooltip=[
            alt.Tooltip("name:N", title="image"),
            alt.Tooltip("x:Q", title=x, format=".4g"),
            alt.Tooltip("y:Q", title=y, format=".4g"),
        ],
    )
    equal = (
        alt.Chart(charts.rows([{"x": end, "y": end} for end in ends]))
        .mark_line(style="rail", strokeWidth=2)
        .encode(x="x:Q", y="y:Q")
    )
    spec = charts.spec(alt.layer(equal, dots).properties(height=320), about)
    return Chart(key, title, about, spec, ("image", x, y), thinned([[r["name"], f"{r['x']:.4g}", f"{r['y']:.4g}"] for r in rows]))


def roc(
    key: str,
    title: str,
    about: str,
    points: Sequence[tuple[float, float]],
    marked: tuple[float, float] | None,
    name: str,
    y: str = "true positive rate",
) -> Chart:
    """A curve of (false positive rate, true positive rate), the diagonal of a guess, and the point where a threshold stands. y: the
    name of another rate in the place of the second."""
    import altair as alt

    def dots(pairs):
        return alt.Chart(charts.rows([{"x": x, "y": y} for x, y in pairs])).encode(
            alt.X("x:Q", title="false positive rate", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".1f", tickCount=5)),
            alt.Y("y:Q", title=y, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".1f", tickCount=5)),
            tooltip=[alt.Tooltip("x:Q", title="false positives", format=".3f"), alt.Tooltip("y:Q", title="found", format=".3f")],
        )

    layers = [
        dots([(0, 0), (1, 1)]).mark_line(style="rail", strokeWidth=2),
        dots(points).mark_line(style="strong", strokeWidth=2.5, order=False),
    ]
    table = [["", f"{x:.4f}", f"{y:.4f}"] for x, y in points]
    if marked is not None:
        layers.append(dots([marked]).mark_point(style="ink", filled=True, size=90))
        layers.append(dots([marked]).mark_text(style="ink", align="left", dx=9, dy=12).encode(text=alt.value(name), tooltip=[]))
        table = [[name, f"{marked[0]:.4f}", f"{marked[1]:.4f}"], *thinned(table)]
    spec = charts.spec(alt.layer(*layers).properties(height=320), about)
    return Chart(key, title, about, spec, ("", "false positive rate", y), table if marked else thinned(table))


def thinned(table: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """At most TABLE rows, evenly spread, the ends among them."""
    if len(table) <= TABLE:
        return list(table)
    return [table[round(step * (len(table) - 1) / (TABLE - 1))] for step in range(TABLE)]


def _group(groups: Sequence[str]):
    import altair as alt

    colours = [charts.SERIES[at % len(charts.SERIES)] for at in range(len(groups))]
    legend = alt.Legend(title=None, orient="top")
    return alt.Color("group:N", legend=legend, scale=alt.Scale(domain=list(groups), range=colours))


def _rules(rules: Sequence[Rule], axis: str = "x") -> list:
    import altair as alt

    if not rules:
        return []
    base = alt.Chart(charts.rows([{"value": float(rule.value), "name": rule.name} for rule in rules]))
    at = alt.X("value:Q") if axis == "x" else alt.Y("value:Q")
    side = {"baseline": "top", "dy": 2} if axis == "x" else {"baseline": "bottom", "dy": -3}
    name = base.mark_text(style="ink", align="left", dx=4, **side)
    placed = {"y": alt.value(0)} if axis == "x" else {"x": alt.value(0)}
    return [
        base.mark_rule(style="ink", strokeDash=[5, 3], strokeWidth=1.5).encode(
            at, tooltip=["name:N", alt.Tooltip("value:Q", format=".4g")]
        ),
        name.encode(at, text="name:N", **placed),
    ]

"""Charts that several sections draw, of plain rows."""

import math
from collections.abc import Mapping, Sequence

from reports import charts
from reports.charts import Chart

TICKS = 10  # at most, of whole numbers on an axis
BAR = 18  # px of a bar and what is between it and the next


def stacked(key: str, title: str, bars: Sequence[tuple[str, str, int]], names: tuple[str, str, str], about: str = "") -> Chart:
    """Bars of counts, a bar a group, its parts side by side, in the order in which they come.

    Args:
        bars: (group, part, count).
        names: what a group, a part and a count are called.
    """
    import altair as alt

    group, part, count = names
    groups, parts = (list(dict.fromkeys(row[place] for row in bars)) for place in (0, 1))
    rows = [{"group": a, "part": b, "count": c, "order": parts.index(b)} for a, b, c in bars]
    about = about or f"{count.capitalize()} by {group}, a bar a {group}, divided by {part}."
    made = (
        alt.Chart(charts.rows(rows))
        .mark_bar()
        .encode(
            alt.Y("group:N", sort=groups, title=None, axis=alt.Axis(labelLimit=160, ticks=False, domain=False)),
            alt.X("sum(count):Q", title=count, axis=alt.Axis(format="~s", tickCount=5)),
            alt.Color("part:N", sort=parts, title=None, legend=alt.Legend(orient="top"), scale=alt.Scale(domain=parts)),
            alt.Order("order:Q"),
            tooltip=[alt.Tooltip("group:N", title=group), alt.Tooltip("part:N", title=part), alt.Tooltip("count:Q", format=",")],
        )
        .properties(height=BAR * len(groups) + 10)
    )
    table = [[a, b, f"{c:,}"] for a, b, c in bars]
    return Chart(key, title, about, charts.spec(made, about), names, table)


def bars(key: str, title: str, shares: Mapping[str, float], names: tuple[str, str], about: str) -> Chart:
    """A bar a name, the longest first, with its value beside it."""
    import altair as alt

    order = sorted(shares, key=lambda name: -shares[name])
    rows = [{"name": name, "value": shares[name], "text": _text(shares[name])} for name in order]
    base = alt.Chart(charts.rows(rows)).encode(
        alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=180, ticks=False, domain=False)),
        alt.X("value:Q", title=names[1], axis=alt.Axis(format="~s", tickCount=5)),
    )
    text = base.mark_text(style="soft", align="left", dx=4).encode(text="text:N")
    made = alt.layer(base.mark_bar(style="bar"), text).properties(height=BAR * len(order) + 10)
    table = [[name, _text(shares[name])] for name in order]
    return Chart(key, title, about, charts.spec(made, about), names, table)


def _text(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


def histogram(key: str, title: str, parts: Mapping[str, Sequence[tuple[float, float, float]]], unit: str, about: str) -> Chart:
    """How values are spread, a line a part, whose area is 1 in each.

    Args:
        parts: name -> (least, most, share of all) of each bucket, in order.
        unit: what the values are.
    """
    import altair as alt

    order, points, table = list(parts), [], []
    for name, buckets in parts.items():
        for low, high, share in buckets:
            if high > low:
                density = share / (high - low)
                points += [
                    {"part": name, "value": at, "density": density, "order": len(points) + n} for n, at in enumerate((low, high))
                ]
                table.append([name, f"{low:.4g}", f"{high:.4g}", f"{share:.4f}"])
    made = (
        alt.Chart(charts.rows(points))
        .mark_line(strokeWidth=2)
        .encode(
            alt.X("value:Q", title=unit, scale=alt.Scale(zero=False, nice=False)),
            alt.Y("density:Q", title="density", axis=alt.Axis(format=".2~g", tickCount=4)),
            alt.Color("part:N", sort=order, title=None, legend=alt.Legend(orient="top"), scale=alt.Scale(domain=order)),
            alt.Order("order:Q"),
            tooltip=["part:N", alt.Tooltip("value:Q", format=".4~g"), alt.Tooltip("density:Q", format=".3~g")],
        )
        .properties(height=180)
    )
    return Chart(key, title, about, charts.spec(made, about), ("split", "from", "to", "share"), table)


def epochs(key: str, title: str, curves: Mapping[str, Sequence[float | None]], about: str, marked: int | None = None) -> Chart:
    """Figures by epoch, a line each.

    Args:
        curves: name -> its value after epochs 1, 2, ...; None or no finite number where there is none.
        marked: an epoch at which a line stands; None: none does.
    """
    import altair as alt

    order = list(curves)
    points = [
        {"curve": name, "epoch": epoch, "value": value}
        for name, values in curves.items()
        for epoch, value in enumerate(values, 1)
        if value is not None and math.isfinite(value)
    ]
    last = max((point["epoch"] for point in points), default=1)
    ticks = [*range(1, last + 1, math.ceil(last / TICKS))]
    base = alt.Chart(charts.rows(points)).encode(
        alt.X("epoch:Q", title="epoch", axis=alt.Axis(values=ticks, format="d"), scale=alt.Scale(zero=False, nice=False)),
        alt.Y("value:Q", title=None, axis=alt.Axis(format=".3~g"), scale=charts.scale([point["value"] for point in points])),
        alt.Color("curve:N", sort=order, title=None, legend=alt.Legend(orient="top"), scale=alt.Scale(domain=order)),
        tooltip=["curve:N", "epoch:Q", alt.Tooltip("value:Q", format=".4f")],
    )
    layers = [base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=18, opacity=1)]
    if marked is not None:
        rule = alt.Chart(charts.rows([{"epoch": marked}])).mark_rule(style="soft", strokeDash=[3, 3]).encode(alt.X("epoch:Q"))
        layers.insert(0, rule)
    table = [[point["curve"], str(point["epoch"]), f"{point['value']:.6g}"] for point in points]
    spec = charts.spec(alt.layer(*layers).properties(height=240), about)
    return Chart(key, title, about, spec, ("figure", "epoch", "value"), table)


def severities(key: str, title: str, curves: Mapping[str, Sequence[float | None]], about: str, what: str) -> Chart:
    """A figure by how much something was done, from 0, a line a name; the names stand below, since there are many.

    Args:
        curves: name -> the figure at 0, 1, ...; None where there is none.
        what: the figure.
    """
    import altair as alt

    from reports import curves as drawn

    order = list(curves)
    points = [
        {"curve": name.replace("_", " "), "severity": at, "value": value}
        for name, values in curves.items()
        for at, value in enumerate(values)
        if value is not None and math.isfinite(value)
    ]
    names = [name.replace("_", " ") for name in order]
    last = max((point["severity"] for point in points), default=1)
    colours = [charts.SERIES[at % len(charts.SERIES)] for at in range(len(names))]
    dashes = [drawn.DASHES[at // len(charts.SERIES) % len(drawn.DASHES)] for at in range(len(names))]
    legend = alt.Legend(orient="bottom", columns=2, title=None, labelLimit=0, symbolType="stroke", symbolSize=300)
    made = (
        alt.Chart(charts.rows(points))
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=22))
        .encode(
            alt.X(
                "severity:Q", title="severity", axis=alt.Axis(values=[*range(last + 1)], format="d"), scale=alt.Scale(nice=False)
            ),
            alt.Y("value:Q", title=what, axis=alt.Axis(format=".3~g"), scale=charts.scale([point["value"] for point in points])),
            alt.Color("curve:N", sort=names, legend=legend, scale=alt.Scale(domain=names, range=colours)),
            alt.StrokeDash("curve:N", sort=names, legend=legend, scale=alt.Scale(domain=names, range=dashes)),
            tooltip=["curve:N", "severity:Q", alt.Tooltip("value:Q", format=".4f")],
        )
        .properties(height=300)
    )
    table = [[point["curve"], str(point["severity"]), f"{point['value']:.6g}"] for point in points]
    return Chart(key, title, about, charts.spec(made, about), ("corruption", "severity", what), table)

"""Images at their places in the plane, by their codes: a chart of a page, or a picture of its own."""

import base64
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports import charts
from reports.charts import Chart

SHAPES = ("circle", "square", "triangle-up", "cross", "diamond", "triangle-down")
MOST_GROUPS = len(SHAPES) * len(charts.SERIES)  # that a colour and a shape tell apart
OTHERS = "others"
HEIGHT = 460  # px
SIDE, THUMBNAIL, MOST_THUMBNAILS = (
    940,
    32,
    400,
)  # px of a picture; px, and how many images are drawn as themselves where there is room
MARGIN = 0.03  # of the span of the places, around them


@dataclass(frozen=True)
class Point:
    """An image on the map.

    Args:
        name: what it is called.
        group: what it is coloured by, such as its class; "" for none.
        picture: of it, a PNG; None: a dot alone.
    """

    x: float
    y: float
    name: str
    group: str = ""
    picture: bytes | None = None


def chart(key: str, title: str, about: str, points: Sequence[Point], axes: tuple[str, str]) -> Chart:
    """Dots; a picture shows where the pointer rests. Its numbers are those of the groups: where each lies, how far it spreads."""
    points, order = grouped(points)
    spec = charts.spec(_dots(points, order, axes, size=46).properties(height=HEIGHT), about)
    return Chart(key, title, about, spec, ("group", "images", "centre", "spread"), [_summary(points, group) for group in order])


def png(points: Sequence[Point], axes: tuple[str, str]) -> bytes:
    """A picture of SIDE px: images as themselves where there is room, dots elsewhere."""
    import altair as alt
    import vl_convert

    points, order = grouped(points)
    dots = _dots(points, order, axes, size=36)
    pictures = [points[at] for at in apart(np.array([[point.x, point.y] for point in points])) if points[at].picture]
    frames = _layer(pictures, order, axes, ("color",)).mark_square(size=(THUMBNAIL + 6) ** 2, opacity=1)
    images = _layer(pictures, order, axes, ()).mark_image(width=THUMBNAIL, height=THUMBNAIL).encode(url="image:N")
    drawn = alt.layer(dots, frames, images) if pictures else dots
    spec = drawn.properties(width=SIDE, height=SIDE, background="white").to_dict()
    return vl_convert.vegalite_to_png(spec, config=charts.THEMES["light"] | {"background": "white"}, allowed_base_urls=[])


def grouped(points: Sequence[Point]) -> tuple[list[Point], list[str]]:
    """Points, those of groups past MOST_GROUPS in one called OTHERS, and the groups' names, as they come: the larger ones stay."""
    counts = Counter(point.group for point in points)
    kept = {group for group, _ in counts.most_common(MOST_GROUPS if len(counts) <= MOST_GROUPS else MOST_GROUPS - 1)}
    named = [point if point.group in kept else replace(point, group=OTHERS) for point in points]
    return named, list(dict.fromkeys([*(group for group in counts if group in kept), *(point.group for point in named)]))


def apart(places: np.ndarray) -> list[int]:
    """Rows of [N, 2], at most MOST_THUMBNAILS, whose thumbnails do not touch in a picture of SIDE px: the first with room."""
    span = np.maximum(np.ptp(places, axis=0), 1e-12) * (1 + 2 * MARGIN)
    at, taken = places / span * SIDE, []
    for row, place in enumerate(at):
        if len(taken) == MOST_THUMBNAILS:
            break
        if not taken or (np.abs(at[taken] - place).max(axis=1) > THUMBNAIL + 6).all():
            taken.append(row)
    return taken


def _dots(points: Sequence[Point], order: Sequence[str], axes: tuple[str, str], size: int):
    import altair as alt

    tooltip = [alt.Tooltip("name:N", title="image"), *([alt.Tooltip("group:N")] if any(order) else [])]
    tooltip += [alt.Tooltip("image:N")] if any(point.picture for point in points) else []
    return _layer(points, order, axes).mark_point(filled=True, opacity=0.8, size=size).encode(tooltip=tooltip)


def _layer(points: Sequence[Point], order: Sequence[str], axes: tuple[str, str], told_by: Collection[str] = ("color", "shape")):
    import altair as alt

    rows = [
        {"x": point.x, "y": point.y, "name": point.name, "group": point.group}
        | ({"image": f"data:image/png;base64,{base64.b64encode(point.picture).decode()}"} if point.picture else {})
        for point in points
    ]
    placed = {
        name: channel(f"{name}:Q", title=title, axis=alt.Axis(format=".3~g", tickCount=6), scale=alt.Scale(zero=False, padding=14))
        for name, channel, title in (("x", alt.X, axes[0]), ("y", alt.Y, axes[1]))
    }
    drawn = alt.Chart(charts.rows(rows)).encode(**placed)
    if not any(order):
        return drawn
    return drawn.encode(**{name: channel for name, channel in _told_apart(order).items() if name in told_by})


def _told_apart(order: Sequence[str]) -> dict:
    """A colour and a shape for each group."""
    import altair as alt

    legend = alt.Legend(title=None, orient="bottom", columns=5, symbolOpacity=1)
    colours = [charts.SERIES[at % len(charts.SERIES)] for at in range(len(order))]
    shapes = [SHAPES[at // len(charts.SERIES) % len(SHAPES)] for at in range(len(order))]
    return {
        "color": alt.Color("group:N", legend=legend, scale=alt.Scale(domain=list(order), range=colours)),
        "shape": alt.Shape("group:N", legend=legend, scale=alt.Scale(domain=list(order), range=shapes)),
    }


def _summary(points: Sequence[Point], group: str) -> list[str]:
    places = np.array([[point.x, point.y] for point in points if point.group == group])
    (x, y), (across, up) = places.mean(0), places.std(0)
    return [group or "all", f"{len(places):,}", f"{x:.3g}, {y:.3g}", f"{across:.3g}, {up:.3g}"]

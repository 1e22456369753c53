"""A chart is an XML file whose curves stand where their numbers say."""

import math
import re
from xml.etree import ElementTree

import pytest

from reports.curves import HEIGHT, MARKED, WIDTH, Axis, Curve, svg

X, Y = Axis("epoch"), Axis("loss")
LINES = re.compile(r'<g class="mark-line role-mark[^>]*>(.*?)</g>', re.DOTALL)
LEAST_LETTER = 4  # px that a letter of a name takes at least, in the mean


def drawn(text: str) -> list[list[tuple[float, float]]]:
    """Places, px from the upper left corner of the axes, of each curve that has any."""
    ElementTree.fromstring(text)  # noqa: S314 our own
    paths = re.findall(r' d="M([-\d.,L]+)Z?"', "".join(LINES.findall(text)))
    return [[tuple(map(float, place.split(","))) for place in path.split("L")] for path in paths]


def marks(text: str) -> int:
    """How many points are marked."""
    parts = re.findall(r'<g class="mark-symbol role-mark[^>]*>(.*?)</g>', text, re.DOTALL)
    return sum(part.count("<path") for part in parts)


def texts(text: str) -> list[str]:
    return [node.text for node in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314


def test_places_are_in_proportion_and_inside_the_axes():
    (places,) = drawn(svg("t", [Curve("a", [(0, 0), (5, 1), (10, 4)])], X, Y))
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.11)
    assert 4 * (places[0][1] - places[1][1]) == pytest.approx(places[0][1] - places[2][1], abs=0.5)
    assert all(0 < a < WIDTH and 0 < b < HEIGHT for a, b in places)
    assert places[0][0] < places[2][0]
    assert places[0][1] > places[2][1]  # more is further up


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors():
    (places,) = drawn(svg("t", [Curve("a", [(1, 0.001), (10, 0.1), (1000, 10)])], Axis("x", log=True), Axis("y", log=True)))
    assert 2 * (places[1][0] - places[0][0]) == pytest.approx(places[2][0] - places[1][0], abs=0.3)
    assert places[0][1] - places[1][1] == pytest.approx(places[1][1] - places[2][1], abs=0.2)


def test_curves_share_the_axes_and_have_names_and_different_strokes():
    text = svg("t", [Curve(f"arm {n}", [(0, n), (1, n)]) for n in range(9)], X, Y)
    assert len({places[0][1] for places in drawn(text)}) == 9
    assert [f"arm {n}" for n in range(9)] == [said for said in texts(text) if said.startswith("arm")]
    strokes = re.findall(r'stroke="(#\w+)" [^>]*stroke-dasharray="([\d,]+)"', "".join(LINES.findall(text)))
    assert len(strokes) == len(set(strokes)) == 9


@pytest.mark.parametrize("curves", [[], [Curve("a", [])], [Curve("a", [(3, 7)])], [Curve("a", [(1, 2), (2, 2)])]], ids=len)
@pytest.mark.parametrize("log", [False, True])
def test_there_is_a_picture_of_little(curves, log):
    text = svg("t", curves, Axis("x", log), Axis("y", log))
    assert "nan" not in text.lower()
    assert float(ElementTree.fromstring(text).get("width")) < 2 * WIDTH  # noqa: S314 our own
    assert len(drawn(text)) == sum(bool(curve.points) for curve in curves)


def test_what_has_no_place_is_left_out():
    points = [(1, 1), (2, math.nan), (3, math.inf), (4, 0), (5, 2)]
    assert len(drawn(svg("t", [Curve("a", points)], X, Y))[0]) == 3
    assert len(drawn(svg("t", [Curve("a", points)], X, Axis("y", log=True)))[0]) == 2


def test_names_cannot_break_the_file():
    text = svg("<script>&", [Curve('"<b>', [(0, 1)])], Axis("x & y"), Axis("</svg>"))
    assert {"<script>&", '"<b>', "x & y", "</svg>"} <= set(texts(text))


def test_there_is_room_for_every_name():
    for name in ("a", "relu, pixels 0 to 255, rate 1e-4" * 2):
        text = svg("t", [Curve(name, [(0, 1)])], X, Y)
        width = float(ElementTree.fromstring(text).get("width"))  # noqa: S314 our own
        assert name in texts(text)
        assert WIDTH + LEAST_LETTER * len(name) < width < WIDTH + 7 * len(name) + 150


def test_ticks_are_round_numbers():
    said = [
        float(s) for s in texts(svg("t", [Curve("a", [(0, 0.1), (150, 0.9)])], Axis("x"), Axis("y"))) if re.fullmatch(r"[\d.]+", s)
    ]
    assert {0, 50, 100, 150} <= set(said)
    assert {0.2, 0.4, 0.6, 0.8} <= set(said)
    powers = texts(svg("t", [Curve("a", [(1, 1e-6), (2, 1e3)])], Axis("x"), Axis("y", log=True)))
    assert {"0.001", "1", "1000"} <= set(powers)


def test_few_points_are_marked_and_many_are_not():
    few, many = (svg("t", [Curve("a", [(n, n) for n in range(count)])], X, Y) for count in (MARKED, MARKED + 1))
    assert (marks(few), marks(many)) == (MARKED, 0)

"""Charts are Vega-Lite that draws what it is given, in both themes, and a page of them needs nothing else."""

import math
import re
from xml.etree import ElementTree

import altair as alt
import pytest

from reports import charts, vega


def line(points):
    chart = alt.Chart(charts.rows([{"x": x, "y": y} for x, y in points])).mark_line(style="strong", point=True)
    return charts.spec(chart.encode(alt.X("x:Q"), alt.Y("y:Q")), "y of x")


def test_a_specification_says_what_it_shows_and_leaves_colours_to_the_theme():
    made = line([(1, 2.0), (2, 3.0)])
    assert (made["description"], made["width"]) == ("y of x", "container")
    assert "config" not in made
    assert not re.search("#[0-9a-f]{6}", str(made))


def test_a_number_that_is_not_finite_is_none():
    made = line([(1, math.nan), (2, -math.inf), (3, 3.0)])
    [held] = made["datasets"].values() if "datasets" in made else [made["data"]["values"]]
    assert [row["y"] for row in held] == [None, None, 3.0]


@pytest.mark.parametrize("theme", charts.THEMES)
def test_both_themes_draw_it_in_their_colours(theme):
    drawn = charts.svg(line([(1, 2.0), (2, 3.0)]) | {"width": 300}, theme)
    ElementTree.fromstring(drawn)  # noqa: S314 our own
    assert charts.THEMES[theme]["style"]["strong"]["stroke"] in drawn


def test_the_themes_say_the_same_things():
    light, dark = charts.THEMES.values()
    assert light["style"].keys() == dark["style"].keys()
    for style in light["style"]:
        assert light["style"][style] != dark["style"][style]


@pytest.mark.parametrize(
    ("values", "kind"),
    [([0.001, 0.5], "log"), ([0.5, 0.9], None), ([-1.0, 900.0], None), ([0.0, 900.0], None), ([], None), ([math.inf, 1.0], None)],
)
def test_an_axis_is_logarithmic_where_numbers_span_two_powers_of_ten(values, kind):
    assert charts.scale(values).to_dict().get("type") == kind


def test_the_libraries_are_those_that_are_installed():
    assert charts.libraries() == vega.bundled(), ".venv/bin/python -m reports.vega writes them anew"


def test_the_libraries_cannot_end_their_script():
    assert "</script" not in charts.libraries().lower()
    assert "vegaEmbed" in charts.libraries()

"""Charts of distributions hold the numbers that they were given, in the picture and in the table."""

import pytest

from reports import charts, distributions
from reports.distributions import Rule


def rows(spec):
    return [row for values in spec["datasets"].values() for row in values]


def test_a_histogram_has_its_bins_its_kinds_and_its_rule():
    bins = [{"group": "a", "low": 0.0, "high": 1.0, "count": 3}, {"group": "b", "low": 1.0, "high": 2.0, "count": 4}]
    made = distributions.histogram("h", "Scores", "About.", bins, "score", rules=[Rule(1.5, "threshold")])
    held = rows(made.spec)
    assert [row for row in held if "count" in row] == bins
    assert {"value": 1.5, "name": "threshold"} in held
    assert made.rows == [["0", "1", "3", "a"], ["1", "2", "4", "b"]]
    assert made.spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["a", "b"]
    assert made.spec["layer"][0]["encoding"]["x"]["bin"] == "binned", "otherwise bars are strokes"


def test_one_kind_has_no_colours():
    made = distributions.histogram("h", "Errors", "About.", [{"low": 0.0, "high": 1.0, "count": 3}], "error")
    assert "color" not in made.spec["layer"][0]["encoding"]
    assert made.columns == ("from", "to", "images")


def test_a_long_table_is_thinned_and_the_picture_is_not():
    values = [float(value) for value in range(1000, 0, -1)]
    made = distributions.ranked("r", "Use", "About.", values, [f"unit {at}" for at in range(1000)], "rank", "share")
    assert len([row for row in rows(made.spec) if "rank" in row]) == 1000
    assert len(made.rows) == distributions.TABLE
    assert (made.rows[0], made.rows[-1]) == (["1", "unit 0", "1000"], ["1000", "unit 999", "1"])


def test_the_curve_s_table_begins_where_the_threshold_stands():
    made = distributions.roc("c", "ROC", "About.", [(0, 0), (0.1, 0.9), (1, 1)], (0.1, 0.9), "threshold")
    assert made.rows[0] == ["threshold", "0.1000", "0.9000"]
    assert len(made.rows) == 4
    assert distributions.roc("c", "ROC", "About.", [(0, 0), (1, 1)], None, "").rows[0][0] == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_is_drawn(theme):
    box = {"name": "7", "low": -2.0, "q25": -1.0, "middle": 0.0, "q75": 1.0, "high": 2.0}
    drawn = [
        distributions.histogram("h", "H", "A.", [{"low": 0.0, "high": 1.0, "count": 3}], "x", rules=[Rule(0.5, "here")]),
        distributions.boxes("b", "B", "A.", [box], "unit", "value"),
        distributions.ranked("r", "R", "A.", [2.0, 1.0], ["a", "b"], "rank", "share", [Rule(1.5, "there")]),
        distributions.against("a", "A", "A.", [{"x": 1.0, "y": 2.0, "name": "<i>"}, {"x": 2.0, "y": 1.0, "name": "b"}], "x", "y"),
        distributions.roc("c", "C", "A.", [(0.0, 0.0), (0.2, 0.8), (1.0, 1.0)], (0.2, 0.8), "threshold"),
    ]
    for chart in drawn:
        picture = charts.svg({**chart.spec, "width": 300}, theme)
        assert picture.count("<path") > 5, chart.key
    assert "threshold" in charts.svg({**drawn[-1].spec, "width": 300}, theme)

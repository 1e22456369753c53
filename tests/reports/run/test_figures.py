"""Numbers as a page says them, and charts of plain rows."""

import math

import pytest

from reports.run import drawings, figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97493, "0.9749"),
        (0.000123456, "0.0001235"),
        (0.0, "0.0000"),
        (12345, "12,345"),
        (None, ""),
        (True, "True"),
        (-0.5, "-0.5000"),
    ],
)
def test_figures(value, text):
    assert figures.figure(value) == text


def test_counts_times_and_sizes_have_their_units():
    assert [figures.short(count) for count in (0, 999, 61_706, 1_234_567, None)] == ["0", "999", "61.7 k", "1.23 M", "?"]
    assert [figures.seconds(s) for s in (0.04, 99.94, 125, 7260)] == ["0.0 s", "99.9 s", "2 min 5 s", "2 h 1 min"]
    assert [figures.bytes_(many) for many in (12, 3_200_000)] == ["12 B", "3.2 MB"]
    assert (figures.interval([0.9, 1.0]), figures.interval(None)) == ("0.9000 to 1.0000", "")


def data(chart) -> list[dict]:
    return [row for rows in chart.spec["datasets"].values() for row in rows]


def test_curves_leave_out_what_is_no_number_and_the_table_has_the_rest():
    made = drawings.epochs("k", "Loss", {"training": [2.0, math.nan, 1.0], "validation": [None, 1.5]}, "about", marked=3)
    points = [row for row in data(made) if "curve" in row]
    assert [(row["curve"], row["epoch"], row["value"]) for row in points] == [
        ("training", 1, 2.0), ("training", 3, 1.0), ("validation", 2, 1.5),
    ]  # fmt: skip
    assert [*made.rows] == [["training", "1", "2"], ["training", "3", "1"], ["validation", "2", "1.5"]]
    assert {"epoch": 3} in data(made)


def test_a_histogram_has_an_area_of_1_in_each_part_whatever_its_buckets():
    parts = {"train": [(0.0, 10.0, 0.5), (10.0, 30.0, 0.5)], "test": [(5.0, 5.0, 0.0), (5.0, 9.0, 1.0)]}
    made = drawings.histogram("k", "t", parts, "px", "about")
    rows = data(made)
    for part, buckets in (("train", 2), ("test", 1)):
        ends = [(row["value"], row["density"]) for row in rows if row["part"] == part]
        area = sum((high - low) * density for (low, density), (high, _) in zip(ends[::2], ends[1::2], strict=True))
        assert (len(ends), area) == (2 * buckets, pytest.approx(1))
    assert [*made.rows] == [["train", "0", "10", "0.5000"], ["train", "10", "30", "0.5000"], ["test", "5", "9", "1.0000"]]


def test_bars_stand_in_the_order_in_which_they_come():
    made = drawings.stacked("k", "t", [("b", "train", 3), ("a", "train", 2), ("b", "test", 1)], ("class", "split", "images"))
    assert made.spec["encoding"]["y"]["sort"] == ["b", "a"]
    assert [*made.rows] == [["b", "train", "3"], ["a", "train", "2"], ["b", "test", "1"]]
    longest = drawings.bars("k", "t", {"small": 1.0, "large": 5.0}, ("layer", "parameters"), "about")
    assert [row[0] for row in longest.rows] == ["large", "small"]

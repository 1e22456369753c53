"""Maps of codes: what is told apart, what has room, and pictures whose colours are looked at."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from reports import code_map
from reports.code_map import Point
from serving import formats

AXES = ("principal component 1", "principal component 2")


def points(groups, picture=None):
    random = np.random.default_rng(0)
    return [Point(*map(float, random.standard_normal(2)), f"image {at}", group, picture) for at, group in enumerate(groups)]


def rows(spec):
    return [row for values in spec["datasets"].values() for row in values]


def test_each_point_is_there_with_its_name_group_and_picture():
    small = formats.png(np.full((4, 4, 1), 200, np.uint8))
    made = code_map.chart("codes", "A map", "What it shows.", points(["a", "b", "a"], small), AXES)
    assert [(row["name"], row["group"]) for row in rows(made.spec)] == [("image 0", "a"), ("image 1", "b"), ("image 2", "a")]
    assert all(row["image"].startswith("data:image/png;base64,") for row in rows(made.spec))
    assert made.spec["encoding"]["x"]["title"] == AXES[0]
    assert [row[:2] for row in made.rows] == [["a", "2"], ["b", "1"]]
    json.dumps(made.spec)


def test_no_two_groups_look_alike_and_the_smallest_are_others():
    names = [f"class {at}" for at in range(40)]
    groups = [name for at, name in enumerate(names) for _ in range(1 + (at < 35))]
    told, order = code_map.grouped(points(groups))
    assert order == [*names[:35], code_map.OTHERS]
    assert sum(point.group == code_map.OTHERS for point in told) == 5
    scales = code_map.chart("codes", "A map", "", points(groups), AXES).spec["encoding"]
    looks = list(zip(scales["color"]["scale"]["range"], scales["shape"]["scale"]["range"], strict=True))
    assert len(set(looks)) == len(looks) == code_map.MOST_GROUPS
    assert scales["color"]["scale"]["domain"] == scales["shape"]["scale"]["domain"] == order
    assert code_map.grouped(points(names[:36]))[1] == names[:36]


def test_one_group_without_a_name_has_no_legend():
    spec = code_map.chart("codes", "A map", "", points([""] * 3), AXES).spec
    assert {"color", "shape"}.isdisjoint(spec["encoding"])


def test_thumbnails_do_not_touch():
    places = np.random.default_rng(0).random((500, 2))
    rows = code_map.apart(places)
    at = places[rows] / (np.ptp(places, axis=0) * (1 + 2 * code_map.MARGIN)) * code_map.SIDE
    distances = np.abs(at[:, None] - at[None]).max(2) + np.diag(np.full(len(at), np.inf))
    assert distances.min() > code_map.THUMBNAIL
    assert rows[0] == 0
    assert 50 < len(rows) < 500
    assert code_map.apart(np.zeros((4, 2))) == [0]


def test_the_picture_shows_dots_in_their_colours_and_images_where_there_is_room():
    pink = formats.png(np.full((8, 8, 3), (255, 0, 200), np.uint8))
    with Image.open(io.BytesIO(code_map.png(points(["a", "b"] * 20, pink), AXES))) as picture:
        seen = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    assert (np.abs(seen - (255, 0, 200)).max(1) < 8).sum() > 5 * code_map.THUMBNAIL**2
    for colour in code_map.charts.SERIES[:2]:
        wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(seen - wanted).max(1) < 8).sum() > 100, colour
    assert (seen > 250).all(1).mean() > 0.5


@pytest.mark.parametrize("groups", [["</script><b>", "x"]])
def test_markup_in_a_name_is_a_name(groups):
    spec = code_map.chart("codes", "A map", "", points(groups), AXES).spec
    assert {row["group"] for row in rows(spec)} == set(groups)

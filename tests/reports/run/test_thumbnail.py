"""The small picture of a run is of what its page shows, and small."""

import io

import numpy as np
import pytest
from PIL import Image

from reports.run import thumbnail
from reports.run.blocks import Cell, Picture, Pictures, Prose, Section, Table


def section(*blocks) -> Section:
    return Section("a", "A", "", blocks)


def picture(width: int, height: int, seed: int = 0) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 8, (height, width, 3), np.uint8) * 32
    into = io.BytesIO()
    Image.fromarray(pixels).save(into, "PNG")
    return Picture(into.getvalue(), "png", "", "")


def matrix(size: int) -> Table:
    rows = [[Cell("class"), *(Cell("1", 1.0) if at == row else Cell("") for at in range(size))] for row in range(size)]
    return Table(["label", *map(str, range(size))], rows, "a matrix")


def opened(encoded: bytes) -> Image.Image:
    return Image.open(io.BytesIO(encoded))


def test_a_matrix_is_drawn_cell_by_cell():
    shaded = Table(("what", "how far"), [["a", Cell("0.2", 1.0)]], "no matrix")
    made = opened(thumbnail.of([section(Prose("a"), shaded), section(picture(9, 9)), section(matrix(10))]))
    assert made.size == (30, 30)
    opacity = np.asarray(made)[1::3, 1::3, 3]
    np.testing.assert_array_equal(opacity, np.where(np.eye(10), 255, round(255 * thumbnail.FAINT)))


def test_of_a_gallery_as_many_pictures_as_fit():
    gallery = Pictures([picture(16, 16, seed) for seed in range(9)], "")
    made = opened(thumbnail.of([section(Prose("a"), Pictures([], ""), gallery)]))
    assert made.size == (5 * 16 + 4 * thumbnail.GAP, 16)
    first = np.asarray(opened(gallery.pictures[0].data))
    np.testing.assert_array_equal(np.asarray(made)[:, :16, :3], first)


@pytest.mark.parametrize("size", [(1200, 900), (600, 40), (40, 600)])
def test_whatever_a_page_shows_it_stays_small(size):
    encoded = thumbnail.of([section(picture(*size), picture(*size, 1))])
    assert len(encoded) <= thumbnail.BYTES
    made = opened(encoded)
    assert made.width <= thumbnail.WIDTH
    assert made.height <= thumbnail.HEIGHT


def test_of_a_page_without_pictures_there_is_none():
    assert thumbnail.of([section(Prose("a"), Table(("a",), [], ""))]) is None
    assert thumbnail.of([]) is None

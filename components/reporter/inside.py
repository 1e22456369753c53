"""What methods of looking inside a network answer (keras_models.explain), as blocks of a page."""

import dataclasses
import itertools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from keras_models.explain.base import Answer, Strip, Tile
from reports import heat
from reports.run.blocks import Block, Picture, Pictures, Prose, Section, Table

SINGLE, GRID = (96, 192), (48, 64)  # px of the longer side, at least and at most, of a picture alone and of one in a grid
COLUMNS = 16
FEW = 8  # pictures that a grid shows as large as single ones
LONGEST = 14  # letters of an id
SHARP = 48  # px; what is no longer is kept without loss, since each of its pixels is seen


def section(name: str, method: ModuleType, answer: Answer) -> Section:
    """A method's answer under its heading: what it can tell and what it cannot, its pictures, its figures.

    Args:
        name: of the method, the section's key.
    """
    about = f"{method.TELLS} What it hides: {method.HIDES} ({method.PAPER})"
    return Section(name.replace("_", "-"), method.TITLE, about, list(blocks(answer, method.TITLE)))


def blocks(answer: Answer, title: str) -> Iterator[Block]:
    """Its strips, then its notes, then its figures. Pairs, such as of an image and what mattered in it, are one gallery."""
    if len(answer.strips) > 1 and all([len(tile.values) for tile in strip.tiles] == [1, 1] for strip in answer.strips):
        yield Pictures([each for strip in answer.strips for each in _pair(strip)], title)
    else:
        for strip in answer.strips:
            yield from _strip(strip)
    for note in answer.notes:
        yield Prose(note)
    if answer.figures:
        columns = list(dict.fromkeys(column for row in answer.figures for column in row))
        rows = [[cell(row.get(column)) for column in columns] for row in answer.figures]
        yield Table(columns, rows, f"Figures of “{title}”", folded=len(rows) > COLUMNS)


def _pair(strip: Strip) -> Iterator[Picture]:
    """The first is called what the strip is."""
    first, second = (picture(tile, strip.caption) for tile in strip.tiles)
    yield dataclasses.replace(first, caption=strip.caption)
    yield second


def _strip(strip: Strip) -> Iterator[Block]:
    """Tiles in their order: those of one picture that follow each other are a gallery, a grid stands alone."""
    caption = strip.caption
    for is_single, tiles in itertools.groupby(strip.tiles, lambda tile: len(tile.values) == 1):
        pictures = [picture(tile, strip.caption) for tile in tiles]
        if is_single:
            yield Pictures(pictures, caption)
            caption = ""  # it stands above the first alone
        else:
            yield from pictures


def picture(tile: Tile, of: str, form: str = "webp") -> Picture:
    """A tile as one picture: a grid where it has several.

    Args:
        of: what its strip is of, for whoever does not see it.
    """
    numbers = f"; numbers {', '.join(tile.captions)}" if len(tile.values) > 1 and 0 < len(tile.captions) <= COLUMNS else ""
    caption = tile.caption + numbers
    said = caption if of == tile.caption else f"{of}: {caption}"
    is_exact = max(tile.values.shape[1:3]) <= SHARP
    return Picture(heat.encoded(drawn(tile), form, is_exact), form, said, caption)


def drawn(tile: Tile) -> np.ndarray:
    """uint8 [height, width, 3]."""
    pictures, sizes = [], SINGLE if len(tile.values) <= FEW else GRID
    for values in tile.values:
        coloured = heat.coloured(values, tile.kind) if tile.over is None else heat.laid_over(values, tile.kind, tile.over)
        made, scale = heat.sized(coloured, *sizes)
        pictures.append(heat.framed(made, tile.box, scale) if tile.box is not None else made)
    return pictures[0] if len(pictures) == 1 else heat.grid(pictures, COLUMNS)


def called(name: str, label: str = "") -> str:
    """What an image is called under a picture: its class, and of a long id the end, which tells it from others."""
    short = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
    return f"{label} {short}" if label else short


def cell(value: Any) -> str:
    """A figure as a person reads it: three digits; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)

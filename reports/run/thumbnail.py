"""A small picture of a run, by which a person knows it among others: of what its page shows already."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from reports.run import page
from reports.run.blocks import Picture, Pictures, Section, Table

WIDTH, HEIGHT = 96, 32  # px at most
BYTES = 4_000  # what is larger is drawn smaller
GAP = 2  # px between pictures, through which the page is seen
INK = (31, 119, 180)  # of the cells of a matrix, told from both a light and a dark page
FAINT = 0.12  # opacity of an empty cell
QUALITIES = (70, 40, 10)  # of WebP, 0..100


def of(sections: Sequence[Section]) -> bytes | None:
    """A WebP of at most WIDTH by HEIGHT px and BYTES: the first table that is shaded as a matrix is, or else the first pictures of
    the first gallery, side by side; None where there is neither."""
    blocks = [block for section in sections for block in section.blocks]
    for block in blocks:
        if isinstance(block, Table) and (shades := _shades(block)) is not None:
            return _encoded(_matrix(shades))
    for block in blocks:
        if pictures := [block] if isinstance(block, Picture) else block.pictures if isinstance(block, Pictures) else ():
            return _encoded(_strip(pictures))
    return None


def _shades(table: Table) -> np.ndarray | None:
    """float64 [n, n] in 0..1 of a table whose rows and columns are the same things; None of any other."""
    shades = [[page.cell(value).shade for value in row[1:]] for row in table.rows]
    if len(shades) < 2 or len(table.columns) != len(shades) + 1 or not any(shade for row in shades for shade in row):
        return None
    return np.array([[shade or 0.0 for shade in row] for row in shades])


def _matrix(shades: np.ndarray) -> Image.Image:
    opacity = np.rint(255 * (FAINT + (1 - FAINT) * np.clip(shades, 0, 1))).astype(np.uint8)
    cells = np.concatenate([np.broadcast_to(np.uint8(INK), (*shades.shape, 3)), opacity[..., None]], -1)
    factor = max(1, HEIGHT // len(shades))
    return Image.fromarray(cells).resize((factor * len(shades),) * 2, Image.Resampling.NEAREST)


def _strip(pictures: Sequence[Picture]) -> Image.Image:
    shown = list(_fitting(pictures))
    made = Image.new("RGBA", (sum(image.width + GAP for image in shown) - GAP, max(image.height for image in shown)))
    at = 0
    for image in shown:
        made.paste(image, (at, 0))
        at += image.width + GAP
    return made


def _fitting(pictures: Sequence[Picture]) -> Iterator[Image.Image]:
    """The first ones, as far as they have room beside each other; always one."""
    left = WIDTH
    for picture in pictures:
        with Image.open(io.BytesIO(picture.data)) as opened:
            image = opened.convert("RGBA")
        image.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        if left < WIDTH and image.width > left:
            return
        yield image
        left -= image.width + GAP


def _encoded(image: Image.Image) -> bytes | None:
    """None where it is too large however it is written."""
    for options in ({"lossless": True}, *({"quality": quality} for quality in QUALITIES)):
        into = io.BytesIO()
        image.save(into, "WEBP", method=6, **options)
        if into.tell() <= BYTES:
            return into.getvalue()
    return None

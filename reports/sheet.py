"""Pictures side by side on one white sheet, so that a person sees them at a glance."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from serving import formats

SHOWN = 96  # px: smaller images are enlarged by a whole factor
LARGEST = 256  # px: larger images are reduced
GAP, CAPTION = 6, 20  # px between pictures, px of a line of text


class Block(NamedTuple):
    """Images of one size that belong together, the first a little apart: uint8 [height, width, 1 or 3] each."""

    caption: str
    images: Sequence[np.ndarray]


def sheet(blocks: Sequence[Block], columns: int, least: int = 2 * SHOWN):
    """A Pillow image of all blocks, row by row, captions below.

    Args:
        blocks: of as many images, of the same size, as the first.
        least: px that a block is wide, for the caption's sake.
    """
    from PIL import Image, ImageDraw, ImageFont

    width, height = _small(blocks[0].images[0]).size
    block = (max(len(blocks[0].images) * (width + GAP), least) + 2 * GAP, height + CAPTION + 2 * GAP)
    made = Image.new("RGB", (GAP + columns * block[0], GAP + -(-len(blocks) // columns) * block[1]), "white")
    draw, font = ImageDraw.Draw(made), ImageFont.load_default(12)
    for at, part in enumerate(blocks):
        left, top = GAP + at % columns * block[0], GAP + at // columns * block[1]
        for number, image in enumerate(part.images):
            made.paste(_small(image), (left + number * (width + GAP) + (GAP if number else 0), top))
        draw.text((left, top + height + 3), fitting(draw, font, part.caption, block[0] - 2 * GAP), fill="black", font=font)
    return made


def picture(image: np.ndarray):
    """A Pillow image, small ones enlarged without smoothing."""
    from PIL import Image

    made = formats.pillow(image)
    factor = max(1, SHOWN // max(made.size))
    return made.resize((made.width * factor, made.height * factor), Image.Resampling.NEAREST)


def _small(image: np.ndarray):
    made = picture(image)
    made.thumbnail((LARGEST, LARGEST))
    return made


def fitting(draw, font, text: str, width: int) -> str:
    """As much of the text as is at most `width` px wide."""
    text = os.fsencode(text).decode(errors="replace")  # names of files may hold any byte
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(text + "...", font=font) > width:
        text = text[:-1]
    return text + "..."

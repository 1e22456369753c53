"""Small pictures side by side as one, so that they stay together on a page: before and after, a way from here to there."""

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image

from reports.run.blocks import Picture

TILE = 64  # px: what is smaller is enlarged by a whole factor, up to that
LARGEST = 96  # px: what is larger is reduced
GAP = 3  # px between tiles, through which the page is seen
QUALITY = 80  # of WebP, 0..100


def strip(tiles: Sequence[np.ndarray], alt: str, caption: str = "", mark: Literal["", "good", "bad"] = "") -> Picture:
    """Images [height, width, 1 or 3] in 0..255, of one size, from left to right; what lies outside is cut off, no number is 0."""
    small = [_tile(tile) for tile in tiles]
    width, height = small[0].size
    made = Image.new("RGBA", (len(small) * (width + GAP) - GAP, height))
    for at, tile in enumerate(small):
        made.paste(tile, (at * (width + GAP), 0))
    into = io.BytesIO()
    is_whole = max(tiles[0].shape[:2]) <= TILE  # each of its pixels is seen
    made.save(into, "WEBP", lossless=is_whole, quality=QUALITY, method=4)
    return Picture(into.getvalue(), "webp", alt, caption, mark)


def signed(values: np.ndarray, largest: float | None = None) -> np.ndarray:
    """Numbers of both signs as pixels in 0..255: 0 is middle grey, `largest` white, its negative black; None: that of these."""
    reach = float(np.abs(values).max()) if largest is None else largest
    return 127.5 * (1 + values / (reach or 1.0))


def _tile(pixels: np.ndarray) -> Image.Image:
    whole = np.clip(np.nan_to_num(np.asarray(pixels, np.float64)), 0, 255).round().astype(np.uint8)
    image = Image.fromarray(whole[..., 0] if whole.shape[-1] != 3 else whole)
    factor = TILE // max(image.size)
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    image.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return image.convert("RGBA")

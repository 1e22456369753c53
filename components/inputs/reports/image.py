"""How images are seen on a page: thumbnails of what ExampleGen kept, and of arrays."""

import io
from typing import Literal

import numpy as np
from PIL import Image

from reports.run.blocks import Picture

SIDE = 96  # px, of the longer side at most
QUALITY = 80  # of WebP, 0..100
SHARP = 48  # px; what is no longer is kept without loss, since each of its pixels is seen


def thumbnail(encoded: bytes, alt: str, caption: str = "", mark: Literal["", "good", "bad"] = "", side: int = SIDE) -> Picture:
    """Of an encoded image, such as ExampleGen keeps."""
    with Image.open(io.BytesIO(encoded)) as opened:
        opened.draft("RGB", (side, side))
        shown = opened if opened.mode in ("L", "RGB", "RGBA") else opened.convert("RGB" if opened.mode != "1" else "L")
        shown.load()
        return Picture(_written(_shrunk(shown, side)), "webp", alt, caption, mark)


def of_pixels(pixels: np.ndarray, alt: str, caption: str = "", mark: Literal["", "good", "bad"] = "", side: int = SIDE) -> Picture:
    """Of pixels [height, width, channels] or [height, width] in 0..255; what lies outside is cut off, what is no number is 0."""
    whole = np.clip(np.nan_to_num(np.asarray(pixels, dtype=np.float64)), 0, 255).round().astype(np.uint8)
    if whole.ndim == 3 and whole.shape[2] == 1:
        whole = whole[:, :, 0]
    if whole.ndim == 3 and whole.shape[2] == 2:
        whole = whole[:, :, 0]
    return Picture(
        _written(_shrunk(Image.fromarray(whole[..., :4] if whole.ndim == 3 else whole), side)), "webp", alt, caption, mark
    )


def properties(pixels: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """What images are like, float64 [N] each; NaN where that is not known.

    Args:
        pixels: [N, height, width, channels] in 0..255, as the model gets them.
        sizes: int [N, 2], height and width before they were resized, px; 0 of what has none.

    Returns:
        brightness: the mean of their values in 0..255. contrast: the standard deviation of these. size: the square root of height
        times width, px. aspect: width over height.
    """
    values = pixels.reshape(len(pixels), -1)
    height, width = np.where(sizes > 0, sizes, np.nan).astype(np.float64).T
    return {
        "brightness": values.mean(1, dtype=np.float64),
        "contrast": values.std(1, dtype=np.float64),
        "size": np.sqrt(height * width),
        "aspect": width / height,
    }


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    if max(image.size) <= side:
        return image
    image = image.copy()
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _written(image: Image.Image) -> bytes:
    into = io.BytesIO()
    image.save(into, "WEBP", quality=QUALITY, lossless=max(image.size) <= SHARP, method=4)
    return into.getvalue()

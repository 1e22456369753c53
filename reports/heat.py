"""Numbers as colours: maps, filters and what mattered, as pictures. Colours are Okabe & Ito's, fit for the colour-blind."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

POSITIVE, NEGATIVE, NOTHING = (0, 114, 178), (213, 94, 0), (255, 255, 255)  # of signed numbers
RAMP = ((0, 0, 0), (0, 114, 178), (86, 180, 233), (240, 228, 66), (255, 255, 255))  # of strengths, from 0 to the largest
FRAME = (213, 94, 0)
GAP = 2  # px between pictures of a grid
GROUND = (128, 128, 128)
QUALITY = 85  # of WebP with loss


def coloured(values: np.ndarray, kind: str) -> np.ndarray:
    """uint8 [height, width, 3] of numbers [height, width, 1 or 3].

    Args:
        kind: "pixels" of 0..255; "signed": white is 0, blue above and orange below, of three channels grey is 0; "strength": from
            black, 0, to white. The last two are scaled by the largest size there is.
    """
    values = np.nan_to_num(np.asarray(values, "float64"))
    if kind == "pixels":
        return np.broadcast_to(np.clip(values, 0, 255).round(), (*values.shape[:2], 3)).astype("uint8")
    most = np.abs(values).max() or 1.0
    shares = values / most
    if kind == "signed" and values.shape[-1] == 3:
        return (127.5 + 127.5 * shares).round().astype("uint8")
    shares = shares[..., 0] if values.shape[-1] == 1 else shares.mean(-1)
    if kind == "signed":
        ends = np.where(shares[..., None] > 0, POSITIVE, NEGATIVE)
        return (NOTHING + np.abs(shares)[..., None] * (ends - np.array(NOTHING))).round().astype("uint8")
    stops = np.linspace(0, 1, len(RAMP))
    shares = np.clip(shares, 0, 1)
    return np.stack([np.interp(shares, stops, channel) for channel in np.array(RAMP).T], -1).round().astype("uint8")


def laid_over(values: np.ndarray, kind: str, image: np.ndarray) -> np.ndarray:
    """Numbers over the image that they are of, which is grey below: the stronger, the more of their colour.

    Args:
        image: [height, width, 1 or 3], 0..255.
    """
    grey = np.broadcast_to(np.nan_to_num(np.asarray(image, "float64")).mean(-1, keepdims=True), (*values.shape[:2], 3))
    sizes = np.abs(np.nan_to_num(values)).mean(-1, keepdims=True)
    share = 0.9 * np.sqrt(sizes / (sizes.max() or 1.0))
    return (grey * 0.6 * (1 - share) + coloured(values, kind) * share).round().astype("uint8")


def sized(picture: np.ndarray, least: int, most: int) -> tuple[np.ndarray, float]:
    """A picture whose longer side has from about `least` to `most` px, and how many px of it a px is.

    Each pixel becomes a square, or squares become a pixel, their mean.
    """
    side = max(picture.shape[:2])
    factor = max(1, least // side)
    if side <= most:
        return picture.repeat(factor, 0).repeat(factor, 1), float(factor)
    by = -(-side // most)
    return np.asarray(Image.fromarray(picture).reduce(by)), 1 / by


def grid(pictures: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size, uint8 [height, width, 3], row by row."""
    height, width = pictures[0].shape[:2]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    made = np.empty((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), "uint8")
    made[:] = GROUND
    for place, picture in enumerate(pictures):
        top, left = place // columns * (height + GAP), place % columns * (width + GAP)
        made[top : top + height, left : left + width] = picture
    return made


def framed(picture: np.ndarray, box: tuple[int, int, int, int], scale: float) -> np.ndarray:
    """With a frame around the pixels from the first to the last row and column of a box, which may stick out.

    Args:
        scale: how many px of the picture a px of the box is.
    """
    made = Image.fromarray(picture)
    height, width = picture.shape[:2]
    top, left, bottom, right = box
    corners = (left * scale, top * scale, (right + 1) * scale - 1, (bottom + 1) * scale - 1)
    ends = np.clip(corners, 0, (width - 1, height - 1) * 2).round().astype(int).tolist()
    ImageDraw.Draw(made).rectangle(ends, outline=FRAME, width=max(1, min(height, width) // 48))
    return np.asarray(made)


def encoded(picture: np.ndarray, form: str = "webp", is_exact: bool = True) -> bytes:
    """uint8 [height, width, 3] as a file, "webp" or "png".

    Args:
        is_exact: without loss; a PNG always is.
    """
    into = io.BytesIO()
    options = {"lossless": is_exact, "quality": QUALITY, "method": 4} if form == "webp" else {"optimize": True}
    Image.fromarray(picture).save(into, form.upper(), **options)
    return into.getvalue()

"""Images as a notebook has them, as files."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from configs.errors import UsageError

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # that PNG has


def files_of(given: Any, folder: Path) -> tuple[list[str], Mapping[str, str]]:
    """Paths of images, and of those that were no files, which are written into `folder`, what answers call them.

    Args:
        given: a path, an image of Pillow's, an array [height, width] or [height, width, 1, 3 or 4] of whole numbers in 0..255 or of
            truth values, black and white, an array [N, height, width, channels], or several of these. Those that are no paths are
            called image 0, image 1, ...

    Raises:
        UsageError: for anything else.
    """
    paths: list[str] = []
    called: dict[str, str] = {}
    for item in _each(given):
        if isinstance(item, str | os.PathLike):
            paths.append(os.fspath(item))
            continue
        path = folder / f"{len(paths):06}.png"
        _image(item).save(path, "PNG")
        called[str(path)] = f"image {len(paths)}"
        paths.append(str(path))
    return paths, called


def _each(given: Any) -> Iterable[Any]:
    if isinstance(given, str | os.PathLike | Image.Image):
        return [given]
    if isinstance(given, np.ndarray) or hasattr(given, "__array__"):
        values = np.asarray(given)
        return list(values) if values.ndim == 4 else [values]
    if not isinstance(given, Iterable):
        raise _wrong(type(given).__name__)
    return given


def _image(item: Any) -> Image.Image:
    if isinstance(item, Image.Image):
        if item.mode not in MODES:
            raise UsageError(f"PNG has no images of the mode {item.mode}.", "Convert it first, such as by image.convert('RGB').")
        return ImageOps.exif_transpose(item)  # upright, as files are read
    values = np.asarray(item)
    if values.dtype.kind not in "uifb" or values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (1, 3, 4)):
        raise _wrong(f"an array of {values.dtype} {list(values.shape)}")
    whole = values.astype(np.float64)
    if not values.size or not np.isfinite(whole).all() or (whole != whole.round()).any() or whole.min() < 0 or whole.max() > 255:
        raise UsageError("An array of pixels holds what is no whole number in 0..255.", "Scale and round it first.")
    if values.dtype.kind == "f" and 0 < whole.max() <= 1:
        raise UsageError(
            "An array of floats holds 0 and 1 alone, which as pixels in 0..255 are both black.",
            "Multiply it by 255; an array of uint8 is taken as it is.",
        )
    pixels = (whole * 255 if values.dtype.kind == "b" else whole).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def _wrong(what: str) -> UsageError:
    return UsageError(
        f"{what[0].upper()}{what[1:]} is no image.",
        "Give paths, images of Pillow's, or arrays [height, width] or [height, width, 1, 3 or 4] of whole numbers in 0..255.",
    )

"""Masks of defects beside a folder of good and bad images, as MVTec AD has them: Bergmann et al. 2019, CVPR.

    train/good/000.png                   a class that training has is normal, and its masks are all zero by definition
    test/good/000.png
    test/DEFECT/000.png                  a class that only test has is a kind of defect
    ground_truth/DEFECT/000_mask.png     any value but 0 is a defect's pixel

`data.features: {mask: ground_truth}` names the folder. A mask is turned as its image is.
"""

import functools
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from components import keys
from components.example_gen import files, listing, pictures
from components.example_gen.sources import Raw
from configs.errors import UsageError

FOLDERS = ("ground_truth", "groundtruth")  # what the folder may be called, in any case
SHOWN = 3

Listed = Mapping[str, Mapping[str, Sequence[str]]]  # split -> class -> paths of images


def folder_of(named: Any) -> str | None:
    """The folder that data.features.mask names; None for a pattern of paths, see components.example_gen.paired."""
    return named if isinstance(named, str) and named.lower() in FOLDERS else None


def check(root: str, folder: str, listed: Listed) -> None:
    """Raise UsageError where there is no such folder, or nothing in it can be a mask of these images."""
    if not os.path.isdir(os.path.join(root, folder)):
        raise UsageError(
            f"data.features.mask names {folder}, and there is no such folder in {root}.",
            "Name the folder of masks as it lies beside train and test: data.features: {mask: ground_truth}.",
        )
    normal, kinds = _classes(listed)
    if not normal:
        raise UsageError(
            f"{root} has masks in {folder}, and no folder train/CLASS that says which class is normal.",
            "Put normal images into train/good: masks are of the classes that training has not (docs/anomalies.md).",
        )
    if kinds and not any(path for path in paired(root, folder, listed)[0].values()):
        named = ", ".join(sorted(kinds)[:SHOWN])
        raise UsageError(
            f"No image of {named} in {root} has a mask in {folder}.",
            f"That of test/{sorted(kinds)[0]}/000.png is {folder}/{sorted(kinds)[0]}/000_mask.png (docs/anomalies.md).",
        )


def paired(root: str, folder: str, listed: Listed) -> tuple[dict[str, str | None], int]:
    """Path of each image that has a mask -> that of the mask, None for one that is zero by definition; and how many masks are of no
    image. An image of a defect without a file is not among them."""
    normal, _ = _classes(listed)
    there = list(listing.images(root, folder, Counter()))
    by_stem = {str(PurePosixPath(path).with_suffix("")): path for path in there}
    pairs: dict[str, str | None] = {}
    for by_class in listed.values():
        for name, paths in by_class.items():
            for path in paths:
                own = _mask_of(folder, name, path, by_stem)
                if own is not None or name in normal:
                    pairs[path] = own
    return pairs, len(there) - len({path for path in pairs.values() if path is not None})


def images(root: str, shard: str) -> Iterator[Raw]:
    """As files.images, of files whose masks stand in `targets`: values 0 and 1."""
    for raw in files.images(root, shard):
        read = raw.targets.get(keys.MASK)
        yield raw if read is None else raw._replace(targets={keys.MASK: functools.partial(_mask, read, raw.encoded)})


def _classes(listed: Listed) -> tuple[set[str], set[str]]:
    """Those that training has, which are normal, and the kinds of defects."""
    normal = {name for name, paths in listed.get(keys.TRAIN, {}).items() if paths}
    return normal, {name for by_class in listed.values() for name in by_class} - normal


def _mask_of(folder: str, name: str, path: str, by_stem: Mapping[str, str]) -> str | None:
    """FOLDER/CLASS/STEM with a word such as _mask after it, or the stem alone."""
    below = PurePosixPath(*PurePosixPath(path).parts[PurePosixPath(path).parts.index(name) + 1 :]) if name else PurePosixPath(path)
    stem = str(PurePosixPath(folder, name, below).with_suffix(""))
    for word in ("_mask", "-mask", ""):
        if stem + word in by_stem:
            return by_stem[stem + word]
    return None


def _mask(read: Callable[[], bytes | None], image: Callable[[], bytes]) -> bytes:
    """An encoded mask of 0 and 1, with the tags that it has; what is no mask, such as a photo, as it is, so that
    components.map_values says why."""
    import numpy as np
    from PIL import Image

    from components import map_values

    encoded = read()
    if encoded is None:
        return _png(Image.new("L", _size(image())))
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            if map_values.refusal(opened):
                return encoded
            flags = (np.asarray(opened) != 0).astype(np.uint8)  # of a TIFF upright, and its tag is gone
            return _png(Image.fromarray(flags), opened.getexif())
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        return encoded


def _size(image: bytes) -> tuple[int, int]:
    """Width and height of an image as it is stored, px."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(image)) as opened:
            return opened.size
    except Exception:  # the same
        raise pictures.Damaged("no image") from None


def _png(mask, exif=None) -> bytes:
    held = io.BytesIO()
    mask.save(held, "PNG", compress_level=1, exif=exif)
    return held.getvalue()

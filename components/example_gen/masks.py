"""Which images of a folder are masks of others: by their names, x_mask.png beside x.png, and by what they look like.

What is called so and has no image that it is of is none, nor what looks like a photo: a class may be called mask, and a photo may
show one. A few files tell for all that are named alike.
"""

import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from components.example_gen import files
from components.example_gen.records import share
from components.image_files import EXACT_ENDINGS, MAX_PIXELS

WORDS = "masks?|ground[ _-]?truths?|gt|seg|segmentations?|annotations?"
AFTER = re.compile(rf"(?P<of>.+?)[ ._-](?P<word>{WORDS}|labels?)(?:[ ._-]?[0-9]{{1,3}})?", re.IGNORECASE)  # cat_mask.png of cat.png
BEFORE = re.compile(rf"(?P<word>{WORDS})[ ._-](?P<of>.+)", re.IGNORECASE)
FOLDER = re.compile(rf"(?:{WORDS}|labels?)", re.IGNORECASE)
_MAYBE = re.compile("mask|truth|gt|seg|annotation|label", re.IGNORECASE)
IMAGES = re.compile(
    r"(?:jpe?g|png|rgb|raw|train|test|val)?[ _-]?(?:images?|imgs?|photos?|pictures?|originals?|inputs?)", re.IGNORECASE
)
EXACT = tuple(EXACT_ENDINGS)  # of formats that a mask's values survive
MOST = 0.5  # of a folder's images, at least so many have a namesake elsewhere if it is one of masks
FLAT = 0.9  # of those that are looked at, at least so many look like masks if all are
LOOKED_AT = 20  # files of one kind, chosen by hash
COLOURS, PIXELS = 16, 500  # few are so many, or one for so many pixels
GREY = 4  # of 255: how much the channels of a grey JPEG may differ
THUMBNAIL = 128  # px


TWINS = "namesakes"


class Mask(NamedTuple):
    """A path that may be that of a mask, the path of the image that it would be of, and by what it is called so."""

    path: str
    image: str
    kind: str


def beside(root: str, paths: Iterable[str], classes: Collection[str] = ()) -> set[str]:
    """Those of the images that are masks of others.

    Args:
        paths: of images, below `root`.
        classes: folders that are classes; none of these is one of masks, whatever it is called.
    """
    by_kind: dict[str, list[Mask]] = defaultdict(list)
    for mask in _named(paths, classes):
        by_kind[mask.kind].append(mask)
    return {mask.path for of_kind in by_kind.values() if look_so(root, of_kind) for mask in of_kind}


def image_of(stem: str, others: Collection[str]) -> tuple[str, str] | None:
    """The stem, among others, of the image that `stem` is a mask of, and the word that says so."""
    for pattern in (AFTER, BEFORE) if _MAYBE.search(stem) else ():
        match = pattern.fullmatch(stem)
        if match and match["of"] in others:
            return match["of"], match["word"].lower()
    return None


def _named(paths: Iterable[str], classes: Collection[str]) -> Iterator[Mask]:
    """By name: of an image in the same folder; of a namesake with another ending there; in a folder of masks beside the images."""
    stems: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))  # folder -> stem -> paths
    for path in paths:
        pure = PurePosixPath(path)
        stems["" if str(pure.parent) == "." else str(pure.parent)][pure.stem].append(path)
    called_images = defaultdict(list)
    for folder, own in stems.items():
        if folder and IMAGES.fullmatch(PurePosixPath(folder).name):
            called_images[_above(folder)].append(own)
    for folder, own in stems.items():
        images = [stems[_above(folder)]] if folder and _above(folder) in stems else []
        images += called_images[_above(folder)] if folder else []
        of_folder = {}
        if folder and folder not in classes and FOLDER.fullmatch(PurePosixPath(folder).name):
            of_folder = dict(_namesakes(own, images))
        if len(of_folder) >= MOST * len(own):
            yield from (Mask(path, image, f"folder {folder}") for stem, image in of_folder.items() for path in own[stem])
            continue
        for stem, here in own.items():
            named = image_of(stem, own)
            if named:
                yield from (Mask(path, own[named[0]][0], named[1]) for path in here)
            elif len(here) == 2:
                exact = [path for path in here if path.lower().endswith(EXACT)]
                yield from (Mask(path, here[1 - here.index(path)], f"{PurePosixPath(path).suffix} {TWINS}") for path in exact)


def _above(folder: str) -> str:
    return folder.rpartition("/")[0]


def _namesakes(own: Collection[str], images: Collection[dict[str, list[str]]]) -> Iterator[tuple[str, str]]:
    """Stems of a folder, and the path of the image that each is a namesake or by its name a mask of."""
    others = {stem: paths[0] for of in images if of is not own for stem, paths in of.items()}
    for stem in own:
        named = image_of(stem, others)
        if stem in others or named:
            yield stem, others[stem if stem in others else named[0]]


def look_so(root: str, masks: Collection[Mask], is_strict: bool = False) -> bool:
    """Whether those that are looked at do, and, of namesakes in one folder, the images do not. is_strict: by few colours alone."""
    chosen = sorted(masks, key=lambda mask: share(mask.path.encode(errors="surrogateescape"), b"masks"))[:LOOKED_AT]
    told = []
    for mask in chosen:
        looks = _looks_like_one(root, mask.path, is_strict)
        if looks is not None:
            told.append(looks and not (mask.kind.endswith(TWINS) and _looks_like_one(root, mask.image)))
    return bool(told) and sum(told) >= FLAT * len(told)


def _looks_like_one(root: str, path: str, is_strict: bool = False) -> bool | None:
    """Few colours, or, unless is_strict, none at all; None of what cannot be read."""
    from PIL import Image

    try:
        encoded = files.read(str(Path(root, path)))
        with Image.open(io.BytesIO(encoded)) as opened:
            pixels = opened.width * opened.height
            if pixels > MAX_PIXELS:
                return None
            if path.lower().endswith(EXACT) and opened.getcolors(max(COLOURS, pixels // PIXELS)) is not None:
                return True
            if is_strict:
                return False
            opened.thumbnail((THUMBNAIL, THUMBNAIL))
            return _is_grey(opened.convert("RGB"))
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        return None


def _is_grey(image) -> bool:
    import numpy as np

    return int(np.ptp(np.asarray(image, np.int16), axis=2).max()) <= GREY

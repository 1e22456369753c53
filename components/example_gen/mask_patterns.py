"""Which pattern of `data.features.mask` a folder of images asks for (components.example_gen.paired), for `hubel init`.

By names: a folder of masks beside the images, or beside a folder of images; files of one stem or of one stem and a word, such as
_mask. And by looks, as components.example_gen.masks has it: a few files tell for all. Where several would do, all are told.
"""

import contextlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from components import map_values
from components.example_gen import files, listing, masks, paired
from components.example_gen.masks import EXACT, FOLDER, IMAGES, MOST
from components.example_gen.paired import ANY, CLASS, NAME, Listed
from components.inputs.storing import Damaged
from configs.errors import UsageError


class Fitting(NamedTuple):
    """A pattern, how many images have masks by it, and how many files these are; `classes` of which images there are by their
    folders, which are no classes once masks are learned."""

    pattern: str
    images: int
    masks: int
    classes: list[str]


def fitting(root: str) -> list[Fitting]:
    """The patterns that most of some files fit which look like masks, the likeliest first."""
    every = list(listing.images(root, "", Counter()))
    held: list[tuple[Fitting, frozenset[str]]] = []
    for pattern in dict.fromkeys(_candidates(every)):
        try:
            listed = paired.read(root, pattern, Counter(), every)
        except UsageError:
            continue
        of = frozenset(path for parts in listed.masks.values() for path, _ in parts)
        if of and len(of) >= MOST * (len(of) + len(listed.lone)) and _look_so(root, listed, pattern):
            held.append((Fitting(pattern, len(listed.masks), len(of), _classes(listed)), of))
    held.sort(key=lambda each: (-each[0].images, -each[0].masks))
    kept: list[tuple[Fitting, frozenset[str]]] = []
    for each, of in held:  # another pattern for the same files says nothing new
        if not any(of & other for _, other in kept):
            kept.append((each, of))
    return [each for each, _ in kept]


def _candidates(every: Sequence[str]) -> Iterator[str]:
    by_folder: dict[str, list[PurePosixPath]] = defaultdict(list)
    stems = {PurePosixPath(path).stem for path in every}
    for path in map(PurePosixPath, every):
        by_folder[str(path.parent)].append(path)
    beside_images = {str(PurePosixPath(folder).parent) for folder in by_folder if IMAGES.fullmatch(PurePosixPath(folder).name)}
    below: dict[str, list[PurePosixPath]] = defaultdict(list)  # name of a folder that may be of masks -> what is in or below it
    for folder, paths in sorted(by_folder.items()):
        parts = PurePosixPath(folder).parts if folder != "." else ()
        for place, name in enumerate(parts):
            above = "/".join(parts[:place]) or "."
            if FOLDER.fullmatch(name) or (above in beside_images and not IMAGES.fullmatch(name)):
                below[name] += paths
                break
    for name, paths in below.items():
        endings = Counter(path.suffix for path in paths)
        ending = next(iter(endings)) if len(endings) == 1 else f".{ANY}"
        others = stems - {path.stem for path in paths} or stems
        yield f"{name}/{NAME}{ending}"
        for path in paths[:20]:
            if of := masks.image_of(path.stem, others):
                yield f"{name}/{path.stem.replace(of[0], NAME)}{ending}"
        yield f"{name}/{CLASS}/{NAME}{ending}"
        yield f"{name}/{NAME}_{ANY}{ending}"
        yield f"{name}/{ANY}{ending}"
    for paths in by_folder.values():
        own: dict[str, list[PurePosixPath]] = defaultdict(list)
        for path in paths:
            own[path.stem].append(path)
        for stem, here in own.items():
            if of := masks.image_of(stem, own):
                word = stem.replace(of[0], NAME, 1)
                yield f"{word.rstrip('0123456789') + ANY if word[-1].isdigit() else word}{here[0].suffix}"
            elif len(here) == 2:
                yield from (f"{NAME}{path.suffix}" for path in here if path.suffix.lower() in EXACT)


def _look_so(root: str, listed: Listed, pattern: str) -> bool:
    """Whether what is looked at does: of a folder beside images that is not called so by few colours alone, and of files that only
    their ending tells from images, if these look otherwise."""
    folder = PurePosixPath(pattern).parts[0] if "/" in pattern else ""
    kind = masks.TWINS if not folder and pattern.startswith(f"{NAME}.") else pattern
    pairs = [masks.Mask(path, image, kind) for image, parts in listed.masks.items() for path, _ in parts]
    is_strict = bool(folder) and not FOLDER.fullmatch(folder)
    return masks.look_so(root, pairs, is_strict) and _tell_apart(root, [mask.path for mask in pairs], CLASS in pattern)


def _tell_apart(root: str, paths: Sequence[str], is_of_class: bool) -> bool:
    """Whether some of them have two values, or one that is of a class."""
    values: set[int] = set()
    for path in paths[:: max(1, len(paths) // masks.LOOKED_AT)]:
        with contextlib.suppress(ValueError, OSError, Damaged):
            values |= map_values.values_of(files.read(os.path.join(root, path))).keys()
    return len(values) > 1 or (is_of_class and values != {0})


def _classes(listed: Listed) -> list[str]:
    """Names of the folders that images lie in, without those of splits and of images."""
    folders = {path: PurePosixPath(path).parts[:-1] for paths in listed.images.values() for path in paths}
    tops = {parts[0] for parts in folders.values() if parts}
    splits = {name for group in files.splits_of(sorted(tops)).values() for name in group}
    names = set()
    for parts in folders.values():
        inner = [part for part in parts if part not in splits and not IMAGES.fullmatch(part)]
        names.update(inner[:1])
    return sorted(names)

"""Masks of a folder's images, by a pattern that the config has: `data.features: {mask: "masks/{name}.png"}`.

    masks/{name}.png         images/007.bmp, or 007.bmp, has masks/007.png; sub/007.bmp has masks/sub/007.png
    {name}.png               007.bmp has 007.png in the same folder: of two files of one stem the one that ends so is the mask
    {name}_mask.png          007.png has 007_mask.png beside it
    masks/{class}/{name}.png a file a class: what is not 0 in it is of that class; what is in none of them is background
    masks/{name}_*.png       a file an instance, or several of anything: united by the larger value
    masks/*.png              all files belong to the only image beside `masks` or in a folder of images beside it

`{name}` is the image's path without its ending, from where `masks` lies on, and without a folder that is called images; `*` is any
text of a file's or a folder's name. Which files are masks, the pattern says alone. Everything else that is an image is one; but
where a folder is called images, images are those in such folders, and others are passed over. Folders are no classes. Names of
folders such as train and test say which split an image is of, above `images` and `masks` or below.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from components import keys
from components.example_gen import classes, files, listing
from components.example_gen.masks import FOLDER, IMAGES
from components.example_gen.sources import Contents, Located
from configs import words
from configs.errors import UsageError, printable

NAME, CLASS, ANY = "{name}", "{class}", "*"
PATTERN = "mask"  # in an address
LONE, BESIDE = "masks without an image", "beside folders of images"
ALL = "all"
SHOWN = 3
EXAMPLES = f'such as "masks/{NAME}.png", "{NAME}_mask.png" or "masks/{CLASS}/{NAME}.png"'


class Listed(NamedTuple):
    """Images with their masks. images: split -> their paths; masks: path of an image -> (path of a mask, its class or "") each;
    classes: that masks have by their paths; lone: masks without an image."""

    images: dict[str, list[str]]
    masks: dict[str, list[tuple[str, str]]]
    classes: list[str]
    lone: list[str]


class _Key(NamedTuple):
    """Where a mask's image is: the folder in which the pattern begins, and the name in it; None for the only one."""

    above: str
    name: str | None


def check_pattern(pattern: Any) -> None:
    """Raise UsageError for what is no pattern of masks."""
    why = None
    if not isinstance(pattern, str) or not (NAME in pattern or (ANY in pattern and "/" in pattern)):
        why = f"says not where an image's name stands ({NAME})"
    elif pattern.count(NAME) > 1 or pattern.count(CLASS) > 1:
        why = f"has {NAME if pattern.count(NAME) > 1 else CLASS} twice"
    elif strange := re.findall(r"\{[^}]*\}?", pattern.replace(NAME, "").replace(CLASS, "")):
        why = f"has {strange[0]}, which stands for nothing"
    elif os.path.isabs(pattern) or ".." in PurePosixPath(pattern).parts:
        why = "leads out of the folder"
    if why:
        raise UsageError(
            f"data.features.mask of a folder is a pattern of paths, and {pattern!r} {why}.",
            f"Write one {EXAMPLES}; docs/segmentation.md.",
        )


def may_be(root: str) -> bool:
    """Whether a folder is called as one of masks is, at the top or one below: then only a config says what its files are."""
    if not os.path.isdir(root):
        return False
    tops = [entry for entry in listing.entries(root) if listing.is_folder(entry) and not entry.name.startswith(".")]
    if any(FOLDER.fullmatch(entry.name) for entry in tops):
        return True
    splits = {name for group in files.splits_of([entry.name for entry in tops]).values() for name in group}
    return any(
        FOLDER.fullmatch(inner.name)
        for entry in tops
        if entry.name in splits
        for inner in listing.entries(entry.path)
        if listing.is_folder(inner)
    )


def locate(root: str, pattern: str, datasets: Path) -> Located:
    """As sources have it; an image without a mask has none of the target. Raises UsageError where nothing is paired."""
    check_pattern(pattern)
    passed_over: Counter = Counter()
    listed = read(root, pattern, passed_over)
    every = [path for paths in listed.images.values() for path in paths]
    if not listed.masks:
        raise _nothing_paired(root, pattern, every, listed.lone)
    masks = [path for parts in listed.masks.values() for path, _ in parts]
    notes = []
    if listed.lone:
        passed_over[LONE] = len(listed.lone)
        notes.append(f"{words.count(len(listed.lone), 'mask')} of {root} without an image passed over: {_named(listed.lone)}")
    if bare := [path for path in every if path not in listed.masks]:
        notes.append(f"{words.count(len(bare), 'image')} of {root} without a mask: {_named(bare)}")
    digested = files.digested(root, [*every, *masks], datasets)
    return Located({"path": root, PATTERN: pattern}, digested, [], +passed_over, notes=notes)


def contents(address: Mapping[str, Any]) -> Contents:
    """As sources have it, without labels. Classes of masks have names where the pattern has `{class}`."""
    listed = read(address["path"], address[PATTERN], Counter())
    rows = {
        split: [files.File(path, None, targets=_targets(listed.masks.get(path), address[PATTERN])) for path in paths]
        for split, paths in listed.images.items()
    }
    held = files.contents([], rows)
    return Contents(
        held.class_names, held.shards, held.counts, {keys.MASK: files.with_background(listed.classes) if listed.classes else []}
    )


def _targets(parts: Sequence[tuple[str, str]] | None, pattern: str) -> dict[str, Any] | None:
    if not parts:
        return None
    is_whole = len(parts) == 1 and CLASS not in pattern
    return {keys.MASK: parts[0][0] if is_whole else {files.PARTS: parts}}


def read(root: str, pattern: str, passed_over: Counter, paths: Iterable[str] | None = None) -> Listed:
    """Everything below a folder that is an image or a mask; `paths` are all such, where they are known. Raises UsageError for a
    mask of two images, and for images beside those of splits."""
    matches = _matching(pattern)
    images, masks = [], []
    for path in listing.images(root, "", passed_over) if paths is None else paths:
        match = matches.fullmatch(path)
        if match:
            masks.append((path, _Key(match["above"].rstrip("/"), match.groupdict().get("name")), match.groupdict().get("of") or ""))
        else:
            images.append(path)
    images.sort()
    inside = [path for path in images if any(map(IMAGES.fullmatch, PurePosixPath(path).parts[:-1]))] if "/" in pattern else []
    if inside:
        passed_over[BESIDE] += len(images) - len(inside)
        images = inside
    places = _places(images, "/" in pattern, NAME in pattern)
    of_image: dict[str, list[tuple[str, str]]] = defaultdict(list)
    lone = []
    for path, key, of in sorted(masks):
        candidates = places.get(key, ())
        if len(candidates) > 1:
            raise UsageError(
                printable(f"In {root} the mask {path} may be of {' and of '.join(candidates[:2])}."),
                "Name its files so that one stem is of one image, or let the pattern tell (data.features.mask): "
                f"{pattern!r} leaves both images.",
            )
        if candidates:
            of_image[candidates[0]].append((path, of))
        else:
            lone.append(path)
    there = classes.in_order({of for parts in of_image.values() for _, of in parts if of})
    order = {of: place for place, of in enumerate(there)}
    pairs = {image: sorted(parts, key=lambda part: (order.get(part[1], 0), part[0])) for image, parts in of_image.items()}
    return Listed(_by_split(root, images), pairs, there, lone)


def _matching(pattern: str) -> re.Pattern:
    """Of a mask's path below the root: the folder above what the pattern begins with, the image's name, the class."""
    name = r"(?P<name>.+)" if "/" in pattern else r"(?P<name>[^/]+)"
    parts = {NAME: name, CLASS: r"(?P<of>[^/]+?)", ANY: "[^/]*"}
    tokens = re.split(f"({'|'.join(map(re.escape, parts))})", pattern)
    body = "".join(parts.get(token) or re.escape(token) for token in tokens)
    return re.compile(f"(?P<above>(?:.*?/)?){body}", re.IGNORECASE)


def _places(images: Iterable[str], is_apart: bool, is_named: bool) -> dict[_Key, list[str]]:
    """Where a mask may be that is of an image -> the images of which it would be. is_apart: in a folder of masks; is_named: whether
    its path has the image's name."""
    places: dict[_Key, list[str]] = defaultdict(list)
    for path in images:
        pure = PurePosixPath(path)
        for key in _keys_of(pure, is_apart, is_named):
            places[key].append(path)
    return places


def _keys_of(path: PurePosixPath, is_apart: bool, is_named: bool) -> Iterator[_Key]:
    folders, stem = path.parts[:-1], path.stem
    if not is_apart:
        yield _Key("/".join(folders), stem)
        return
    for depth in range(len(folders) + 1):
        above, below = "/".join(folders[:depth]), folders[depth:]
        inner = below[1:] if below and IMAGES.fullmatch(below[0]) else None
        if is_named:
            yield _Key(above, "/".join((*below, stem)))
            if inner is not None:
                yield _Key(above, "/".join((*inner, stem)))
        elif not below or inner == ():
            yield _Key(above, None)


def _by_split(root: str, images: Sequence[str]) -> dict[str, list[str]]:
    """By the uppermost folder, or the one below it where that is called images."""
    for is_below in (False, True):
        named = {path: _split_folder(path, is_below) for path in images}
        groups = files.splits_of(sorted({name for name in named.values() if name}))
        if splits := groups.get("") or next(iter(groups.values()), {}):
            break
    else:
        return {ALL: list(images)} if images else {}
    beside = [path for path, name in named.items() if name not in splits]
    if beside:
        raise UsageError(
            printable(f"{root} has {beside[0]} beside the folder of a split, {next(iter(splits))}."),
            f"Move it into the folder of a split, or out of {root}.",
        )
    by_split: dict[str, list[str]] = defaultdict(list)
    for path, name in named.items():
        by_split[splits[name]].append(path)
    return dict(by_split)


def _split_folder(path: str, is_below: bool) -> str | None:
    folders = PurePosixPath(path).parts[:-1]
    folders = folders[1:] if is_below and folders and IMAGES.fullmatch(folders[0]) else folders
    return folders[0] if folders else None


def _nothing_paired(root: str, pattern: str, images: Sequence[str], lone: Sequence[str]) -> UsageError:
    if not lone:
        of = f"; images are there, such as {images[0]}" if images else ", nor an image"
        return UsageError(
            printable(f"No file below {root} is a mask by {pattern!r}{of}."), f"data.features.mask is a pattern {EXAMPLES}."
        )
    image = f"of {words.count(len(images), 'image')}, such as {images[0]}" if images else "and there is no other image"
    are = "there is" if len(lone) == 1 else "there are"
    return UsageError(
        printable(f"No mask below {root} is of an image by {pattern!r}: {are} {len(lone)}, such as {lone[0]}, {image}."),
        f"A mask has its image's name where {NAME} stands, from the folder of masks on: data.features.mask is {EXAMPLES}.",
    )


def _named(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return printable(", ".join(sorted(paths)[:SHOWN])) + more

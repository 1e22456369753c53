"""Source `folder:PATH`: image files as they lie in folders, a sub-folder a class, or all in one place without labels.

PATH/CLASS/..., PATH/SPLIT/CLASS/..., PATH/SPLIT/FILE or PATH/FILE, where SPLIT is train, validation (valid, val) or test. Below a
class images may lie in folders of any depth. Names that start with a dot, and files that have no image's extension, are skipped.
An image's id is its path below PATH.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.example_gen import classes, files
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import UsageError

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
Layout = dict[str, dict[str, list[str]]]  # split -> class, "" without labels -> folders below PATH


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources. Looks for one image a class, not for all."""
    _layout(files.absolute(rest))


def locate(rest: str, datasets: Path, features: Mapping[str, str]) -> Located:
    """See components.example_gen.sources. A folder has no features to name."""
    root = files.absolute(rest)
    if features:
        raise UsageError(f"data.features names {', '.join(features)}, but a folder has no features.", "Remove data.features.")
    listed = _listed(root)
    found = [path for classes in listed.values() for paths in classes.values() for path in paths]
    return Located({"path": root}, files.digested(root, found, datasets), _class_names(listed))


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. Class names are those of the folders."""
    listed = _listed(address["path"])
    names = _class_names(listed)
    labels = {name: label for label, name in enumerate(names)}
    rows = {
        split: [files.File(path, labels.get(name)) for name, paths in classes.items() for path in paths]
        for split, classes in listed.items()
    }
    return files.contents(names, rows)


def images(address: Mapping[str, Any], shard: str) -> Iterator[Raw]:
    """See components.example_gen.sources."""
    return files.images(address["path"], shard)


def _class_names(listed: Layout) -> list[str]:
    return classes.in_order(name for found in listed.values() for name in found if name)


def _listed(root: str) -> Layout:
    """Split -> class -> paths of all images below `root`."""
    return {
        split: {
            name: [path for folder in folders for path in _images_in(root, folder, name != "")] for name, folders in found.items()
        }
        for split, found in _layout(root).items()
    }


def _layout(root: str) -> Layout:
    """Where the images of each split and class are. Raises UsageError for a folder that is no source."""
    if not os.path.isdir(root):
        raise UsageError(
            f"There is no folder {root}." if not os.path.exists(root) else f"{root} is no folder.",
            "data.source is folder:PATH; a relative PATH starts from the current directory.",
        )
    split_folders = _split_folders(root)
    if not split_folders:
        found = _classes(root, "")
        if not found:
            raise UsageError(f"There is no image in {root}.", f"hubel reads files named {', '.join('*' + e for e in EXTENSIONS)}.")
        return {"all": found}
    layout: Layout = {}
    for folder in split_folders:
        found = _classes(root, folder)
        if not found:
            raise UsageError(
                f"There is no image in {os.path.join(root, folder)}.",
                f"Put images into it, or remove it: hubel carves a split that is missing. It reads {', '.join(EXTENSIONS)}.",
            )
        into = layout.setdefault(files.SPLITS[folder.lower()], {})
        for name, folders in found.items():
            into.setdefault(name, []).extend(folders)
    _check_alike(root, layout)
    return layout


def _split_folders(root: str) -> list[str]:
    """Sub-folders that are splits; none where they are classes, one of which may be called train."""
    folders = [entry.name for entry in _entries(root) if _is_folder(entry)]
    splits = [name for name in folders if name.lower() in files.SPLITS]
    if not splits:
        return []
    others = [name for name in folders if name not in splits and _first_image(root, name)]
    if others and len(splits) == 1 and _first_image(root, splits[0], is_deep=False):
        return []
    beside = [*others, *filter(None, [_first_image(root, "", is_deep=False)])]
    if beside:
        raise UsageError(
            f"{root} has {beside[0]} beside the folder of a split, {splits[0]}.",
            f"Move {beside[0]} into the folder of a split, or out of {root}.",
        )
    return splits


def _classes(root: str, folder: str) -> dict[str, list[str]]:
    """Class name, "" without labels -> folders of one level. Raises UsageError where images lie beside folders of images."""
    named: dict[str, list[str]] = {}
    for entry in _entries(os.path.join(root, folder)):
        path = os.path.join(folder, entry.name)
        if _is_folder(entry) and _first_image(root, path):
            named.setdefault(_class_name(entry.name), []).append(path)
    loose = _first_image(root, folder, is_deep=False)
    if loose and named:
        raise UsageError(
            f"In {root} the image {loose} lies beside the folder of images {next(iter(named.values()))[0]}.",
            "Put every image into the folder of its class, or all of them into one place without classes.",
        )
    return {"": [folder]} if loose else named


def _check_alike(root: str, layout: Layout) -> None:
    labelled = [split for split, classes in layout.items() if "" not in classes]
    bare = [split for split, classes in layout.items() if "" in classes]
    if labelled and bare:
        raise UsageError(
            f"In {root} the split {labelled[0]} has folders of classes and {bare[0]} has images without a class.",
            f"Sort {bare[0]} into classes too, or move it elsewhere: hubel carves a split that is missing.",
        )


def _class_name(folder: str) -> str:
    """Valid text, composed alike whichever system wrote the name."""
    return unicodedata.normalize("NFC", os.fsencode(folder).decode(errors="replace"))


def _first_image(root: str, folder: str, is_deep: bool = True) -> str | None:
    return next(_images_in(root, folder, is_deep), None)


def _images_in(root: str, folder: str, is_deep: bool) -> Iterator[str]:
    """Paths below `root` of the images in a folder and, if `is_deep`, in the folders below it.

    A link to a folder is followed where it leads to none that was seen and to none that PATH lies in.
    """
    top = Path(root, folder)
    seen = {_identity(path) for path in top.parents}
    waiting, links = [folder], []
    while waiting or links:
        here = waiting.pop() if waiting else links.pop()
        identity = _identity(Path(root, here))
        if identity in seen:
            continue
        seen.add(identity)
        for entry in _entries(os.path.join(root, here)):
            path = os.path.join(here, entry.name)
            if _is_folder(entry):
                (links if entry.is_symlink() else waiting).extend([path] if is_deep else [])
            elif entry.name.lower().endswith(EXTENSIONS) and _is_file_or_lost(entry):
                yield path


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise files.unreadable(error, path) from None
    return found.st_dev, found.st_ino


def _entries(folder: str) -> list[os.DirEntry]:
    """What is not hidden, by name. Raises UsageError for a folder that may not be read."""
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise files.unreadable(error, folder) from None


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file_or_lost(entry: os.DirEntry) -> bool:
    """Not a pipe or a device. A link that leads nowhere counts, so that it is set aside and not passed over."""
    return entry.is_file() if os.path.exists(entry.path) else True

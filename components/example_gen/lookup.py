"""Finding image files that somebody named elsewhere: in another case, without an ending, or with another machine's path."""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from components.example_gen import files
from configs.errors import UsageError

ENDINGS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
)  # for names without, the first there is
FOLDERS = 1000  # that are looked into for where the images may be


class Ambiguous(Exception):
    """Several files could be meant; the message names them."""


class Lookup:
    """Files below a folder. Each folder is listed once, when it is first asked about."""

    def __init__(self, root: str):
        self._root = root
        self._listings: dict[str, _Listing] = {}

    def find(self, parts: Sequence[str]) -> str | None:
        """Path below the root of the file of these names; None where there is none.

        Each name is taken as it is, else in another case or Unicode form; the last one also without its ending.

        Raises:
            Ambiguous: where only the case tells several files apart, and none is as it was written.
            UsageError: for a folder that may not be read.
        """
        folder = ""
        for name in parts[:-1]:
            inner = self._listed(folder).folder(name)
            if inner is None:
                return None
            folder = os.path.join(folder, inner)
        name = self._listed(folder).file(parts[-1])
        return None if name is None else os.path.join(folder, name)

    def find_end(self, parts: Sequence[str]) -> str | None:
        """As `find`, of the longest end of a path that is there."""
        ends = (self.find(parts[start:]) for start in range(len(parts)))
        return next((found for found in ends if found is not None), None)

    def _listed(self, folder: str) -> "_Listing":
        if folder not in self._listings:
            self._listings[folder] = _Listing(os.path.join(self._root, folder))
        return self._listings[folder]


class _Listing:
    """What one folder holds, by its names and by what is left of them without case and ending."""

    def __init__(self, path: str):
        self._names: dict[bool, set[str]] = {True: set(), False: set()}  # whether they are folders
        self._folded: dict[bool, dict[str, list[str]]] = {True: {}, False: {}}
        self._stems: dict[str, list[str]] = {}
        try:
            with os.scandir(path) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    self._add(entry)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise files.unreadable(error, path) from None

    def _add(self, entry: os.DirEntry) -> None:
        try:
            is_folder = entry.is_dir()
        except OSError:  # a link to itself
            return
        if not is_folder and not entry.is_file():
            return
        self._names[is_folder].add(entry.name)
        folded = _folded(entry.name)
        self._folded[is_folder].setdefault(folded, []).append(entry.name)
        stem, ending = os.path.splitext(folded)
        if not is_folder and ending in ENDINGS:
            self._stems.setdefault(stem, []).append(entry.name)

    def folder(self, name: str) -> str | None:
        """The folder of that name."""
        return name if name in self._names[True] else _only(self._folded[True].get(_folded(name), ()))

    def file(self, name: str) -> str | None:
        """The file of that name, or that name with an ending."""
        exact = next((name + ending for ending in ("", *ENDINGS) if name + ending in self._names[False]), None)
        if exact is not None:
            return exact
        folded = _folded(name)
        if folded in self._folded[False]:
            return _only(self._folded[False][folded])
        alike = self._stems.get(folded, ())
        for ending in ENDINGS:
            fitting = [one for one in alike if one.lower().endswith(ending)]
            if fitting:
                return _only(fitting)
        return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _only(names: Sequence[str]) -> str | None:
    if len(names) > 1:
        raise Ambiguous(", ".join(names))
    return names[0] if names else None


def parts_of(name: str) -> tuple[list[str], bool]:
    """(names of folders and file, whether it is a path from the top) of a path that was written on any system. A backslash parts
    names as a slash does; a dot and what it would undo are gone, and "..", where it would leave the start, stays."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    path = windows if "\\" in name or windows.drive else posix
    is_absolute = bool(path.root or path.drive)
    whole = os.path.normpath("/".join(path.relative_to(path.anchor).parts) or ".")
    return [part for part in whole.split("/") if part != "."], is_absolute


def folder_with(root: str, named: Sequence[tuple[Sequence[str], bool]]) -> str | None:
    """The folder at or below `root`, relative to it, from which files of all these paths are found; None without any.

    Of a path from the top of another machine that is its name, or where several folders have that, such as train and test, its name
    and the folder before it. At most FOLDERS are looked into, and none that is hidden.

    Args:
        named: as of parts_of.
    """

    def having(ends: int) -> list[str]:
        wanted = [parts[-ends:] if is_absolute else parts for parts, is_absolute in named]
        return [folder for folder in _folders(root) if _has(folder, wanted)]

    near = having(1)
    best = next(iter([*(having(2) if len(near) > 1 else []), *near]), None)
    return None if best is None else os.path.relpath(best, root)


def _has(folder: str, named: Sequence[Sequence[str]]) -> bool:
    lookup = Lookup(folder)
    try:
        return all(parts and lookup.find(parts) is not None for parts in named)
    except Ambiguous:
        return True
    except UsageError:  # it may not be read
        return False


def _folders(root: str) -> Iterator[str]:
    for number, (folder, inner, _) in enumerate(os.walk(root)):
        if number == FOLDERS:
            return
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield folder

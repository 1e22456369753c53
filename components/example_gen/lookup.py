"""Finding image files that somebody named elsewhere: in another case, without an ending, or with another machine's path."""

import contextlib
import functools
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath

from components import image_files
from components.example_gen import files
from configs.errors import UsageError

ENDINGS = tuple(sorted(image_files.ENDINGS))  # for names without one
FOLDERS = 1000  # that are looked into for where the images may be


class Ambiguous(Exception):
    """Several files could be meant; the message names them."""


class Lookup:
    """Files below a folder. Each folder is listed once, when it is first asked about."""

    def __init__(self, root: str):
        self._root = root
        self._listings: dict[str, _Listing] = {}
        self._folders: dict[str, str | None] = {"": ""}  # as they were written -> as they are called

    def find(self, path: str) -> str | None:
        """The file of that path, below the root and with slashes between its names; None where there is none.

        Each name is taken as it is, else in another case or Unicode form; the last one also without its ending.

        Raises:
            Ambiguous: where only the case or the ending tells several files apart, and none is as it was written.
            UsageError: for a folder that may not be read.
        """
        written, _, name = path.rpartition("/")
        folder = self._folder(written)
        held = None if folder is None else self._listed(folder).file(name)
        return f"{folder}/{held}" if folder and held else held

    def find_end(self, path: str) -> str | None:
        """As `find`, of the longest end of a path that is there."""
        parts = path.split("/")
        ends = (self.find("/".join(parts[start:])) for start in range(len(parts)))
        return next((end for end in ends if end is not None), None)

    def _folder(self, written: str) -> str | None:
        if written not in self._folders:
            above, _, name = written.rpartition("/")
            folder = self._folder(above)
            held = None if folder is None else self._listed(folder).folder(name)
            self._folders[written] = f"{folder}/{held}" if folder and held else held
        return self._folders[written]

    def _listed(self, folder: str) -> "_Listing":
        if folder not in self._listings:
            self._listings[folder] = _Listing(os.path.join(self._root, folder))
        return self._listings[folder]


class _Listing:
    """What one folder holds, by its names and, once that is asked for, by what is left of them without case and ending."""

    def __init__(self, path: str):
        self._files: set[str] = set()
        self._inner: set[str] = set()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):  # a link to itself
                        if entry.is_dir():
                            self._inner.add(entry.name)
                        elif entry.is_file():
                            self._files.add(entry.name)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            raise files.unreadable(error, path) from None

    def folder(self, name: str) -> str | None:
        """The folder of that name."""
        return name if name in self._inner else _only(self._folded_inner.get(_folded(name), ()))

    def file(self, name: str) -> str | None:
        """The file of that name, or that name with an ending. Raises Ambiguous."""
        if name in self._files:
            return name
        folded = _folded(name)
        with_ending = [held for ending in ENDINGS for held in self._folded_files.get(folded + ending, ())]
        as_written = [held for held in with_ending if held.startswith(name)]
        return _only(as_written or self._folded_files.get(folded) or with_ending)

    @functools.cached_property
    def _folded_files(self) -> dict[str, list[str]]:
        return _by_folded(self._files)

    @functools.cached_property
    def _folded_inner(self) -> dict[str, list[str]]:
        return _by_folded(self._inner)


def _by_folded(names: Iterable[str]) -> dict[str, list[str]]:
    by_folded: dict[str, list[str]] = {}
    for name in sorted(names):
        by_folded.setdefault(_folded(name), []).append(name)
    return by_folded


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _only(names: Sequence[str]) -> str | None:
    if len(names) > 1:
        raise Ambiguous(", ".join(sorted(names)))
    return names[0] if names else None


def written(name: str) -> tuple[str, bool]:
    """(path with slashes between its names, whether it started from the top) of a path that was written on any system. A dot and
    what it would undo are gone; "..", where it would leave the start, stays."""
    path = PureWindowsPath(name) if "\\" in name or PureWindowsPath(name).drive else PurePosixPath(name)
    whole = os.path.normpath("/".join(path.relative_to(path.anchor).parts) or ".")
    return whole, bool(path.anchor)


def folder_with(root: str, named: Sequence[tuple[str, bool]]) -> str | None:
    """The folder at or below `root`, relative to it, from which files of all these paths are found; None without any.

    Of a path from the top of another machine that is its name, or where several folders have that, such as train and test, its name
    and the folder before it. At most FOLDERS are looked into, and none that is hidden.

    Args:
        named: as of `written`.
    """

    def having(ends: int) -> list[str]:
        wanted = ["/".join(path.split("/")[-ends:]) if is_absolute else path for path, is_absolute in named]
        return [folder for folder in _folders(root) if _has(folder, wanted)]

    near = having(1)
    best = next(iter([*(having(2) if len(near) > 1 else []), *near]), None)
    return None if best is None else os.path.relpath(best, root)


def _has(folder: str, named: Sequence[str]) -> bool:
    lookup = Lookup(folder)
    try:
        return all(lookup.find(path) is not None for path in named)
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

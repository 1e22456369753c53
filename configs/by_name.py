"""Files that are found by the name of what they stand for; nothing lists them.

A folder of such files has `base.py`, what they have in common, or none. No file is imported before it is asked for.
"""

import importlib.util
import re
from collections.abc import Collection, Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path

BESIDE = ("__init__", "base")  # files of such a folder that stand for nothing by themselves
_DEFINED = re.compile(r"^(?:class|def) (\w+)\(", re.MULTILINE)


def names(folders: Iterable[str], defining: Collection[str] = ()) -> list[str]:
    """Of each file that has all of these classes and functions, sorted. folders: `__path__` of a package."""
    files = (path for folder in folders for path in sorted(Path(folder).glob("*.py")) if path.stem not in BESIDE)
    return sorted(path.stem for path in files if {*defining} <= {*_DEFINED.findall(path.read_text(encoding="utf-8"))})


def spec(path: str) -> ModuleSpec | None:
    """That of a file, or a folder, by its dotted path; None where there is none, or the path is no such path."""
    if not all(part.isidentifier() for part in path.split(".")):
        return None
    try:
        return importlib.util.find_spec(path)
    except ModuleNotFoundError:  # what stands before the last dot is none, or no package
        return None


def module(package: str, name: str, otherwise: str | None = None) -> str | None:
    """Dotted path of a name's file in a package; `otherwise` where it has none."""
    path = f"{package}.{name}"
    return path if name.isidentifier() and name not in BESIDE and spec(path) is not None else otherwise

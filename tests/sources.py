"""hubel's source files, each parsed once for all tests that look at them."""

import ast
import functools
from pathlib import Path

from configs.packages import PACKAGES

ROOT = Path(__file__).parents[1]


def files(*packages: str) -> list[Path]:
    """Python files of some packages, of all that hubel consists of where none is named."""
    return sorted(path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py"))


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file; nobody may change it."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path) -> str:
    """A file's path below the checkout."""
    return path.relative_to(ROOT).as_posix()


def files_that(has, *packages: str) -> set[str]:
    """Places of the files with a node of which `has` is true."""
    return {place(path) for path in files(*packages) if any(map(has, ast.walk(tree(path))))}

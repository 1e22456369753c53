"""Finding the file that reads a source: `SCHEME:REST` is read by components/example_gen/SCHEME.py.

A source module offers three functions:
    check(rest, datasets): raises at once, importing nothing heavy, where the data is not there or visibly damaged.
    locate(rest, datasets) -> Located: prepares what needs no network, and digests the contents.
    read(pipeline, located) -> (facts, {source split -> PCollection of Raw}): streams the images.
"""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from configs.errors import UsageError

_FUNCTIONS = {"check", "locate", "read"}
_DEFINED = re.compile(r"^def (\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Located:
    """A source that is there. `address` is all that `read` needs, as JSON values; `digest` is of its contents."""

    address: Mapping[str, str]
    digest: str


@dataclass(frozen=True)
class SourceFacts:
    """What a source knows about its labels: names by index, empty where it has none."""

    class_names: list[str] = field(default_factory=list)


class Raw(NamedTuple):
    """One image as a source has it: encoded bytes, a stable id, a label or None, a mask (see components.keys) or None."""

    image: bytes
    image_id: bytes
    label: int | None
    mask: bytes | None = None


def schemes() -> list[str]:
    """Every scheme there is: the files beside this one that have the three functions."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if _FUNCTIONS <= set(_DEFINED.findall(path.read_text())))


def module_of(source: str) -> ModuleType:
    """The module that reads a source. Raises UsageError for an unknown scheme."""
    scheme = source.partition(":")[0]
    if scheme not in schemes():
        raise UsageError(
            f"Unknown data source {source!r}.", f"A source starts with one of: {', '.join(s + ':' for s in schemes())}"
        )
    return importlib.import_module(f"components.example_gen.{scheme}")


def check(source: str, datasets: Path) -> None:
    """Raise what `locate` would, as far as that can be said in milliseconds."""
    module_of(source).check(source.partition(":")[2], datasets)


def locate(source: str, datasets: Path) -> Located:
    """Find a source's data, preparing it where that needs no network.

    Args:
        datasets: the workspace's folder of prepared data.

    Raises:
        UsageError: where the data is not there; the hint says how to get it.
        HubelError: where it is damaged.
    """
    return module_of(source).locate(source.partition(":")[2], datasets)

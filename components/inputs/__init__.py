"""Kinds of things that are read, such as images: one file a kind, found by its name; nothing lists the kinds.

A kind named `x` is the class `Input` in components/inputs/x.py: the graph from raw bytes to what a model gets, and the ends of a
served signature (components.inputs.base). How its bytes are checked and kept, which ExampleGen alone asks, is the class `Storage`
in components/inputs/storing/x.py, or beside `Input` in x.py (components.inputs.storing).
"""

import functools
import importlib
import importlib.util
import re
from pathlib import Path

from configs.errors import UsageError

DEFAULT = "image"  # what a model reads that does not say it
_INPUT = re.compile(r"^class Input\(", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def kinds() -> list[str]:
    """Names of all kinds there are."""
    files = (path for folder in __path__ for path in Path(folder).glob("*.py") if path.stem not in ("__init__", "base"))
    return sorted(path.stem for path in files if _INPUT.search(path.read_text(encoding="utf-8")))


@functools.cache
def input_of(kind: str):
    """The kind's components.inputs.base.Input. Raises UsageError where there is no such kind."""
    return importlib.import_module(module_of(kind)).Input()


@functools.cache
def storage_of(kind: str):
    """The kind's components.inputs.storing.Storage. Raises UsageError where there is no such kind."""
    return importlib.import_module(storing_module_of(kind)).Storage()


def module_of(kind: str) -> str:
    """Dotted path of the module with the kind's Input, for source digests. Raises UsageError where there is no such kind."""
    if not _NAME.fullmatch(kind) or kind not in kinds():
        raise UsageError(f"There is no kind of input {kind!r}.", f"A model reads one of: {', '.join(kinds())}.")
    return f"{__name__}.{kind}"


def storing_module_of(kind: str) -> str:
    """The same of its Storage."""
    whole, beside = module_of(kind), f"{__name__}.storing.{kind}"
    return beside if importlib.util.find_spec(beside) is not None else whole

"""Kinds of things that are read, such as images: one file a kind, found by its name; nothing lists the kinds.

A kind named `x` is the class `Input` in components/inputs/x.py: the graph from raw bytes to what a model gets, and the ends of a
served signature (components.inputs.base). How its bytes are checked and kept, which ExampleGen alone asks, is the class `Storage`
in components/inputs/storing/x.py, or beside `Input` in x.py (components.inputs.storing).
"""

import functools
import importlib

from configs import by_name
from configs.errors import UsageError

DEFAULT = "image"  # what a model reads that does not say it


def kinds() -> list[str]:
    """Names of all kinds there are."""
    return by_name.names(__path__, ["Input"])


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
    if kind not in kinds():
        raise UsageError(f"There is no kind of input {kind!r}.", f"A model reads one of: {', '.join(kinds())}.")
    return f"{__name__}.{kind}"


def storing_module_of(kind: str) -> str:
    """The same of its Storage."""
    return by_name.module(f"{__name__}.storing", kind, otherwise=module_of(kind))

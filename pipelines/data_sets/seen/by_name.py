"""How a kind of input is seen: found by the name of its file."""

import importlib
from types import ModuleType

from configs import by_name
from pipelines.data_sets.seen import base


def seen_of(kind: str) -> base.Seen:
    """A new base.Seen of a kind of components.inputs. Raises UsageError where there is no such kind."""
    return getattr(_module(kind), "Seen", base.Seen)(kind)


def preview_of(kind: str, *arguments) -> base.Preview:
    """A new base.Preview of a kind of components.inputs; further arguments as base.Preview has them."""
    return getattr(_module(kind), "Preview", base.Preview)(kind, *arguments)


def _module(kind: str) -> ModuleType:
    return importlib.import_module(by_name.module(__package__, kind, otherwise=base.__name__))

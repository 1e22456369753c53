"""How a kind of input is asked for, by its name."""

import functools
import importlib
import importlib.util

from pipelines.verbs.asking import base


@functools.cache
def asking_of(kind: str) -> base.Asking:
    """The base.Asking of a kind of components.inputs. Raises UsageError where there is no such kind."""
    name = f"{__package__}.{kind}"
    is_there = importlib.util.find_spec(name) is not None
    return (importlib.import_module(name) if is_there else base).Asking(kind)

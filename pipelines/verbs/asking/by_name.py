"""How a kind of input is asked for, by its name."""

import functools
import importlib

from configs import by_name
from pipelines.verbs.asking import base


@functools.cache
def asking_of(kind: str) -> base.Asking:
    """The base.Asking of a kind of components.inputs. Raises UsageError where there is no such kind."""
    return importlib.import_module(by_name.module(__package__, kind, otherwise=base.__name__)).Asking(kind)

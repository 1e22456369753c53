"""How a person gives what a model reads, and what is said of each: one file a kind of input, found by its name.

A kind named `x` is the class `Asking` in pipelines/verbs/asking/x.py; one without such a file is given as files, one each
(pipelines.verbs.asking.base). Used in the worker process.
"""

import functools
import importlib
import importlib.util

from pipelines.verbs.asking import base


@functools.cache
def asking_of(kind: str) -> base.Asking:
    """The base.Asking of a kind of components.inputs. Raises UsageError where there is no such kind."""
    name = f"{__name__}.{kind}"
    is_there = importlib.util.find_spec(name) is not None
    return (importlib.import_module(name) if is_there else base).Asking(kind)

"""The sample of a source by its kind of input: found by the name of its file."""

import importlib

from configs import by_name
from pipelines.data_sets.seen import base


def seen_of(kind: str) -> base.Seen:
    """A new base.Seen of a kind of components.inputs. Raises UsageError where there is no such kind."""
    return importlib.import_module(by_name.module(__package__, kind, otherwise=base.__name__)).Seen(kind)

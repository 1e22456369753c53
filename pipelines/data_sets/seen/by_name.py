"""The sample of a source by its kind of input: found by the name of its file."""

import importlib
import importlib.util

from pipelines.data_sets.seen import base


def seen_of(kind: str) -> base.Seen:
    """A new base.Seen of a kind of components.inputs. Raises UsageError where there is no such kind."""
    name = f"{__package__}.{kind}"
    is_there = importlib.util.find_spec(name) is not None
    return (importlib.import_module(name) if is_there else base).Seen(kind)

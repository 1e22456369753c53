"""What the sample of a source that `hubel init` looks at has in common: one file a kind of input, found by its name.

A kind named `x` is the class `Seen` in pipelines/data_sets/seen/x.py; of one without such a file it is said how many are damaged
(pipelines.data_sets.seen.base). Used in the worker process.
"""

import importlib
import importlib.util

from pipelines.data_sets.seen import base


def seen_of(kind: str) -> base.Seen:
    """A new base.Seen of a kind of components.inputs. Raises UsageError where there is no such kind."""
    name = f"{__name__}.{kind}"
    is_there = importlib.util.find_spec(name) is not None
    return (importlib.import_module(name) if is_there else base).Seen(kind)

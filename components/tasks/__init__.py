"""The seam between what is learned and everything else: one file a task, found by its name.

A task named `x` is the class `Task` in components/tasks/x.py, or, of a kind that has several, `x.y` in components/tasks/x/y.py;
nothing lists the tasks.
"""

import importlib
import importlib.util

from components.tasks.base import Task
from configs.errors import UsageError


def module_of(name: str) -> str:
    """Dotted path of a task's module, for source digests."""
    return f"{__name__}.{name}"


def task_of(name: str) -> Task:
    """The task of that name. Raises UsageError where there is none."""
    if name == "base" or not all(part.isidentifier() for part in name.split(".")) or not _is_module(module_of(name)):
        raise UsageError(f"There is no task {name!r}.", "docs/architecture.md says how to add one.")
    return importlib.import_module(module_of(name)).Task()


def _is_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # what stands before the last dot is none, or no package
        return False

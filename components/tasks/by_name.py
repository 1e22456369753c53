"""Tasks by their names.

A task named `x` is the class `Task` in components/tasks/x.py, or, of a kind that has several, `x.y` in components/tasks/x/y.py;
nothing lists the tasks. A task named `x:y` is x around y: a class made of both, x's first, whose `super()` is y.
"""

import importlib
import importlib.util

from components import tasks
from components.tasks.base import Task
from configs.errors import UsageError
from configs.schema.anomaly import AnomalyConfig


def name_of(task: str, anomaly: AnomalyConfig | None) -> str:
    """The name of what a config asks for: the task of its network, or `anomaly` around that."""
    return task if anomaly is None else f"anomaly:{task}"


def modules_of(name: str) -> list[str]:
    """Dotted paths of the modules that a task is made of, for source digests."""
    return [f"{tasks.__name__}.{part}" for part in name.split(":")]


def task_of(name: str) -> Task:
    """The task of that name. Raises UsageError where there is none."""
    kinds = [_kind(path) for path in modules_of(name)]
    if None in kinds:
        raise UsageError(f"There is no task {name!r}.", "docs/architecture.md says how to add one.")
    return kinds[0]() if len(kinds) == 1 else type("Task", tuple(kinds), {})()


def _kind(path: str) -> type[Task] | None:
    if not all(part.isidentifier() for part in path.split(".")) or not _is_module(path):
        return None
    kind = getattr(importlib.import_module(path), "Task", None)
    return None if kind is Task else kind  # a file here that is no task may import their base


def _is_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # what stands before the last dot is none, or no package
        return False

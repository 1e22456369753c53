"""Tasks by their names.

A task named `x` is the class `Task` in components/tasks/x.py. Of a kind that has several, `x` is in components/tasks/x/task.py and
`x.y` in components/tasks/x/y.py. Nothing lists the tasks. A task named `x:y` is x around y: a class made of both, x's first, whose
`super()` is y.
"""

import importlib
import importlib.util
from importlib.machinery import ModuleSpec

from components import tasks
from components.tasks.base import Task
from configs.errors import UsageError
from configs.schema.anomaly import AnomalyConfig

OF_FOLDER = "task"  # file of the task that has a folder's name


def name_of(task: str, anomaly: AnomalyConfig | None) -> str:
    """The name of what a config asks for: the task of its network, or `anomaly` around that."""
    return task if anomaly is None else f"anomaly:{task}"


def modules_of(name: str) -> list[str]:
    """Dotted paths of the modules that a task is made of, for source digests."""
    return [_module(f"{tasks.__name__}.{part}") for part in name.split(":")]


def task_of(name: str) -> Task:
    """The task of that name. Raises UsageError where there is none."""
    kinds = [None if part.endswith(f".{OF_FOLDER}") else _kind(_module(f"{tasks.__name__}.{part}")) for part in name.split(":")]
    if None in kinds:
        raise UsageError(f"There is no task {name!r}.", "docs/architecture.md says how to add one.")
    return kinds[0]() if len(kinds) == 1 else type("Task", tuple(kinds), {})()


def _module(path: str) -> str:
    spec = _spec(path)
    return path if spec is None or spec.submodule_search_locations is None else f"{path}.{OF_FOLDER}"


def _kind(path: str) -> type[Task] | None:
    if _spec(path) is None:
        return None
    kind = getattr(importlib.import_module(path), "Task", None)
    return None if kind is Task else kind  # a file here that is no task may import their base


def _spec(path: str) -> ModuleSpec | None:
    if not all(part.isidentifier() for part in path.split(".")):
        return None
    try:
        return importlib.util.find_spec(path)
    except ModuleNotFoundError:  # what stands before the last dot is none, or no package
        return None

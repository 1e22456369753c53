"""Tasks by their names.

A task named `x` is the class `Task` in components/tasks/x.py. Of a kind that has several, `x` is in components/tasks/x/task.py and
`x.y` in components/tasks/x/y.py. Nothing lists the tasks. A task named `x:y` is x, an `around.Around`, around y.
"""

import functools
import importlib
from collections.abc import Collection, Sequence
from typing import Any

from components import keys, tasks
from components.tasks.base import Task
from configs.by_name import spec
from configs.errors import UsageError
from configs.schema.anomaly import AnomalyConfig

OF_FOLDER = "task"  # file of the task that has a folder's name


def name_of(task: str, anomaly: AnomalyConfig | None, features: Collection[str] = ()) -> str:
    """The name of what a config asks for: the task of its network, or `anomaly` around that, which is held against masks where
    `features`, data.features, names them."""
    if anomaly is None:
        return task
    return f"anomaly_localization:{task}" if keys.MASK in features else f"anomaly:{task}"


def of_data(task: str, features: Collection[str]) -> str:
    """The name of the task that a network of `task` learns from data that has these `data.features`."""
    return next((other for target, other in task_of(task).instead.items() if target in features), task)


def modules_of(name: str) -> list[str]:
    """Dotted paths of the modules that a task is made of, for source digests."""
    return [module(f"{tasks.__name__}.{part}", OF_FOLDER) for part in name.split(":")]


def task_of(name: str) -> Task:
    """The task of that name. Raises UsageError where there is none."""
    is_file = any(part.endswith(f".{OF_FOLDER}") for part in name.split(":"))  # which has the folder's name
    return made([] if is_file else modules_of(name), "Task", name)


def made(modules: Sequence[str], kind: str, name: str) -> Any:
    """The class called `kind` of the last module, and each one before around it. `name` is the task's, for the message."""
    kinds = [_class(path, kind) for path in modules]
    if not kinds or None in kinds or [each.is_around for each in kinds] != [True] * (len(kinds) - 1) + [False]:
        raise UsageError(f"There is no task {name!r}.", "docs/architecture.md says how to add one.")
    return functools.reduce(lambda inner, outer: outer(inner), reversed(kinds[:-1]), kinds[-1]())


def module(path: str, of_folder: str) -> str:
    """The module of a dotted path: of a folder, the file in it that has the folder's own."""
    at = spec(path)
    return path if at is None or at.submodule_search_locations is None else f"{path}.{of_folder}"


def is_module(path: str) -> bool:
    """Whether there is a file for a dotted path."""
    return spec(path) is not None


def _class(path: str, kind: str) -> type | None:
    """That of the file itself: neither one that it imports nor the base of all."""
    own = getattr(importlib.import_module(path), kind, None) if is_module(path) else None
    return own if own is not None and own.__module__ == path != Task.__module__ else None

"""Judges by the names of their tasks.

The judge of a task named `x` is the class `Judge` in components/tasks/judges/x.py, or in x/judge.py of a kind that has several,
whose `x.y` is in x/y.py; where there is no such file, it stands with the task, and an edit of it trains anew. That of `x:y` is x's
around y's.
"""

from components.tasks import by_name, judges
from components.tasks.judges.base import Judge

OF_FOLDER = "judge"  # file of the judge that has a folder's name


def modules_of(name: str) -> list[str]:
    """Dotted paths of the modules that a task's judge is made of, for source digests."""
    own = [by_name.module(f"{judges.__name__}.{part}", OF_FOLDER) for part in name.split(":")]
    return [path if by_name.is_module(path) else of_task for path, of_task in zip(own, by_name.modules_of(name), strict=True)]


def judge_of(name: str) -> Judge:
    """The judge of the task of that name. Raises UsageError where there is none."""
    by_name.task_of(name)
    return by_name.made(modules_of(name), "Judge", name)

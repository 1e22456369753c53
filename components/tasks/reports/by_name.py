"""Reports by the names of their tasks.

The report of a task named `x` is the class `Report` in components/tasks/reports/x.py, or in x/report.py of a kind that has several,
whose `x.y` is in x/y.py or else x's own. That of `x:y` is x's around y's; where only one of the two has a file it is that one.
"""

import importlib
from collections.abc import Sequence

from components.tasks import by_name, reports
from components.tasks.reports.base import Report
from configs.by_name import names, spec

OF_FOLDER = "report"  # file of the report that has a folder's name
SECTIONS = "sections"  # folder beside it, of sections that it finds by their names


def modules_of(name: str) -> list[str]:
    """Dotted paths of the modules that a task's report is made of, for source digests; none where it has none.

    Those of a folder's `sections` are among them, which its report finds by their names.
    """
    paths = [path for part in name.split(":") if (path := _module(part))]
    return [module for path in paths for module in (path, *_sections(path))]


def report_of(name: str) -> Report | None:
    """The report of the task of that name; None where it has none."""
    paths = [_module(part) for part in name.split(":")]
    made: Report | None = None
    for path in reversed(paths):
        if path is not None:
            kind = importlib.import_module(path).Report
            made = kind(made) if kind.is_around else kind()
    return made


def _module(part: str) -> str | None:
    for name in _families(part.split(".")):
        path = by_name.module(f"{reports.__name__}.{name}", OF_FOLDER)
        if by_name.is_module(path):
            return path
    return None


def _sections(path: str) -> list[str]:
    folder = f"{path.rpartition('.')[0]}.{SECTIONS}"
    there = spec(folder) if path.endswith(f".{OF_FOLDER}") else None
    return [f"{folder}.{name}" for name in names(there.submodule_search_locations, ["section"])] if there else []


def _families(parts: Sequence[str]) -> list[str]:
    """Of `x.y` itself and `x`."""
    return [".".join(parts[:many]) for many in range(len(parts), 0, -1)]

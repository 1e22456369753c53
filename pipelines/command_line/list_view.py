"""`hubel list models` for people: families one after another, each variant a line."""

import re
from collections.abc import Iterable

from keras_models import Record
from pipelines.command_line import console


def ordered(records: Iterable[Record]) -> list[Record]:
    """By task and family, and within a family as people count: resnet20 before resnet110."""
    return sorted(records, key=lambda record: (record.task, record.family, _counted(record.name)))


def models(records: list[Record]) -> None:
    """Print a table. Family, task and paper stand only where they change."""
    rows, above = [], {}
    for record in records:
        once = {"family": record.family, "task": record.task, "year": record.year, "paper": record.paper}
        if once["family"] != above.get("family"):
            above = {}
        family, *source = [None if above.get(key) == value else value for key, value in once.items()]
        size = "x".join(map(str, record.input_shape)) if record.input_shape else None
        rows.append(
            [family, ", ".join((record.name, *record.aliases)), f"{record.params:,}" if record.params else None, size, *source]
        )
        above = once
    console.table(["family", "name", "parameters", "input", "task", "year", "paper"], rows, right=("parameters", "input"))


def _counted(name):
    return [(part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", name)]

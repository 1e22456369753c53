"""`hubel list models` for people: families one after another, each variant a line."""

import re
from collections.abc import Iterable

from keras_models import Facts
from pipelines.command_line import console


def ordered(facts: Iterable[Facts]) -> list[Facts]:
    """By task and family, and within a family as people count: resnet20 before resnet110."""
    return sorted(facts, key=lambda fact: (fact.task, fact.family, _counted(fact.name)))


def models(facts: list[Facts]) -> None:
    """Print a table. Family, task and paper stand only where they change."""
    rows, above = [], {}
    for fact in facts:
        once = {"family": fact.family, "task": fact.task, "year": fact.year, "paper": fact.paper}
        if once["family"] != above.get("family"):
            above = {}
        family, *source = [None if above.get(key) == value else value for key, value in once.items()]
        size = "x".join(map(str, fact.input_shape)) if fact.input_shape else None
        rows.append([family, ", ".join((fact.name, *fact.aliases)), f"{fact.params:,}" if fact.params else None, size, *source])
        above = once
    console.table(["family", "name", "parameters", "input", "task", "year", "paper"], rows, right=("parameters", "input"))


def _counted(name):
    return [(part.isdigit(), int(part) if part.isdigit() else part) for part in re.split(r"(\d+)", name)]

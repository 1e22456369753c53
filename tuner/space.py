"""The search space: dotted paths of a config, each with a distribution, as keras-tuner's hyperparameters."""

import math
from collections.abc import Mapping
from typing import Any

import keras_tuner
from keras_tuner.engine import hyperparameters as kinds

from components.trainer import tuned
from configs import choices
from configs import space as spaces
from configs.entries import path_of
from configs.schema.tune import Distribution

values = tuned.values
corners = spaces.corners


def hyperparameters(space: Mapping[str, Distribution]) -> keras_tuner.HyperParameters:
    """All of them declared, in the order in which they are drawn, under keras-tuner's own conditions.

    `HyperParameters.conditional_scope` makes the same conditions, but only of parents that are declared in the scope itself, so not
    for an entry that depends on two others which do not depend on each other; here they are read from keras-tuner's own serialised
    form.

    Raises:
        UsageError: for conditions that name no entry, or never hold.
    """
    ordered, allowed = spaces.ordered(space), spaces.conditions(space)
    serialized = []
    for path, drawn in ordered.items():
        declared = _declared(path, drawn)
        parents = [
            {"class_name": "Parent", "config": {"name": parent, "values": _encoded(space[parent], tried)}}
            for parent, tried in allowed[path].items()
        ]
        serialized.append({"class_name": type(declared).__name__, "config": {**declared.get_config(), "conditions": parents}})
    made = keras_tuner.HyperParameters.from_config({"space": serialized, "values": {}})
    for declared in made.space:
        if made.is_active(declared):
            made.values[declared.name] = declared.default
    return made


def drawn(
    declared: keras_tuner.HyperParameters, space: Mapping[str, Distribution], tried: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What values of a config are drawn as in a space; None where they do not lie in it: an entry that is drawn has none of them or
    another, or one of them is of no entry that is drawn.

    Args:
        declared: of `hyperparameters`.
        tried: dotted path -> value.
    """
    made = declared.copy()
    made.values = {}
    for entry in made.space:
        if not made.is_active(entry):
            continue
        path, of = path_of(entry.name), space[entry.name]
        if path not in tried or not of.has(tried[path]):
            return None
        [made.values[entry.name]] = _encoded(of, [tried[path]])
    return made.values if len(made.values) == len(tried) else None


def _declared(path: str, drawn: Distribution) -> kinds.HyperParameter:
    if drawn.choices is not None:
        tried = choices.encode(drawn.choices)
        [first] = _encoded(drawn, [drawn.first])
        if isinstance(tried[0], bool):  # as choices they would come back as 1 and 0
            return kinds.Boolean(path, default=first) if len(tried) > 1 else kinds.Fixed(path, first)
        return kinds.Choice(path, tried, ordered=not isinstance(tried[0], str), default=first)
    kind, number = (kinds.Int, int) if drawn.is_whole else (kinds.Float, float)
    return kind(path, number(drawn.min), _max(drawn, number), drawn.step, drawn.sampling, number(drawn.first))


def _max(drawn: Distribution, number) -> int | float:
    """A step that rounding puts above max by a hair is drawn too: keras-tuner would leave out the 1.0 of 0.1, 0.2, ... 1.0."""
    greatest = number(drawn.max)
    if drawn.sampling == "linear" and drawn.step is not None and not drawn.is_whole:
        while (greatest - drawn.min) // drawn.step + 1 < len(drawn.steps):
            greatest = math.nextafter(greatest, math.inf)
    return greatest


def _encoded(drawn: Distribution, tried: list) -> list[Any]:
    """Values of an entry as keras-tuner has them."""
    if drawn.choices is None:
        return tried
    encoded = choices.encode(drawn.choices)
    return [encoded[next(at for at, choice in enumerate(drawn.choices) if spaces.same(choice, value))] for value in tried]


def points(space: Mapping[str, Distribution]) -> int:
    """How many grid search tries: every combination of entries that are drawn together, of a range without steps ten values (and
    its default)."""
    declared = hyperparameters(space)
    allowed = spaces.conditions(space)
    parents = {parent for needed in allowed.values() for parent in needed}
    tried = {entry.name: space[entry.name].choices or [*{*entry.values, entry.default}] for entry in declared.space}

    def combinations(rest: list[str], values: dict[str, Any]) -> int:
        if not rest:
            return 1
        path, *after = rest
        if not spaces.is_active(path, values, allowed):
            return combinations(after, values)
        if path not in parents:
            return len(tried[path]) * combinations(after, values)
        return sum(combinations(after, {**values, path: value}) for value in tried[path])

    return combinations(list(spaces.ordered(space)), {})

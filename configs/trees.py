"""Trees of mappings and lists, as YAML has them: merged, and changed at dotted paths."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any


def without_renamed(base: Any, over: Any, defaults: Mapping[tuple[str, ...], str] = MappingProxyType({}), path=()) -> Any:
    """`base` without the contents of mappings below its top to which `over` gives another `name`.

    Args:
        defaults: names of mappings that do not say theirs, by path.
    """
    if isinstance(base, list) and isinstance(over, Mapping):  # by index, or by the name of an item's one key; see merge
        return [without_renamed(item, over.get(str(at), over), defaults, (*path, str(at))) for at, item in enumerate(base)]
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return base
    name = base.get("name", defaults.get(path))
    if path and name is not None and over.get("name", name) != name:
        return {}
    return {key: without_renamed(value, over[key], defaults, (*path, key)) if key in over else value for key, value in base.items()}


def merged(tree: dict, changes: Iterable[Mapping[str, Any]]) -> dict:
    """The tree with one change after the other merged over it."""
    return functools.reduce(merge, changes, tree)


def merge(base: Any, over: Any) -> Any:
    """Mappings merge key by key; a list with {index: value}, or where its items are named by their one key with {name: value},
    item by item, and a new name comes last; anything else replaces."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{k: merge(base.get(k), v) for k, v in over.items()}}
    if isinstance(base, list) and isinstance(over, Mapping) and over:
        if all(_is_index(key, base) for key in over):
            return _items_merged(base, {int(key): value for key, value in over.items()})
        if not any(str(key).isdigit() for key in over) and all(isinstance(item, str) or _is_named(item) for item in base):
            places = {name: place for place, item in enumerate(base) if isinstance(item, Mapping) for name in item}
            new = [{name: value} for name, value in over.items() if name not in places]
            return _items_merged(base, {places[name]: {name: value} for name, value in over.items() if name in places}) + new
    return over


def _items_merged(base: list, over: Mapping[int, Any]) -> list:
    return [merge(item, over[place]) if place in over else item for place, item in enumerate(base)]


def _is_named(item: Any) -> bool:
    return isinstance(item, Mapping) and len(item) == 1


def _is_index(key: Any, items: list) -> bool:
    return isinstance(key, str) and key.isascii() and key.isdigit() and int(key) < len(items)


def nested(keys: Sequence[str], value: Any) -> dict:
    """The tree whose only leaf is the value, under one key after the other."""
    for key in reversed(keys):
        value = {key: value}
    return value

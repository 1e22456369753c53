"""A search space as plain data: which entries go with which, and the corners that are tried before anything starts."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from configs.entries import by_path, path_of
from configs.errors import UsageError
from configs.schema.tune import Distribution, same

Space = Mapping[str, Distribution]
Values = dict[str, Any]


def ordered(space: Space) -> dict[str, Distribution]:
    """The entries in the order in which they are drawn: as written, and one that depends on others after these.

    Raises:
        UsageError: for a condition that names no other entry, or entries that wait for each other.
    """
    placed: dict[str, Distribution] = {}
    waiting = dict(space)
    while waiting:
        ready = [path for path, drawn in waiting.items() if all(_parent(key, path, space) in placed for key in drawn.when)]
        if not ready:
            raise UsageError(
                f"tune.space: {' and '.join(sorted(waiting))} depend on each other, so their conditions never hold.",
                "Take out one of these conditions (when).",
            )
        placed[ready[0]] = waiting.pop(ready[0])
    return placed


def _parent(key: str, path: str, space: Space) -> str:
    """The entry that a condition of the entry `path` is about: the path itself, or one above it whose choices are mappings."""
    keys = key.split(".")
    above = (".".join(keys[:length]) for length in range(len(keys), 0, -1))
    for parent in above:
        if parent in space and parent != path:
            return parent
    raise UsageError(
        f"tune.space.{path}: when names {key}, which is no other entry of tune.space.",
        f"The others: {', '.join(other for other in space if other != path) or 'none'}.",
    )


def conditions(space: Space) -> dict[str, dict[str, list]]:
    """Entry -> the entries that it depends on, those of these too -> the values with which it is drawn.

    Raises:
        UsageError: as `ordered`, and for a condition that never holds.
    """
    allowed: dict[str, dict[str, list]] = {}
    for path, drawn in ordered(space).items():
        asked = [(_parent(key, path, space), *pair) for pair in drawn.when.items() for key in pair[:1]]
        needed: dict[str, list] = {}
        for parent, key, value in asked:
            _narrow(needed, parent, _matching(space[parent], parent, key, value), path)
            for above, values in allowed[parent].items():
                _narrow(needed, above, values, path)
        allowed[path] = needed
    _check_apart(allowed)
    return allowed


def _check_apart(allowed: Mapping[str, Mapping[str, list]]) -> None:
    """Raise UsageError for entries of one path that may be drawn together."""
    for entry, other in itertools.combinations(allowed, 2):
        shared = [key for key in allowed[entry] if key in allowed[other]]
        meet = (any(same(value, another) for value in allowed[entry][key] for another in allowed[other][key]) for key in shared)
        if path_of(entry) == path_of(other) and all(meet):
            raise UsageError(
                f"tune.space: {entry} and {other} are of one key, and may be drawn together.",
                "Give both a condition (when), so that where one is drawn the other is not.",
            )


def _narrow(needed: dict[str, list], parent: str, values: Sequence, path: str) -> None:
    known = needed.get(parent, values)
    needed[parent] = [value for value in known if any(same(value, other) for other in values)]
    if not needed[parent]:
        raise UsageError(
            f"tune.space.{path}: its condition on {parent} never holds.",
            "Values of when must be among those that are tried there, and go with the conditions of what they name.",
        )


def _matching(drawn: Distribution, parent: str, key: str, value: Any) -> list:
    """Those of an entry's values for which `key: value` of a `when` holds."""
    tried = drawn.steps
    if tried is None:  # a range: a fraction of it is never met, a whole number is
        return [each for each in (value if isinstance(value, list) else [value]) if drawn.is_whole and drawn.has(each)]
    inner = key[len(parent) + 1 :].split(".") if key != parent else []
    wanted = value if isinstance(value, list) and not any(same(value, at(step, inner)) for step in tried) else [value]
    return [step for step in tried if any(same(at(step, inner), each) for each in wanted)]


def at(value: Any, keys: Sequence[str]) -> Any:
    """What stands in a tree under one key after the other, None where nothing does; items of a list by their index."""
    for key in keys:
        if isinstance(value, list):
            value = value[int(key)] if key.isdigit() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def with_defaults(space: Space, tree: Mapping[str, Any]) -> dict[str, Distribution]:
    """The space whose entries have by default what a config has, where that can be drawn and nothing else is said.

    Args:
        tree: the whole config as JSON has it.
    """
    own = {path: at(tree, path_of(path).split(".")) for path in space}
    has_none = {path: drawn.default is None and own[path] is not None and drawn.has(own[path]) for path, drawn in space.items()}
    return {path: drawn.model_copy(update={"default": own[path]}) if has_none[path] else drawn for path, drawn in space.items()}


def is_active(path: str, values: Mapping[str, Any], allowed: Mapping[str, Mapping[str, Sequence]]) -> bool:
    """Whether an entry is drawn where the others have these values. allowed: of `conditions`."""
    return all(parent in values and any(same(values[parent], value) for value in tried) for parent, tried in allowed[path].items())


def completed(space: Space, forced: Mapping[str, Any]) -> Values:
    """Values of all entries that are drawn where some have these: theirs, and of the others the defaults."""
    allowed, values = conditions(space), {}
    for path, drawn in ordered(space).items():
        if is_active(path, values, allowed):
            values[path] = forced.get(path, drawn.first)
    return values


def forcing(space: Space, path: str, value: Any) -> Values:
    """One entry's value, and of the entries that it depends on values with which it is drawn."""
    needed = conditions(space)[path]
    firsts = {parent: next((v for v in tried if same(v, space[parent].first)), tried[0]) for parent, tried in needed.items()}
    return {**firsts, path: value}


def corners(space: Space) -> Iterator[Values]:
    """Values to try a space by, by dotted path: every end and choice of each entry, the others at their defaults; all least and all
    greatest. Each once, and of each only the entries that are drawn.

    Raises:
        UsageError: as `conditions`.
    """
    seen: list[Values] = []
    ends = ({path: drawn.examples[at] for path, drawn in space.items()} for at in (0, -1))
    single = (forcing(space, path, value) for path, drawn in space.items() for value in drawn.examples)
    for forced in itertools.chain([{}], single, ends):
        values = completed(space, forced)
        if values not in seen:
            seen.append(values)
            yield by_path(values)

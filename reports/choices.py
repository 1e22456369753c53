"""Values of parameters in few words, for tables and charts: lists and mappings as short as they can be and still be told apart."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from configs.entries import path_of
from reports.trials import shown, without_defaults

NONE = "none"  # a policy of no steps


class Choices:
    """What stands for the values of parameters where there is little room. No two choices of a parameter are alike.

    Args:
        space: path -> what it is drawn from, as `tune.space` has it.
        drawn: of each trial, path -> value.
    """

    def __init__(self, space: Mapping[str, Any], drawn: Iterable[Mapping[str, Any]]):
        known: dict[str, dict[str, Any]] = {}
        for path, value in _values(space, drawn):
            if isinstance(value, list | Mapping):
                known.setdefault(path, {})[_key(value)] = value
        self._texts = {path: dict(zip(values, short(path, [*values.values()]), strict=True)) for path, values in known.items()}

    def text(self, path: str, value: Any) -> str:
        """Such as "0.001", "[300, 100]", "sgd, momentum 0.9" and "translate 0.1 0.1, rotate 10"."""
        if not isinstance(value, list | Mapping):
            return shown(value)
        known = self._texts.get(path, {}).get(_key(value))
        return short(path, [value])[0] if known is None else known


def short(path: str, values: Sequence[Any]) -> list[str]:
    """Texts of different lists and mappings that one parameter may have: without defaults, and in the fewest words in which no two
    are alike."""
    telling = [without_defaults(path, value) for value in values]
    fixed, is_policy = _fixed(telling), any(_is_policy(value) for value in telling)
    ways: tuple[Callable[[Any], str], ...] = (functools.partial(_words, fixed=fixed), _words, shown)
    for way in ways:
        texts = [NONE if value == [] and is_policy else way(value) for value in telling]
        if len(set(texts)) == len(texts):
            return texts
    return [*map(shown, values)]


def _key(value: Any) -> str:
    """The same of equal values: a trial's record has other keys first than the config, and 10.0 where that says 10."""
    return json.dumps(_real(value), sort_keys=True)


def _real(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _real(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [*map(_real, value)]
    return float(value) if _is_number(value) else value


def _values(space: Mapping[str, Any], drawn: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for path, entry in space.items():
        choices = entry.get("choices") if isinstance(entry, Mapping) else None
        yield from ((path_of(path), choice) for choice in choices or ())
    for values in drawn:
        yield from values.items()


def _fixed(values: Sequence[Any]) -> set[tuple[str, str]]:
    """(step, key) of what is no number and the same in every step of that name: it tells no choice from another."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for step, options in _steps(values):
        by_name.setdefault(step, []).append(options)
    return {
        (step, key)
        for step, every in by_name.items()
        for key, value in every[0].items()
        if not _is_number(value) and all(key in options and options[key] == value for options in every)
    }


def _steps(values: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Of policies, lists of {name: {option: value}}: each step."""
    for value in values:
        for item in value if isinstance(value, list) else ():
            if isinstance(item, Mapping) and len(item) == 1:
                [(step, options)] = item.items()
                if isinstance(options, Mapping):
                    yield step, options


def _words(value: Any, fixed: set[tuple[str, str]] | None = None) -> str:
    """A value without JSON's marks.

    Args:
        fixed: what of steps is left out; where it is given, numbers of a step stand without their keys.
    """
    if _is_policy(value):
        return ", ".join(_words(item, fixed) for item in value)
    if not isinstance(value, Mapping):
        return shown(value)
    if len(value) == 1 and isinstance(options := next(iter(value.values())), Mapping):
        return _step(next(iter(value)), options, fixed)
    named = [_words(value["name"])] if "name" in value else []
    return ", ".join([*named, *(f"{key} {_words(of)}" for key, of in value.items() if key != "name")])


def _step(name: str, options: Mapping[str, Any], fixed: set[tuple[str, str]] | None) -> str:
    """Such as "translate 0.1 0.1", and in full "translate (height 0.1, width 0.1)"."""
    if fixed is None:
        return f"{name} ({_words(options)})" if options else name
    kept = {key: value for key, value in options.items() if (name, key) not in fixed}
    numbers = [shown(value) for value in kept.values() if _is_number(value)]
    return " ".join([name, *numbers, *(f"{key} {_words(value)}" for key, value in kept.items() if not _is_number(value))])


def _is_policy(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

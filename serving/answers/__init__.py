"""What a model answers, by kind: one file a kind of output, found by its name, which signatures, cards and answers use.

A file says how an output of that kind becomes JSON, a line on a terminal, and a file. Nothing here knows a task or the name of an
output: the card's `gives` has the kind of each. An output of an undeclared kind is TEXT or NUMBER, as its values are.
"""

import functools
import importlib
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from configs import by_name
from serving.answers.base import About, Kind

NUMBER, TEXT, FRAME = "number", "text", "frame"
NAMES, DECISIONS = "names", "decisions"


@functools.cache
def kinds() -> tuple[str, ...]:
    """The names of all kinds."""
    return tuple(by_name.names(__path__))


@functools.cache
def kind(name: str) -> Kind:
    """The kind of that name. Raises ValueError where there is none."""
    if name not in kinds():
        raise ValueError(f"there is no kind of output {name!r}; there are: {', '.join(kinds())}")
    return importlib.import_module(f"{__name__}.{name}").Answer()


def by_values(is_text: bool) -> str:
    """The kind of an output of which nothing else is known."""
    return TEXT if is_text else NUMBER


def shown(outputs: Mapping[str, Any], gives: Mapping[str, str]) -> list[str]:
    """The outputs that a person is shown, in the order of `gives`, since a loaded signature has none: those that only repeat what
    others say are none."""
    there = {gives[name] for name in outputs}
    return [name for name in gives if name in outputs and not there & kind(gives[name]).said_by]


def as_json(outputs: Mapping[str, Any], gives: Mapping[str, str], about: About) -> dict[str, Any]:
    """The outputs of one example that are shown, as JSON has them.

    Args:
        outputs: by name, NumPy arrays, or bytes for a single string, as TensorFlow gives them.
        gives: the kind of each.
    """
    about = placed(outputs, gives, about)
    if about.top is not None:
        least = max((kind(gives[name]).least(value) for name, value in outputs.items()), default=0)
        about = replace(about, top=max(about.top, least))
    return {name: kind(gives[name]).json(outputs[name], about) for name in shown(outputs, gives)}


def decided(outputs: Mapping[str, Any], gives: Mapping[str, str]) -> tuple[tuple[str, Hashable], ...] | None:
    """What the outputs of one example decide: pairs of a kind and what is decided. Of what is told twice, of an image that may have
    several classes, the decisions of all classes. None where nothing is decided."""
    told = {gives[name]: kind(gives[name]).decision(value) for name, value in outputs.items() if name in gives}
    known = {its: decision for its, decision in told.items() if decision is not None}
    if DECISIONS in known:
        known.pop(NAMES, None)
    return tuple(sorted(known.items())) or None


def placed(outputs: Mapping[str, Any], gives: Mapping[str, str], about: About) -> About:
    """With the frame that is among the outputs of one example, if one is."""
    frames = [outputs[name] for name in outputs if gives[name] == FRAME]
    return replace(about, frame=frames[0]) if frames else about


def pictures(gives: Mapping[str, str]) -> dict[str, str]:
    """The outputs that a person looks at as files, and the ending of each."""
    return {name: kind(its).ending for name, its in gives.items() if kind(its).is_picture}


def as_files(outputs: Mapping[str, Any], gives: Mapping[str, str], about: About) -> dict[str, bytes]:
    """The content of a file for each of `pictures`, of one example. Raises ValueError for a value that no file holds."""
    about = placed(outputs, gives, about)
    return {name: kind(gives[name]).file(outputs[name], about) for name in pictures(gives) if name in outputs}

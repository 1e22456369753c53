"""What choices are to keras-tuner, which knows numbers, texts and truth values, of one kind: anything else is JSON in a text.

Here and nowhere else a choice becomes such a text, and a text a choice again. A text says itself that it is one, so that whoever
reads a value needs no space.
"""

import json
from collections.abc import Sequence
from typing import Any

JSON = "json:"  # what a text that stands for another value begins with


def encode(choices: Sequence[Any]) -> list[str | int | float | bool]:
    """Scalars of one kind, one for each choice, in order."""
    kinds = {type(choice) for choice in choices}
    is_plain = len(kinds) == 1 and kinds <= {str, int, float, bool}
    if is_plain and not any(isinstance(choice, str) and choice.startswith(JSON) for choice in choices):
        return list(choices)
    return [encoded(choice) for choice in choices]


def encoded(value: Any) -> str:
    """A value as JSON in its canonical form: keys in order, nothing that could be left out."""
    return JSON + json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def decode(value: str | int | float | bool) -> Any:
    """The choice that a scalar of `encode` stands for."""
    return json.loads(value.removeprefix(JSON)) if isinstance(value, str) and value.startswith(JSON) else value

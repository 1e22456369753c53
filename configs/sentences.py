"""What is wrong with a slice, as pydantic found it, in a sentence that names the key and the nearest known one."""

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from configs.schema.base import Slice

MAX_SHOWN = 100  # characters of a wrong value in a message


def sentence(error: Mapping[str, Any], tree: Mapping[str, Any], kind: type[Slice]) -> str:
    """Of one of pydantic's errors.

    Args:
        tree: what was validated. kind: as what.
    """
    where = ".".join(str(part) for part in error["loc"]) or "the config"
    if error["type"] == "extra_forbidden":
        known = _known_keys(error["loc"][:-1], kind)
        nearest = difflib.get_close_matches(str(error["loc"][-1]), known, 1)
        return f"unknown key {where}" + (f" (did you mean {nearest[0]}?)" if nearest else f" (known here: {', '.join(known)})")
    if error["type"] == "missing":
        return f"{where} is missing"
    message = error["msg"].removeprefix("Value error, ")
    message, at, wrong = f"{message[0].lower()}{message[1:]}", _written(error["loc"], tree), error["input"]
    if isinstance(wrong, Mapping) and (not at or len(repr(wrong)) > MAX_SHOWN):  # the sentence names the keys that it is about
        return f"{at}: {message}" if at else message
    return f"{at or where} = {short(wrong)}: {message}"


def _written(loc: Sequence[str | int], tree: Any) -> str:
    """The part of a location that the tree has: pydantic puts the kinds of a union behind it ("materialize.bool")."""
    parts = []
    for part in loc:
        if not ((isinstance(tree, Mapping) and part in tree) or (isinstance(tree, list) and isinstance(part, int))):
            break
        tree = tree[part]
        parts.append(str(part))
    return ".".join(parts)


def short(value: Any) -> str:
    """A wrong value as a message shows it."""
    return _cut(repr(value))


def as_written(value: Any) -> str:
    """A value of JSON as a config has it, cut as `short` does."""
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _known_keys(loc: Sequence[str | int], kind: type[Slice]) -> list[str]:
    """Keys of the slice at a location, found by walking the schema's own annotations."""
    schema = kind.model_json_schema()
    node = schema
    for part in loc:
        node = _resolve(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    return sorted(_resolve(schema, node).get("properties", {}))


def _resolve(schema: dict, node: dict) -> dict:
    for option in (node, *node.get("anyOf", ())):
        if "$ref" in option:
            return schema["$defs"][option["$ref"].rsplit("/", 1)[1]]
    return node

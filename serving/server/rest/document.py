"""A request's JSON as TF Serving's parser, rapidjson, takes it: NaN and Infinity are numbers, what follows the document is not
looked at, a string's bytes are whatever they are. orjson reads what is strict, which is nearly all; the standard library the rest.

Differs: the last of a member's values holds where rapidjson takes the first; nesting is limited; a value in a message is cut.
"""

import json
import math
import re
from typing import Any

import orjson

from serving.server.status import ServingError

SHOWN = 500  # characters of a value that a message repeats
TYPES = {type(None): "Null", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
SPACE = " \n\r\t"
LEAST, LARGEST = -(2**63), 2**64 - 1  # of what rapidjson keeps as an integer
SAID = {  # what Python's parser says, and rapidjson's words for it
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
    "Invalid control character at": "Invalid encoding in string.",
}
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRING_OR_BRACKET = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_CONSTANT = re.compile(r"-?Inf(?:inity)?|-NaN")  # that rapidjson knows and Python does not, or by another name
_STRING_OR_CONSTANT = re.compile(rf"{_STRING}|(?P<constant>{_CONSTANT.pattern})", re.DOTALL)
_ESCAPE = re.compile(  # a pair of surrogates, half of one, or any other escape
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


class _TooBig(ValueError):
    """A number that is no double."""


def parse(body: bytes) -> dict[str, Any]:
    """The object that a request's body is.

    Returns:
        dicts, lists, str (a byte that is no UTF-8 as a surrogate, as os.fsdecode has it), bool, None, int where rapidjson has an
        integer of 64 bits, else float.

    Raises:
        ServingError: INVALID_ARGUMENT, with rapidjson's words and the offset in bytes.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _leniently(body.decode("utf-8", "surrogateescape").removeprefix("\ufeff"))
    if not isinstance(value, dict):
        raise invalid(f"JSON Value: {shown(value)} Is not object")
    return value


def invalid(message: str) -> ServingError:
    return ServingError("INVALID_ARGUMENT", message)


def type_name(value: Any) -> str:
    """rapidjson's name of a value's type, for messages."""
    return str(value) if isinstance(value, bool) else TYPES[type(value)]


def shown(value: Any) -> str:
    """A value for a message, of SHOWN characters at most."""
    said = ""
    try:
        for piece in json.JSONEncoder(indent=4, ensure_ascii=False).iterencode(value):
            said += piece[: SHOWN + 1]
            if len(said) > SHOWN:
                return f"{said[:SHOWN]}..."
    except RecursionError:
        said += "..."
    return said


def utf8(text: str) -> bytes:
    """The bytes that a string of a document had."""
    return text.encode("utf-8", "surrogateescape")


def _leniently(text: str, is_rewritten: bool = False) -> Any:
    start = len(text) - len(text.lstrip(SPACE))
    if text[start : start + 1] in ("", "\0"):
        raise _parse_error("The document is empty.", text, start)
    try:
        value, end = json.JSONDecoder(parse_float=_double, parse_int=_integer).raw_decode(text, start)
    except _TooBig as error:
        raise _parse_error("Number too big to be stored in double.", text, text.find(str(error))) from None
    except RecursionError:
        raise invalid("JSON Parse error: The document is nested too deeply.") from None
    except json.JSONDecodeError as error:
        if not is_rewritten and _CONSTANT.match(text, error.pos):
            return _leniently(_STRING_OR_CONSTANT.sub(_as_python_has_it, text), is_rewritten=True)
        raise _parse_error(_said(error, text), text, error.pos) from None
    half = next((escape for escape in _ESCAPE.finditer(text, start, end) if escape["half"]), None)
    if half:
        raise _parse_error("The surrogate pair in string is invalid.", text, half.start())
    return value


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _TooBig(text)
    return value


def _integer(text: str) -> int | float:
    if len(text) <= 20 and LEAST <= (value := int(text)) <= LARGEST:
        return value
    return _double(text)


def _as_python_has_it(match: re.Match) -> str:
    if not match["constant"]:
        return match[0]
    if "NaN" in match[0]:
        return "NaN"
    return "-Infinity" if match[0].startswith("-") else "Infinity"


def _said(error: json.JSONDecodeError, text: str) -> str:
    for start, words in SAID.items():
        if error.msg.startswith(start):
            return words
    if text[error.pos - 1].isdigit() and text[error.pos : error.pos + 1] in (".", "e", "E"):
        return "Miss fraction part in number." if text[error.pos] == "." else "Miss exponent in number."
    opened = []
    for token in _STRING_OR_BRACKET.finditer(text, 0, error.pos):
        if token[0] in "[{":
            opened.append(token[0])
        elif token[0] in "]}":
            opened.pop()
    if opened[-1] == "[":
        return "Missing a comma or ] after an array element."
    return "Missing a comma or } after an object member."


def _parse_error(words: str, text: str, position: int) -> ServingError:
    return invalid(f"JSON Parse error: {words} at offset: {len(utf8(text[:position]))}")

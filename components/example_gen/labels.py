"""Labels as tables and records write them: which texts mean that there is none, and which are the same class."""

import re
import unicodedata
from collections.abc import Collection, Mapping

# What pandas.read_csv takes as missing by default ("na_values" in its documentation), beside the empty text.
MISSING = frozenset(
    (
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    )
)
NUMBERS = frozenset(("-NaN", "-nan", "NaN", "nan", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"))  # those that are nobody's class
EMPTY, SEVERAL, NO_COLUMN = "empty", "several labels", "no column is 1"  # why an image has no label, beside a text of MISSING
SHOWN = 5  # reasons that a sentence names
_BOOLEANS = {"TRUE": "True", "true": "True", "FALSE": "False", "false": "False"}  # what pandas.read_csv takes for one
_WHOLE_FLOAT = re.compile(r"([+-]?[0-9]+)\.0*")


def read(text: str, markers: Collection[str] = MISSING) -> tuple[str | None, str | None]:
    """(class, None), or (None, why there is none). A class is as `spelling` writes it."""
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        return None, EMPTY
    if text in markers:
        return None, text
    text = spelling(text)
    return (None, text) if text in markers else (text, None)


def spelling(text: str) -> str:
    """The one way in which a class is written: composed (NFC), TRUE and true as True (so too False), and a whole number that is
    written as a float as the whole number, 1.0 as 1."""
    text = unicodedata.normalize("NFC", text)
    whole = _WHOLE_FLOAT.fullmatch(text)
    return str(int(whole[1])) if whole else _BOOLEANS.get(text, text)


def markers(asked: Collection[str] | None) -> Collection[str]:
    """Those of data.missing_markers."""
    return MISSING if asked is None else frozenset(unicodedata.normalize("NFC", text) for text in asked)


def reasons(counts: Mapping[str, int]) -> str:
    """Why images have no label, with their counts, the most frequent first: "12 nan, 3 empty"."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    more = f" and {len(ordered) - SHOWN} other reasons" if len(ordered) > SHOWN else ""
    return ", ".join(f"{count:,} {reason}" for reason, count in ordered[:SHOWN]) + more


def doubt(counts: Mapping[str, int]) -> str:
    """How to keep a class that is called as what pandas takes for missing; "" where nothing is like that."""
    texts = sorted(set(counts) & (MISSING - NUMBERS))
    return f"if {' or '.join(texts)} is a class of yours, set data.missing_markers: []" if texts else ""

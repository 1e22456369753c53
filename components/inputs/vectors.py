"""Vectors of words that others have trained, from a text file: a word and its numbers a line, parted by spaces, as GloVe has them
(Pennington et al. 2014), and the same behind a line of how many rows and numbers there are, as word2vec and fastText do.

Nothing in the file is run, and of its rows only those of the words asked for are kept in memory.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from components.inputs.beside import VECTORS, located
from configs.errors import UsageError

MAX_ROWS = 20_000_000
MAX_DIMENSIONS = 4096
MAX_LINE = 2**18  # bytes
MAX_VALUES = 2**29  # that are kept: 2 GiB
FORM = (
    "A line is a word and its numbers, parted by spaces, as GloVe, word2vec and fastText write text. Unpack an archive, and write "
    "a binary file of word2vec as text."
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Vectors(NamedTuple):
    """values: float32 [words, dimensions], 0 where a word has no vector. is_known: bool [words]. repeated: rows of a word that had
    one before; the first counts."""

    values: np.ndarray
    is_known: np.ndarray
    repeated: int


class _Head(NamedTuple):
    """rows: as the first line has them; None where that is a row itself."""

    rows: int | None
    dimensions: int


def dimensions(path: str) -> int:
    """How many numbers a vector of a file has. Raises UsageError, by the first two lines, for what is no such file."""
    file = located(path)
    with file.open("rb") as opened:
        return _head(file, opened).dimensions


def read(path: str, words: Sequence[str]) -> Vectors:
    """The vectors of `words`, in their order.

    Of each line the number of numbers is checked, and of those that are kept the numbers themselves. A word with spaces in it, as a
    few large files have them, is no token and passed over.

    Raises:
        UsageError: for a line that is damaged, with its number, another number of lines than the first one says, and a file that
            has none of the words.
    """
    file = located(path)
    places = {word.encode(): place for place, word in enumerate(words)}
    with file.open("rb") as opened:
        head = _head(file, opened)
        if len(words) * head.dimensions > MAX_VALUES:
            size = 4 * len(words) * head.dimensions / 2**30
            raise UsageError(
                f"{VECTORS}: {len(words):,} words of {head.dimensions:,} numbers take {size:.1f} GiB.",
                "Lower transform.text.vocabulary, or take shorter vectors.",
            )
        values = np.zeros((len(words), head.dimensions), np.float32)
        is_known, repeated, rows = np.zeros(len(words), bool), 0, 0
        opened.seek(0)
        for number, line in _lines(file, opened):
            if number == 1 and head.rows is not None:
                continue
            rows += 1
            word, numbers = _row(file, number, line, head.dimensions)
            place = places.get(word)
            if place is None:
                continue
            if is_known[place]:
                repeated += 1
                continue
            values[place], is_known[place] = _values(file, number, numbers), True
    if head.rows not in (None, rows):
        raise UsageError(
            f"{VECTORS}: {file} has {rows:,} rows, and its first line says {head.rows:,}.", "Is it whole? Fetch it again."
        )
    if not is_known.any():
        raise UsageError(
            f"{VECTORS}: {file} has none of the {len(words):,} words of the training split.",
            "Is it of the same language? With transform.text.lower its words in lower case alone are met, and with unit: character "
            "those of one character.",
        )
    return Vectors(values, is_known, repeated)


def _head(file: Path, opened: BinaryIO) -> _Head:
    lines = _lines(file, opened)
    number, line = next(lines, (1, b""))
    fields = line.split()
    rows = None
    if len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit():
        rows, size = int(fields[0]), int(fields[1])
        number, line = next(lines, (2, b""))
    else:
        size = len(fields) - 1
    if not 0 < size <= MAX_DIMENSIONS:
        raise _damaged(file, 1, f"has {max(size, 0):,} numbers, and a vector 1 to {MAX_DIMENSIONS:,}")
    _values(file, number, _row(file, number, line, size)[1])
    return _Head(rows, size)


def _lines(file: Path, opened: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(1, first line) and so on, without what ends them."""
    number = 0
    while line := opened.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise _damaged(file, number, f"has more than {MAX_LINE:,} bytes")
        if number > MAX_ROWS:
            raise UsageError(f"{VECTORS}: {file} has more than {MAX_ROWS:,} lines.", "Keep the more frequent words' rows alone.")
        yield number, (line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line).rstrip(b" \t\r\n")


def _row(file: Path, number: int, line: bytes, size: int) -> tuple[bytes | None, list[bytes]]:
    """The word, None of one with spaces in it, and its `size` numbers, as they are written."""
    if line.count(b" ") == size:
        word, _, numbers = line.partition(b" ")
        fields = numbers.split()
        if len(fields) == size:
            return word, fields
    fields = line.split()
    if len(fields) == size + 1:
        return fields[0], fields[1:]
    if len(fields) > size + 1 and _number(fields[-size - 1]) is None:
        return None, fields[-size:]
    raise _damaged(file, number, f"has {max(len(fields) - 1, 0):,} numbers, and the vectors of this file {size:,}")


def _values(file: Path, number: int, fields: Sequence[bytes]) -> np.ndarray:
    """float32 [dimensions], finite."""
    parsed = [_number(field) for field in fields]
    for field, value in zip(fields, parsed, strict=True):
        if value is None or not abs(value) <= float(np.finfo(np.float32).max):
            raise _damaged(file, number, f"has {field[:40].decode(errors='replace')!r} where a finite number stands")
    return np.array(parsed, np.float32)


def _number(field: bytes) -> float | None:
    """None for what is none; nan is one."""
    try:
        return float(field)
    except ValueError:
        return None


def _damaged(file: Path, number: int, what: str) -> UsageError:
    return UsageError(f"{VECTORS}: line {number:,} of {file} {what}.", FORM)

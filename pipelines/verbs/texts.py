"""Texts as a person gives them, and what a SavedModel answers about them. Used in the worker process."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from components.example_gen import csv
from components.inputs import storage_of
from components.inputs.storing import Damaged
from configs.errors import UsageError
from configs.schema.data import DataConfig

BATCH = 256


class Asked(NamedTuple):
    """One text, and where it stands; neither file nor line for one that was typed."""

    text: str
    file: str | None = None
    line: int | None = None


class Answer(NamedTuple):
    """About one text: the outputs, by name, as NumPy arrays of one text; or what is wrong with it."""

    asked: Asked
    outputs: Mapping[str, Any] = MappingProxyType({})
    error: str | None = None


def given(files: Sequence[str], typed: Sequence[str], column: str | None) -> list[Asked]:
    """Texts that were typed, then those of the files, in order: the lines of a text file that are not blank, or a column of a CSV.

    Args:
        column: of tables; None: the one with a usual name.

    Raises:
        UsageError: for what is no file or not UTF-8, a table without such a column, a column without a table, or no text.
    """
    tables = [file for file in files if Path(file).suffix.lower() == ".csv"]
    if column is not None and not tables:
        raise UsageError(f"--column {column} is of a table, and none is given.", "Name a file that ends in .csv, or leave it out.")
    texts = [Asked(text) for text in typed]
    for file in files:
        texts += _of_table(file, column) if file in tables else _of_lines(file)
    if not texts:
        raise UsageError("There is no text.", "Give --text TEXT, files of a text a line, or tables that end in .csv.")
    return texts


def _of_lines(file: str) -> list[Asked]:
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").split("\n")  # str.splitlines would part a text at a form feed too
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8.", "A file of texts has one a line, as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Give a text itself as --text TEXT.") from None
    return [Asked(line, file, number) for number, line in enumerate(lines, 1) if line.strip()]


def _of_table(file: str, column: str | None) -> Iterator[Asked]:
    """Rows as the source csv: reads them, so that quotes and delimiters mean the same."""
    for line, text in csv.texts(file, column):
        yield Asked(text, file, line)


def row(answer: Answer) -> dict[str, Any]:
    """What the JSON of a verb says of one text: {text}, where it comes from a file {text, file, line}, with {error} besides where
    there is one."""
    asked = answer.asked
    told = {"text": asked.text} | ({} if asked.file is None else {"file": asked.file, "line": asked.line})
    return told | ({} if answer.error is None else {"error": answer.error})


def answers(function: Callable, texts: Sequence[Asked]) -> Iterator[Answer]:
    """What a signature that takes `text` says of each, in order; one that training would have set aside fails alone."""
    import tensorflow as tf

    storage, data = storage_of("text"), DataConfig()
    for start in range(0, len(texts), BATCH):
        batch, wrong = texts[start : start + BATCH], {}
        for place, asked in enumerate(batch):
            try:
                storage.store(asked.text.encode(errors="surrogateescape"), data)
            except Damaged as error:
                wrong[place] = str(error)
        sound = [asked.text.encode() for place, asked in enumerate(batch) if place not in wrong]
        outputs = function(text=tf.constant(sound)) if sound else {}
        arrays, at = {name: value.numpy() for name, value in outputs.items()}, itertools.count()
        for place, asked in enumerate(batch):
            if place in wrong:
                yield Answer(asked, error=wrong[place])
            else:
                number = next(at)
                yield Answer(asked, {name: value[number] for name, value in arrays.items()})

"""Texts: typed, a text a line of a file, or a column of a table."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from components import keys
from components.example_gen import csv
from configs.errors import UsageError
from configs.schema.data import DataConfig
from pipelines.verbs.asking import base

BATCH = 256
TABLES = (".csv", ".tsv")


class Asked(NamedTuple):
    """One text, and where it stands; neither file nor line for one that was typed."""

    text: str
    file: str | None = None
    line: int | None = None


class Asking(base.Asking):
    """A row is {text} of one that was typed, {text, file, line} of a file's."""

    batch = BATCH

    def examples(self, given, model, out=None):
        """Raises UsageError as `given`."""
        return texts(given.files, given.texts, given.column)

    def file(self, example):
        return Path("typed" if example.file is None else f"{Path(example.file).stem}-{example.line}")

    def files(self, examples):
        return [Path(file) for file in {example.file for example in examples} - {None}]

    def row(self, example):
        return {"text": example.text} | ({} if example.file is None else {"file": example.file, "line": example.line})

    def end(self, served):
        return keys.TEXT_END  # without the tables that the graph has behind it

    def encoded(self, example):
        """As it was given: what a model sees of it is the graph's work."""
        return self.storage.store(example.text.encode(errors="surrogateescape"), DataConfig()).encoded


def texts(files: Sequence[str], typed: Sequence[str], column: str | None) -> list[Asked]:
    """Texts that were typed, then those of the files, in order: the lines of a text file that are not blank, or a column of a CSV.

    Args:
        column: of tables; None: the one with a usual name.

    Raises:
        UsageError: for what is no file or not UTF-8, a table without such a column, a column without a table, or no text.
    """
    tables = [file for file in files if Path(file).suffix.lower() in TABLES]
    if column is not None and not tables:
        raise UsageError(
            f"--column {column} is of a table, and none is given.", "Name a file that ends in .csv or .tsv, or leave it out."
        )
    asked = [Asked(text) for text in typed]
    for file in files:
        asked += _of_table(file, column) if file in tables else _of_lines(file)
    if not asked:
        raise UsageError("There is no text.", "Give --text TEXT, files of a text a line, or tables that end in .csv or .tsv.")
    return asked


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

"""Source `csv:PATH`: a table with a header, whose rows name image files and their classes.

The columns of the image and of the label are found by their usual names, or named by data.features; a column `split` is used where
there is one. Paths start from the table's folder and stay in it. Labels stand in the order of components.example_gen.classes; an
empty one means that the image has none. An image's id is its path, or data.features' `id`.
"""

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from components.example_gen import classes, files
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import UsageError

IMAGE = (
    "path",
    "file",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "image",
    "image_path",
    "image_name",
    "img",
    "image_id",
    "id",
)
LABEL = ("label", "class", "target", "category", "class_name", "labels")
SPLIT = "split"
DELIMITERS = (",", ";", "\t")
ADDED = (".png", ".jpg", ".jpeg")  # tried for names that have no extension


class _Row(NamedTuple):
    """One line: the path below the table's folder, label, our split and id as text; "" for no label, None for no id."""

    line: int
    path: str
    label: str
    split: str
    image_id: str | None


class _Columns(NamedTuple):
    """Places of the columns in a line."""

    image: int
    label: int | None
    split: int | None
    image_id: int | None


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources. Looks at the header and the first row; only `locate` knows data.features."""
    path = files.absolute(rest)
    if next(_lines(path, *_header(path)), None) is None:
        raise _empty(path)


def locate(rest: str, datasets: Path, features: Mapping[str, str]) -> Located:
    """See components.example_gen.sources."""
    path = files.absolute(rest)
    address = {"path": path, "features": dict(features)}
    rows = _rows(address)
    root = os.path.dirname(path)
    if not any(os.path.isfile(os.path.join(root, row.path)) for row in rows):
        raise UsageError(
            f"None of the {len(rows)} images that {path} names is there, such as {os.path.join(root, rows[0].path)}.",
            "Paths start from the folder of the CSV file; data.features: {image: COLUMN} names another column.",
        )
    digested = files.digested(root, [os.path.basename(path), *(row.path for row in rows)], datasets)
    return Located(address, digested, _class_names(rows))


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources."""
    rows = _rows(address)
    names = _class_names(rows)
    labels = {name: label for label, name in enumerate(names)}
    by_split: dict[str, list[files.File]] = {}
    for row in rows:
        by_split.setdefault(row.split, []).append(files.File(row.path, labels.get(row.label), row.image_id))
    return files.contents(names, by_split)


def images(address: Mapping[str, Any], shard: str) -> Iterator[Raw]:
    """See components.example_gen.sources. A file that is not there raises OSError when it is read."""
    return files.images(os.path.dirname(address["path"]), shard)


def columns(address: Mapping[str, Any]) -> dict[str, Any]:
    """Which columns are read: {image, label, split, id: name or None, unused: names}, those of the label a list where they are
    several."""
    header, _ = _header(address["path"])
    places = _columns(address["path"], header, address["features"])
    read = {"image": places.image, "label": places.label, "split": places.split, "id": places.image_id}
    named = {kind: None if place is None else header[place] for kind, place in read.items()}
    return {**named, "unused": [name for place, name in enumerate(header) if place not in read.values()]}


def _class_names(rows: list[_Row]) -> list[str]:
    return classes.in_order(row.label for row in rows if row.label)


def _rows(address: Mapping[str, Any]) -> list[_Row]:
    """Every row. Raises UsageError, with the number of the line, for what is no such table."""
    path = address["path"]
    header, delimiter = _header(path)
    columns = _columns(path, header, address["features"])
    rows, seen = [], {}
    for line, cells in _lines(path, header, delimiter):
        row = _row(path, line, cells, columns)
        if row.path in seen:
            raise UsageError(
                f"{path}, line {line}: {row.path!r} stands in line {seen[row.path]} already.",
                "Give each image one line and one label.",
            )
        seen[row.path] = line
        rows.append(row)
    if not rows:
        raise _empty(path)
    return rows


def _row(path: str, line: int, cells: list[str], columns: _Columns) -> _Row:
    def cell(column: int | None) -> str:
        return "" if column is None else cells[column].strip()

    split = cell(columns.split).lower()
    if columns.split is not None and split not in files.SPLITS:
        raise UsageError(f"{path}, line {line}: {split!r} is no split.", f"A split is one of: {', '.join(files.SPLITS)}.")
    image_id = None if columns.image_id is None else cell(columns.image_id)
    if image_id == "":
        raise UsageError(f"{path}, line {line}: the id is empty.", "Give every image an id, or leave data.features.id out.")
    image = _image(path, line, cells[columns.image])
    return _Row(line, image, cell(columns.label), files.SPLITS[split] if split else "all", image_id)


def _image(path: str, line: int, name: str) -> str:
    """Path below the table's folder, with an extension where one is missing and such a file is there."""
    root = os.path.join(os.path.dirname(path), "")
    if not name.strip() or "\0" in name:
        raise UsageError(f"{path}, line {line}: no image is named.", "Give every line the path of its image, or remove the line.")
    whole = os.path.normpath(os.path.join(root, name))
    if not whole.startswith(root):
        raise UsageError(
            f"{path}, line {line}: {name!r} lies outside {root}.", "Put the CSV file into a folder that holds the images."
        )
    found = next((whole + end for end in ("", *ADDED) if os.path.isfile(whole + end)), whole)
    return found.removeprefix(root)


def _columns(path: str, header: list[str], features: Mapping[str, str]) -> _Columns:
    """Where what stands. Raises UsageError for a column that is not there, is there twice, or cannot be guessed."""
    for kind, name in features.items():
        if header.count(name) != 1:
            raise UsageError(
                f"{path} has {'no' if name not in header else 'more than one'} column {name!r}, which data.features.{kind} names.",
                f"Its columns are: {', '.join(header)}.",
            )
    usual = [name.lower() for name in header]
    taken = set(features.values())

    def place(kind: str, names: tuple[str, ...]) -> int | None:
        if kind in features:
            return header.index(features[kind])
        return next((usual.index(n) for n in names if n in usual and header[usual.index(n)] not in taken), None)

    image = place("image", IMAGE)
    if image is None:
        raise UsageError(
            f"{path} has no column of images, such as path, file or image; it has: {', '.join(header)}.",
            "Name the columns: data.features: {image: COLUMN, label: COLUMN}",
        )
    return _Columns(image, place("label", LABEL), place(SPLIT, (SPLIT,)), place("id", ()))


def _header(path: str) -> tuple[list[str], str]:
    """Names of the columns, and the delimiter: the one that parts the header into most."""
    if not os.path.isfile(path):
        raise UsageError(
            f"{path} is no file." if os.path.exists(path) else f"There is no file {path}.",
            "data.source is csv:PATH; a relative PATH starts from the current directory.",
        )
    firsts = [(next(_lines(path, None, delimiter), (0, []))[1], delimiter) for delimiter in DELIMITERS]
    cells, delimiter = max(firsts, key=lambda first: len(first[0]))
    if not cells:
        raise _empty(path)
    return [cell.strip() for cell in cells], delimiter


def _lines(path: str, header: list[str] | None, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each line that is not blank; after the header and as long as it, if one is given."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)
            try:
                found = ((reader.line_num, cells) for cells in reader if cells)
                if header is not None:
                    next(found, None)
                for line, cells in found:
                    if header is not None and len(cells) != len(header):
                        raise UsageError(
                            f"{path}, line {line} has {len(cells)} cells and the header {len(header)}.",
                            "Put cells that hold a delimiter into double quotes.",
                        )
                    yield line, cells
            except csv.Error as error:
                raise UsageError(
                    f"{path}, line {reader.line_num} is no CSV: {error}.", "Look for a double quote too many."
                ) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}, line {_first_undecodable(path)} is not UTF-8.", "Save the table as UTF-8.") from None
    except OSError as error:
        raise files.unreadable(error, path) from None


def _first_undecodable(path: str) -> int:
    for number, line in enumerate(Path(path).read_bytes().split(b"\n"), 1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return number
    return 1


def _empty(path: str) -> UsageError:
    return UsageError(f"{path} has no rows.", "It needs a header, such as `path,label`, and a row for each image.")

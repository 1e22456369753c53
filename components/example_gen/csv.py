"""Source `csv:PATH`: a table with a header, whose rows name image files and their classes, or hold texts and theirs.

The columns of what is read and of the label are found by their usual names, or named by data.features; a column `split` is used
where there is one. Paths start from the table's folder, or from data.images, and stay in it; components.example_gen.lookup finds
files. Labels are read as components.example_gen.labels says, or from one-hot columns, and stand in the order of
components.example_gen.classes. An image's id is its path, a text's the table's name and its line; or data.features' `id`.
Further targets are named by data.features:
`labels`, a list of columns of 0 or 1, each a class that an image may have beside others; `mask`, a column of paths of grey images
whose values are classes, empty where an image has none, or a list of such columns, a class each; `objects`, a column of JSON lists,
a box and its class each, as COCO writes them: [{"bbox": [x, y, width, height], "category": NAME}, ...]; `text`, beside images a
column of what is said of each, or a list of columns. Lines of one image that say something else of it, or name another mask, an
instance each, are one image.
"""

import csv
import dataclasses
import functools
import hashlib
import itertools
import json
import math
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components import keys
from components.example_gen import classes, files, labels, lookup, sources
from components.example_gen import columns as choice
from components.example_gen.columns import Columns
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import UsageError

TAKES = ("images", "missing_markers")
READS = tuple(choice.READ)
NAMELESS = {keys.MASK: keys.MASK, sources.CAPTIONS: keys.CAPTIONS}  # keys of data.features -> targets
TEXTS = 20_000  # a shard: each reads the table anew
MAX_CELL = 2**26  # characters; longer than any text that is kept (components.inputs.storing), which sets such a one aside
DELIMITERS = (",", ";", "\t")
ID = "id"  # a column of names of files, or of numbers
LOOKED_AT = 100  # rows that tell whether a table is of images or of texts
ASKED = 3  # rows whose images are looked for elsewhere, where they are not where they should be


class _NoCsv(UsageError):
    """With this delimiter a file is no CSV."""


class _Row(NamedTuple):
    """One line: the path below the folder of the images, or the text; label, our split and id as text; "" for no label, None for no
    id, why there is no label, and further targets as files.File has them, but for names in the place of classes."""

    line: int
    read: str
    label: str
    split: str
    image_id: str | None
    why: str | None
    targets: Mapping[str, Any]


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources. Looks at the header and the first row; only `locate` knows data.features."""
    path = files.absolute(rest)
    if next(_lines(path, *_header(path)), None) is None:
        raise _empty(path)


def locate(
    rest: str,
    datasets: Path,
    features: Mapping[str, str | Sequence[str] | None],
    images: str | None = None,
    missing_markers: Collection[str] | None = None,
    reads: str = "image",
) -> Located:
    """See components.example_gen.sources. `images` and `missing_markers` are those of DataConfig."""
    path = files.absolute(rest)
    address = {"path": path, "features": dict(features), "images": images, "missing_markers": missing_markers}
    address |= {"reads": reads} if reads != "image" else {}
    header, delimiter = _header(path)
    columns, rows, root = choice.find(path, header, features, reads), _rows(address), _root(address)
    if reads == "text":
        return _of_texts(address, rows, columns, header, datasets)
    is_there = any(os.path.isfile(os.path.join(root, row.read)) for row in rows)
    is_unsaid = not columns.label and "label" not in features and not columns.further and columns.unused(header)
    if not is_there or is_unsaid:
        table = [cells for _, cells in _lines(path, header, delimiter)]
        elsewhere = None if is_there else _none_there(path, root, [cells[columns.read] for cells in table])
        if not is_unsaid:
            raise elsewhere
        unknown = choice.unknown_label(path, header, columns, table)
        told = f" {elsewhere.message} {elsewhere.hint}" if elsewhere else ""
        raise UsageError(unknown.message, unknown.hint + told, **unknown.details)
    paths = [path for row in rows for path in (row.read, *_files(row.targets))]
    if images is None:
        digested = files.digested(root, [os.path.basename(path), *paths], datasets)
    else:
        parts = files.digested(os.path.dirname(path), [os.path.basename(path)], datasets), files.digested(root, paths, datasets)
        digested = hashlib.sha256(" ".join(parts).encode()).hexdigest()
    return _located(address, rows, digested)


def _files(targets: Mapping[str, Any]) -> Iterator[str]:
    """Paths of the files that targets are read from."""
    for value in targets.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from (path for path, _ in value[files.PARTS])


def _of_texts(address: Mapping[str, Any], rows: list[_Row], columns: Columns, header: Sequence[str], datasets: Path) -> Located:
    path = address["path"]
    if not columns.label and "label" not in address["features"] and not columns.further and columns.unused(header):
        raise choice.unknown_label(path, header, columns, [cells for _, cells in _lines(path, *_header(path))])
    if strange := {keys.MASK, keys.OBJECTS} & set(address["features"]):
        raise UsageError(f"data.features.{min(strange)} is of images, and the model reads texts.", "Take it out.")
    return _located(address, rows, files.digested(os.path.dirname(path), [os.path.basename(path)], datasets))


def _located(address: Mapping[str, Any], rows: list[_Row], digested: str) -> Located:
    missing = Counter(row.why for row in rows if row.why)
    return Located(address, digested, _class_names(address, rows), unlabelled=dict(missing))


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. A shard of texts is a split and the places of its first row and of that behind its last
    one among the rows of the split."""
    rows = _rows(address)
    names, further = _class_names(address, rows), _names(address, rows)
    if _reads(address) == "text":
        counts = Counter(row.split for row in rows)
        shards = {split: [[split, at, at + TEXTS] for at in range(0, count, TEXTS)] for split, count in counts.items()}
        return Contents(names, shards, dict(counts), further)
    places = {name: label for label, name in enumerate(names)}
    categories = {name: place for place, name in enumerate(further.get(keys.OBJECTS, []))}
    by_split: dict[str, list[files.File]] = {}
    for row in rows:
        targets = dict(row.targets)
        if keys.OBJECTS in targets:
            targets[keys.OBJECTS] = [(*box, categories[name]) for *box, name in targets[keys.OBJECTS]]
        file = files.File(row.read, places.get(row.label), row.image_id, row.why, targets or None)
        by_split.setdefault(row.split, []).append(file)
    return dataclasses.replace(files.contents(names, by_split), targets=further)


def images(address: Mapping[str, Any], shard: str | Sequence[Any]) -> Iterator[Raw]:
    """See components.example_gen.sources. A file that is not there raises OSError when it is read."""
    return _texts(address, *shard) if _reads(address) == "text" else files.images(_root(address), shard)


def _texts(address: Mapping[str, Any], split: str, start: int, end: int) -> Iterator[Raw]:
    rows, name = _rows(address), os.path.basename(address["path"])
    places = {name: label for label, name in enumerate(_class_names(address, rows))}
    for row in [row for row in rows if row.split == split][start:end]:
        example_id = f"{name}#{row.line}" if row.image_id is None else row.image_id
        targets = {target: functools.partial(_as_it_is, value) for target, value in row.targets.items()}
        yield Raw(row.read.encode, os.fsencode(example_id), places.get(row.label), targets, row.why)


def _as_it_is(value: Any) -> Any:
    return value


def texts(path: str, column: str | None) -> Iterator[tuple[int, str]]:
    """(line, text) of each row of a table, whatever else stands in it; `column` None: the one with a usual name.

    Raises:
        UsageError: for no such column, and for what is no table.
    """
    header, delimiter = _header(path)
    place = choice.find(path, header, {"label": None, **({"text": column} if column else {})}, "text").read
    return ((line, cells[place]) for line, cells in _lines(path, header, delimiter))


def _reads(address: Mapping[str, Any]) -> str:
    return address.get("reads", "image")


def columns(address: Mapping[str, Any]) -> dict[str, Any]:
    """Which columns are read: {image (or text), label, split, id: name or None, unused: names}; for one-hot labels a list of names;
    and the columns of further targets, by target, each a list."""
    header, _ = _header(address["path"])
    columns = choice.find(address["path"], header, address["features"], _reads(address))
    read = {_reads(address): columns.read, "split": columns.split, "id": columns.image_id}
    named = {kind: None if place is None else header[place] for kind, place in read.items()}
    label = [header[place] for place in columns.label]
    further = {target: [header[place] for place in places] for target, places in columns.further.items()}
    return {**named, "label": label if len(label) > 1 else next(iter(label), None), "unused": columns.unused(header), **further}


def holds(rest: str, features: Mapping[str, Any], images: str | None = None, datasets: Path = Path()) -> str:
    """The kind of what a table is of, where nobody says it: texts where data.features names their column, or where one has a usual
    name of texts and none one of images; otherwise images. `id` is a usual name of both, so the files decide there."""
    if "text" in features and "image" not in features:
        return "text"
    path = files.absolute(rest)
    header, delimiter = _header(path)
    usual = [name.lower() for name in header]
    is_of_images = images is not None or "image" in features or (set(choice.IMAGE) - {ID}) & set(usual)
    if is_of_images or not set(choice.TEXT) & set(usual):
        return "image"
    there = lookup.Lookup(os.path.dirname(path))
    first = itertools.islice(_lines(path, header, delimiter), LOOKED_AT) if ID in usual else ()
    return "image" if any(_is_file(there, cells[usual.index(ID)]) for _, cells in first) else "text"


def _is_file(there: lookup.Lookup, name: str) -> bool:
    try:
        return bool(name.strip()) and "\0" not in name and there.find(os.path.normpath(name)) is not None
    except lookup.Ambiguous:
        return True


def several(rest: str, features: Mapping[str, Any], reads: str = "image") -> list[str]:
    """The columns of 0 and 1 of a table without a label whose rows have several ones; none where a label is there or named."""
    path = files.absolute(rest)
    header, delimiter = _header(path)
    if "label" in features or keys.LABELS in features:
        return []
    columns = choice.find(path, header, features, reads)
    return [] if columns.label else choice.several(header, columns, [cells for _, cells in _lines(path, header, delimiter)])


def _class_names(address: Mapping[str, Any], rows: list[_Row]) -> list[str]:
    """Those that images have, and one-hot columns that none has: a class of which nothing can be learned, and that is said."""
    one_hot = columns(address)["label"]
    return classes.in_order([*(row.label for row in rows if row.label), *(one_hot if isinstance(one_hot, list) else ())])


def _names(address: Mapping[str, Any], rows: list[_Row]) -> dict[str, list[str]]:
    """Further target -> names of its classes: of `labels` the columns as they were named, so too of masks, of a class each, beside
    the background; of one mask or of sentences none."""
    features, classes_of = address["features"], {}
    if keys.LABELS in features:
        classes_of[keys.LABELS] = list(features[keys.LABELS])
    classes_of |= {target: [] for key, target in NAMELESS.items() if key in features and key != _reads(address)}
    if isinstance(features.get(keys.MASK), list):
        classes_of[keys.MASK] = files.with_background(features[keys.MASK])
    if keys.OBJECTS in features:
        classes_of[keys.OBJECTS] = classes.in_order(box[-1] for row in rows for box in row.targets.get(keys.OBJECTS, ()))
    return classes_of


def _root(address: Mapping[str, Any]) -> str:
    """The folder that paths start from: data.images, which itself starts from the table's. Raises UsageError for none."""
    beside, asked = os.path.dirname(address["path"]), address.get("images")
    if asked is None:
        return beside
    root = os.path.normpath(os.path.join(beside, os.path.expanduser(asked)))
    if not os.path.isdir(root):
        raise UsageError(
            f"data.images: {asked}: {root} is no folder." if os.path.exists(root) else f"data.images: there is no folder {root}.",
            f"A relative one starts from the folder of the table, {beside}.",
        )
    return root


def _rows(address: Mapping[str, Any]) -> list[_Row]:
    """Every row. Raises UsageError, with the number of the line, for what is no such table."""
    path = address["path"]
    header, delimiter = _header(path)
    reader = _Reader(address, header, choice.find(path, header, address["features"], _reads(address)))
    rows, seen = [], {}
    for line, cells in _lines(path, header, delimiter):
        row = reader.row(line, cells)
        if row.read in seen and _reads(address) == "image":
            at = seen[row.read]
            rows[at] = _together(path, rows[at], row)
            continue
        seen[row.read] = len(rows)
        rows.append(row)
    if not rows:
        raise _empty(path)
    return _ticked(rows)


def _together(path: str, first: _Row, row: _Row) -> _Row:
    """What two lines of an image say of it. Raises UsageError where they differ in more than its sentences, or its mask."""
    if (masks := _united(first.targets.get(keys.MASK), row.targets.get(keys.MASK))) is not None:
        first, row = (each._replace(targets={**each.targets, keys.MASK: masks}) for each in (first, row))
        if first._replace(line=0) == row._replace(line=0):
            return first
    said = [*first.targets.get(keys.CAPTIONS, ()), *row.targets.get(keys.CAPTIONS, ())]
    bare, other = (each._replace(line=0, targets={**each.targets, keys.CAPTIONS: said}) for each in (first, row))
    if not said or bare != other:
        raise UsageError(
            f"{path}, line {row.line}: {row.read!r} stands in line {first.line} already.",
            "Give each image one line and one label.",
        )
    return bare._replace(line=first.line)


def _united(first: Any, other: Any) -> dict[str, list] | None:
    """A mask of the files that two lines name, one an instance; None where they name none that differ, or files of classes."""
    parts, more = ([[mask, ""]] if isinstance(mask, str) else (mask or {}).get(files.PARTS, []) for mask in (first, other))
    if not parts or not more or more[0] in parts or any(of for _, of in [*parts, *more]):
        return None
    return {files.PARTS: [*parts, *more]}


def _ticked(rows: list[_Row]) -> list[_Row]:
    """The rows with 0 for the empty cells of columns in which people wrote 1 alone; where 0 stands too, an empty cell is a missing
    value, and the row has no labels."""
    of_rows = [row.targets.get(keys.LABELS, ()) for row in rows]
    if not any(None in ones for ones in of_rows):
        return rows
    says_no = [0 in column for column in zip(*filter(None, of_rows), strict=True)]
    settled = []
    for row, ones in zip(rows, of_rows, strict=True):
        if any(mark is None and no for mark, no in zip(ones, says_no, strict=False)):
            rest = {name: value for name, value in row.targets.items() if name != keys.LABELS}
            settled.append(row._replace(why=labels.EMPTY, targets=rest))
        elif ones:
            settled.append(row._replace(targets={**row.targets, keys.LABELS: [mark or 0 for mark in ones]}))
        else:
            settled.append(row)
    return settled


class _Reader:
    """Makes rows of the cells of lines."""

    def __init__(self, address: Mapping[str, Any], header: Sequence[str], columns: Columns):
        self._path, self._header, self._columns = address["path"], header, columns
        self._root, self._is_given = _root(address), address.get("images") is not None
        self._inside = os.path.join(self._root, "")
        self._lookup = lookup.Lookup(self._root)
        self._markers = labels.markers(address.get("missing_markers"))
        self._read = self._text if _reads(address) == "text" else self._image

    def row(self, line: int, cells: Sequence[str]) -> _Row:
        """Raises UsageError for a line that is no row."""
        places = self._columns
        split = "all" if places.split is None else self._split(line, cells[places.split].strip())
        image_id = None if places.image_id is None else cells[places.image_id].strip()
        if image_id == "":
            raise self._wrong(line, "the id is empty.", "Give every row an id, or leave data.features.id out.")
        label, why = self._label(line, [cells[place] for place in places.label])
        targets = {}
        if keys.LABELS in places.further:
            targets[keys.LABELS], why = self._labels(line, places.further[keys.LABELS], cells)
        parts: list[list[str]] = []
        for place in places.further.get(keys.MASK, ()):
            if cells[place].strip():
                parts.append([self._image(line, cells[place]), self._header[place] if len(places.further[keys.MASK]) > 1 else ""])
        if parts:
            targets[keys.MASK] = {files.PARTS: parts} if parts[0][1] else parts[0][0]
        for place in places.further.get(keys.OBJECTS, ()):
            targets[keys.OBJECTS] = self._objects(line, cells[place])
        if keys.CAPTIONS in places.further:
            said = (cells[place].strip() for place in places.further[keys.CAPTIONS])
            targets[keys.CAPTIONS] = [text for text in said if text] or None
        known = {name: value for name, value in targets.items() if value is not None}
        return _Row(line, self._read(line, cells[places.read]), label or "", split, image_id, why, known)

    def _split(self, line: int, name: str) -> str:
        if name.lower() not in keys.SPLIT_WORDS:
            raise self._wrong(line, f"{name.lower()!r} is no split.", f"A split is one of: {', '.join(keys.SPLIT_WORDS)}.")
        return keys.SPLIT_WORDS[name.lower()]

    def _label(self, line: int, cells: Sequence[str]) -> tuple[str | None, str | None]:
        """Class, or None and why; both None where the table has no labels."""
        if len(cells) < 2:
            return labels.read(cells[0], self._markers) if cells else (None, None)
        ones = []
        for place, cell in zip(self._columns.label, cells, strict=True):
            is_one = choice.is_one(cell)
            if is_one is None and cell.strip() not in self._markers:
                raise self._wrong(
                    line,
                    f"{self._header[place]} is {cell.strip()!r}, and a one-hot column has 0 or 1.",
                    "Name one column as the label.",
                )
            if is_one:
                ones.append(self._header[place])
        return (ones[0], None) if len(ones) == 1 else (None, labels.SEVERAL if ones else labels.NO_COLUMN)

    def _labels(self, line: int, places: Sequence[int], cells: Sequence[str]) -> tuple[list[int | None] | None, str | None]:
        """0 or 1 of each class, or None for an empty cell; None, and why, where one of them is missing."""
        ones = []
        for place in places:
            is_one, text = choice.is_one(cells[place]), cells[place].strip()
            if is_one is None and text not in self._markers:
                raise self._wrong(
                    line,
                    f"{self._header[place]} is {text!r}, and a column of data.features.labels has 0 or 1.",
                    "Name columns of 0 and 1 alone; what is not known is written as missing (nan), and leaves the image out.",
                )
            if is_one is None:
                return None, text
            ones.append(int(is_one) if text else None)
        return ones, None

    def _objects(self, line: int, cell: str) -> list[list]:
        """[top, left, bottom, right, name of the class] each, px."""
        try:
            boxes = json.loads(cell) if cell.strip() else []
            return [[y, x, y + h, x + w, _category(box["category"])] for box in boxes for x, y, w, h in [_numbers(box["bbox"])]]
        except (ValueError, TypeError, KeyError):
            raise self._wrong(
                line,
                f"the objects are {cell!r}.",
                'Write a JSON list: [{"bbox": [x, y, width, height], "category": "NAME"}, ...], in px from the upper left corner; '
                "[] for none.",
            ) from None

    def _text(self, line: int, cell: str) -> str:
        """As it is; an empty one is set aside with other damaged ones."""
        return cell

    def _image(self, line: int, name: str) -> str:
        """Path below the root of the file that is meant, or as it is written where there is none."""
        if not name.strip() or "\0" in name:
            raise self._wrong(line, "no image is named.", "Give every line the path of its image, or remove the line.")
        whole = os.path.normpath(os.path.join(self._inside, name))
        below = whole.removeprefix(self._inside) if whole.startswith(self._inside) else None
        try:
            image_path = None if below is None else self._lookup.find(below)
            if image_path is not None:
                return image_path
            path, is_absolute = lookup.written(name)
            if is_absolute and self._is_given:
                image_path = self._lookup.find_end(path)
            elif not is_absolute and "\\" in name:
                image_path = self._lookup.find(path)
        except lookup.Ambiguous as error:
            raise self._wrong(line, f"{name!r} may be any of {error}.", "Write it as the file is called.") from None
        if image_path is not None:
            return image_path
        is_elsewhere = is_absolute and not os.path.exists(name)
        if below is not None and (name.startswith("/") or not is_absolute) and path.split("/")[0] != "..":
            return below
        if is_elsewhere and self._is_given:
            return path
        if is_elsewhere:
            raise self._wrong(
                line,
                f"{name!r} is a path of another machine: it is not there.",
                _elsewhere(self._path, [name])
                or f"Put the images below {self._root} and write paths that start there, or name their folder: data.images: DIR",
            )
        raise self._wrong(
            line,
            f"{name!r} lies outside {self._inside}.",
            "Put the CSV file into a folder that holds the images, or name their folder: data.images: DIR",
        )

    def _wrong(self, line: int, what: str, hint: str) -> UsageError:
        return UsageError(f"{self._path}, line {line}: {what}", hint)


def _category(value: Any) -> str:
    """Raises ValueError for what is no name."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError(value)
    return labels.spelling(str(value))


def _numbers(values: Sequence[float]) -> list[float]:
    """Four. Raises ValueError for other ones, or what is not finite."""
    numbers = [float(value) for value in values]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ValueError(values)
    return numbers


def _none_there(path: str, root: str, names: Sequence[str]) -> UsageError:
    """For a table none of whose images is there."""
    start = "Paths start from the folder of the CSV file" if root == os.path.dirname(path) else "Paths start from data.images"
    return UsageError(
        f"None of the {len(names)} images that {path} names is there, such as {os.path.join(root, names[0])}.",
        _elsewhere(path, names[:ASKED])
        or f"{start}; data.features: {{image: COLUMN}} names another column, data.images: DIR another folder.",
    )


def _elsewhere(path: str, names: Sequence[str]) -> str:
    """The line that would find these images below the table's folder; "" for none."""
    folder = lookup.folder_with(os.path.dirname(path), [lookup.written(name) for name in names])
    if folder == os.curdir:
        return f"They are where the paths start from {os.path.dirname(path)}: take data.images out."
    return f"They are in {os.path.join(os.path.dirname(path), folder)}: data.images: {folder}" if folder else ""


def _header(path: str) -> tuple[list[str], str]:
    """Names of the columns, and the delimiter: of those that quotes allow, the one that parts the header into most."""
    if not os.path.isfile(path):
        raise UsageError(
            f"{path} is no file." if os.path.exists(path) else f"There is no file {path}.",
            "data.source is csv:PATH; a relative PATH starts from the current directory.",
        )
    firsts, refused = [], []
    for delimiter in DELIMITERS:
        try:
            firsts.append((next(_lines(path, None, delimiter), (0, []))[1], delimiter))
        except _NoCsv as error:  # such as "file","label" by semicolons
            refused.append(error)
    cells, delimiter = max(firsts, key=lambda first: len(first[0]), default=([], ""))
    if refused and len(cells) < 2:
        raise refused[0]
    if not cells:
        raise _empty(path)
    return [cell.strip() for cell in cells], delimiter


def _lines(path: str, header: list[str] | None, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each line that is not blank; after the header and as long as it, if one is given."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            csv.field_size_limit(MAX_CELL)
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)
            try:
                rows = ((reader.line_num, cells) for cells in reader if cells)
                if header is not None:
                    next(rows, None)
                for line, cells in rows:
                    if header is not None and len(cells) != len(header):
                        raise UsageError(
                            f"{path}, line {line} has {len(cells)} cells and the header {len(header)}.",
                            "Put cells that hold a delimiter into double quotes.",
                        )
                    yield line, cells
            except csv.Error as error:
                if "field limit" in str(error):
                    raise _NoCsv(
                        f"{path}, line {reader.line_num} has a cell of more than {MAX_CELL:,} characters, the most that is read.",
                        "Shorten it, or look for a double quote that is never closed.",
                    ) from None
                raise _NoCsv(f"{path}, line {reader.line_num} is no CSV: {error}.", "Look for a double quote too many.") from None
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
    return UsageError(f"{path} has no rows.", "It needs a header, such as `path,label`, and a row for each image or text.")

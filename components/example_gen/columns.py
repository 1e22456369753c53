"""Which columns of a table are the image, the label, the split, the id and further targets."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from components import keys
from components.example_gen import labels, sources
from components.image_files import ENDINGS
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
TEXT = ("text", "sentence", "content", "review", "comment", "message", "document", "body", "headline", "title")
READ = {"image": IMAGE, "text": TEXT}  # kind of input -> usual names of its column, the likeliest first
SUCH_AS = {"image": "path, file or image", "text": "text, sentence or review"}
LABEL = ("label", "class", "target", "category", "class_name", "labels")
SPLIT = "split"
_MISSING = {text.lower() for text in labels.MISSING}
YES, NO = ("1", "1.0", "true"), ("0", "0.0", "false", "")  # cells of a one-hot column
LINES = 5  # of data.features that a hint shows
VALUES = 1000  # of a column that are told apart
_INDEX = re.compile(r"(unnamed: [0-9.]+)?")  # what pandas calls a column of row numbers, or leaves without a name
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ -]*")


class Columns(NamedTuple):
    """Places in a line. `read` is of an image's path, or of a text. Several of the label are one-hot, none means that there are no
    labels; further ones are by target."""

    read: int
    label: tuple[int, ...]
    split: int | None
    image_id: int | None
    further: Mapping[str, tuple[int, ...]] = MappingProxyType({})

    def unused(self, header: Sequence[str]) -> list[str]:
        """Names of the other columns, but for those of row numbers."""
        read = {
            self.read,
            *self.label,
            self.split,
            self.image_id,
            *(place for places in self.further.values() for place in places),
        }
        return [name for place, name in enumerate(header) if place not in read and not _INDEX.fullmatch(name.lower())]


def find(path: str, header: Sequence[str], features: Mapping[str, str | Sequence[str] | None], reads: str = "image") -> Columns:
    """The columns that data.features names, and others by their usual names.

    Args:
        reads: kind of input that is read, a key of READ.

    Raises:
        UsageError: for a column that is not there, is there twice (a usual name in any case), or nothing to read.
    """
    given = {kind: [named] if isinstance(named, str) else list(named or ()) for kind, named in features.items()}
    for kind, names in given.items():
        for name in names:
            if header.count(name) != 1:
                raise UsageError(
                    f"{path} has {'no' if name not in header else 'more than one'} column {name!r}, which data.features.{kind} "
                    "names.",
                    f"Its columns are: {', '.join(header)}.",
                )
    usual = [name.lower() for name in header]
    taken = {name for names in given.values() for name in names}

    def places(kind: str, names: Sequence[str]) -> tuple[int, ...]:
        if kind in given:
            return tuple(header.index(name) for name in given[kind])
        called = ([place for place, is_called in enumerate(usual) if is_called == n and header[place] not in taken] for n in names)
        known = next(filter(None, called), [])
        if len(known) > 1:
            raise _several(path, kind, [header[place] for place in known])
        return tuple(known)

    read = places(reads, READ[reads])
    if not read:
        raise UsageError(
            f"{path} has no column of {reads}s, such as {SUCH_AS[reads]}; it has: {', '.join(header)}.",
            f"Name the columns: data.features: {{{reads}: COLUMN, label: COLUMN}}",
        )
    label = places("label", () if keys.LABELS in given else LABEL)
    split, image_id = (next(iter(places(kind, usual_names)), None) for kind, usual_names in ((SPLIT, (SPLIT,)), ("id", ())))
    return Columns(read[0], label, split, image_id, _further(given, places, reads))


def _further(given: Mapping[str, Sequence[str]], places, reads: str) -> dict[str, tuple[int, ...]]:
    """By target; only data.features names them."""
    return {target: places(key, ()) for key, target in sources.TARGETS.items() if key in given and key != reads}


def _several(path: str, kind: str, names: Sequence[str]) -> UsageError:
    """For columns any of which may be the one of a kind by their names."""
    can_be_named = kind != SPLIT and len(set(names)) == len(names)
    return UsageError(
        f"{path} has {len(names)} columns that may be the {kind}: {', '.join(names)}.",
        f"Name one of them: data.features: {{{kind}: {_flow(names[0])}}}"
        if can_be_named
        else "Call them differently in the header, or remove all but one.",
    )


class _Unused(NamedTuple):
    """Columns that nothing uses, with their values; of these the ones of 0 and 1, where they are most; whether a row has several
    ones in them; how many rows there are."""

    values: dict[str, set[str]]
    hot: list[str]
    has_several: bool
    rows: int


def _unused(header: Sequence[str], columns: Columns, rows: Sequence[Sequence[str]]) -> _Unused:
    unused = columns.unused(header)
    values: dict[str, set[str]] = {name: set() for name in unused}
    for cells in rows:
        for name, cells_of in values.items():
            if len(cells_of) <= VALUES:
                cells_of.add(cells[header.index(name)].strip().lower())
    hot = [name for name, cells in values.items() if cells <= {*YES, *NO, *_MISSING} and cells & set(YES)]
    hot = hot if len(hot) > 1 and len(hot) > len(unused) / 2 else []
    places = [header.index(name) for name in hot]
    return _Unused(values, hot, any(sum(bool(is_one(cells[place])) for place in places) > 1 for cells in rows), len(rows))


def several(header: Sequence[str], columns: Columns, rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of 0 and 1 that are no label's, most of what nothing uses, where a row has several ones: classes that an image may
    have several of. Otherwise none."""
    unused = _unused(header, columns, rows)
    return unused.hot if unused.has_several and all(header.count(name) == 1 for name in unused.hot) else []


def unknown_label(path: str, header: Sequence[str], columns: Columns, rows: Sequence[Sequence[str]]) -> UsageError:
    """For a table none of whose columns is known as the label: those that are not used, and how to use each. In its details: label,
    the likeliest column, "null" where all hold paths of images, and None of those that are several together, or of no name."""
    values, one_hot, has_several, lines = _unused(header, columns, rows)
    shown = ", ".join(f"{name} ({_many(len(values_of), 'value')})" for name, values_of in values.items())
    message = f"{path} has no column of labels that hubel knows, such as label or class; nothing uses: {shown}."
    pictures = [name for name, values_of in values.items() if _are_images(values_of)]
    masks = ""
    if pictures:
        which = f"{' and '.join(pictures)} {'holds' if len(pictures) == 1 else 'hold'} paths of images"
        learns = "is for masks, which networks of the task segmentation learn from, such as unet"
        masks = f"{which}: data.features: {{mask: {_flow(pictures[0])}}} {learns}."
    values = {name: values_of for name, values_of in values.items() if name not in pictures}
    if pictures and not values:
        return UsageError(message, f"{masks} data.features: {{label: null}} says that there are no labels.", label="null")
    likely = [name for name, values_of in values.items() if 1 < len(values_of) < max(lines, 3) and name not in one_hot] or [*values]
    likely = [name for name in likely if header.count(name) == 1] or ["COLUMN"]
    asked = ([_flow(one_hot)] if one_hot else []) + [_flow(name) for name in likely][:LINES]
    kinds = [keys.LABELS if one_hot and has_several else "label", *["label"] * len(asked)]
    return UsageError(
        message,
        f"Name it: data.features: {{{kinds[0]}: {asked[0]}}}"
        + "".join(f", or {{label: {line}}}" for line in asked[1:])
        + "; {label: null} says that there are no labels."
        + (f" {masks}" if masks else ""),
        label=None if one_hot or likely == ["COLUMN"] else likely[0],
    )


def _are_images(values: set[str]) -> bool:
    """Whether all are paths of images, but for cells that say that there is none."""
    told = sorted(values - _MISSING - {""})
    return bool(told) and all(PurePosixPath(value).suffix in ENDINGS for value in told)


def is_one(cell: str) -> bool | None:
    """Whether a one-hot column says yes; None for what is neither yes nor no."""
    text = cell.strip().lower()
    return True if text in YES else False if text in NO else None


def _many(count: int, noun: str) -> str:
    more = "more than " if count > VALUES else ""
    return f"{more}{min(count, VALUES):,} {noun}{'' if count == 1 else 's'}"


def _flow(value: str | list[str]) -> str:
    """As it stands in a config."""
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)

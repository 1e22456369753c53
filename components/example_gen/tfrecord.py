"""Source `tfrecord:GLOB`: tf.train.Examples in TFRecord files, plain or GZIP, each file by its first bytes.

A text is bytes of UTF-8, and what is said of an image any number of such. A mask is one encoded file. An image is one encoded
file (bytes), or a list of numbers: a square of 1 channel, or of 3. What white is in such lists is found from the lowest and the
highest number in all files. Features are found by their usual names or named by data.features. Files are splits where each has
one of the words train, validation (valid, val, dev, eval) and test in its name.
"""

import functools
import glob
import gzip
import io
import itertools
import math
import os
import re
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components import examples, keys
from components.example_gen import classes, contained, files, labels, pictures, sources
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import HubelError, UsageError

READS = ("image", "text")
USUAL = {
    "image": ("image/encoded", "image", "image_raw", "image_bytes", "image_floats", "image/raw", "encoded", "img", "jpg", "png"),
    "text": (keys.TEXT, "text", "sentence", "content"),
    "label": ("label", "image/class/label", "image_class", "class", "image/label", "target", "labels", "image/class/text"),
    # our own name last: what has another one too is split by that, as it always was
    "id": (keys.EXAMPLE_ID_BEFORE, "image_id", "id", "image/source_id", keys.EXAMPLE_ID),
}
TAKES = ("missing_markers",)
FURTHER = (keys.MASK, sources.CAPTIONS)  # keys of data.features that name further targets
RANGES = ((0, 1), (-0.5, 0.5), (-1, 1), (0, 255))  # (black, white) of lists of numbers; the first that holds all of them
SLACK = 1e-4  # of a range: what rounding may add
LOOKED_AT = 100  # records
_AROUND = 16  # bytes of a record that are not its content
_HEADER = 12  # the first of them: a record's length and the checksum of that


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources. Looks at the first record's header in each file."""
    for path in _found(rest)[1]:
        _compression(path)


def called(rest: str) -> str:
    """The name of the folder of the shards, whose own are numbers."""
    return Path(rest).parent.name or Path(rest).stem


def locate(
    rest: str,
    datasets: Path,
    features: Mapping[str, str | None],
    missing_markers: Collection[str] | None = None,
    reads: str = "image",
) -> Located:
    """See components.example_gen.sources. The first LOOKED_AT records tell which features there are."""
    root, paths = _found(rest)
    named = _named(rest, contained.features_of(_first(rest, paths)), features, reads)
    address = {"root": root, "files": [os.path.relpath(path, root) for path in paths], "features": named}
    address |= {"reads": reads} if reads != "image" else {}
    return Located({**address, "missing_markers": missing_markers}, held(rest, datasets))


def holds(rest: str, features: Mapping[str, Any], images: str | None = None, datasets: Path = Path()) -> str:
    """The kind of what records are of, where nobody says it: texts where data.features names theirs and no image; else what the
    first LOOKED_AT records hold."""
    if "image" in features or images is not None:
        return "image"
    return "text" if "text" in features else contained.kind(contained.features_of(_first(rest, _found(rest)[1])), USUAL)


def chosen(rest: str, features: Mapping[str, Any], reads: str) -> dict[str, str]:
    """What data.features has to say besides, because by its name alone the feature that holds what is read is not known."""
    name = None if reads in features else contained.named(contained.features_of(_first(rest, _found(rest)[1])), reads, USUAL[reads])
    return {reads: name} if name else {}


def columns(address: Mapping[str, Any]) -> dict[str, Any]:
    """Which features are read, as components.example_gen.csv.columns has it, and those of further targets."""
    root, named, reads = address["root"], address["features"], address.get("reads", "image")
    there = contained.features_of(_first(root, [os.path.join(root, name) for name in address["files"]]))
    read = {what: named.get(what) for what in (reads, "label", "id")}
    return {**named, **read, "split": None, "unused": [name for name in there if name not in named.values()]}


def held(rest: str, datasets: Path) -> str:
    """See components.example_gen.sources."""
    root, paths = _found(rest)
    return files.digested(root, [os.path.relpath(path, root) for path in paths], datasets)


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. Reads every record once, for the classes and for what white is.

    A shard is the place of a file in the address, what is black and white in its lists, and the values of all labels in order.
    """
    import numpy as np

    image, label = address["features"].get("image"), address["features"].get("label")
    markers = labels.markers(address.get("missing_markers"))
    occurring, low, high, counts = set(), math.inf, -math.inf, []
    for name in address["files"]:
        counts.append(0)
        for _, example in _examples(os.path.join(address["root"], name), is_measured=True):
            counts[-1] += 1
            occurring.add(_label(example, label, markers)[0])
            numbers = _numbers(example, image)
            numbers = numbers[np.isfinite(numbers)]
            if len(numbers):
                low, high = min(low, float(numbers.min())), max(high, float(numbers.max()))
    values = _in_order(occurring - {None})
    span = _range(low, high, address)
    splits = _splits(address["files"])
    shards: dict[str, list] = {}
    totals: dict[str, int] = {}
    for place, (split, count) in enumerate(zip(splits, counts, strict=True)):
        shards.setdefault(split, []).append([place, span, values])
        totals[split] = totals.get(split, 0) + count
    return Contents([str(value) for value in values], shards, totals, {target: [] for target in _further(address)})


def images(address: Mapping[str, Any], shard: tuple[int, list[float] | None, list[int | str]]) -> Iterator[Raw]:
    """See components.example_gen.sources. Without a feature for it, an id is the file's name and the place in it."""
    file, span, values = shard
    name, features = address["files"][file], address["features"]
    places = {value: place for place, value in enumerate(values)}
    markers = labels.markers(address.get("missing_markers"))
    for index, example in _examples(os.path.join(address["root"], name)):
        known, why = _label(example, features.get("label"), markers)
        image_id = _id(example, features.get("id")) or os.fsencode(f"{name}#{index}")
        if address.get("reads") == "text":
            encoded = functools.partial(_text, example, features["text"])
        else:
            encoded = functools.partial(_encoded, example, features["image"], span)
        yield Raw(encoded, image_id, places.get(known), dict(_targets(example, _further(address))), why)


def _first(rest: str, paths: Sequence[str]) -> list[Any]:
    """Raises UsageError where there is no record."""
    first = list(itertools.islice((example for path in paths for _, example in _examples(path)), LOOKED_AT))
    if not first:
        raise UsageError(f"There is no record in {rest}.", "An empty TFRecord file is a file without images.")
    return first


def _further(address: Mapping[str, Any]) -> dict[str, str]:
    """Further target -> the feature that has it."""
    named, reads = address["features"], address.get("reads", "image")
    return {sources.TARGETS[key]: named[key] for key in FURTHER if key in named and key != reads}


def _targets(example, named: Mapping[str, str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Those that a record has, and what reads them."""
    for target, feature in named.items():
        values = list(examples.values(example, feature))
        if values:
            yield target, functools.partial(_mask if target == keys.MASK else list, values)


def _mask(values: list) -> Any:
    """One as bytes, or several as Parts, an instance each. Raises pictures.Damaged for numbers."""
    if not all(isinstance(value, bytes) for value in values):
        raise pictures.Damaged("mask is no image")
    if len(values) == 1:
        return values[0]
    from components.map_values import Part, Parts  # imports NumPy

    return Parts(Part(functools.partial(bytes, value), "") for value in values)


def _found(rest: str) -> tuple[str, list[str]]:
    """The folder above every wildcard, and the files. Raises UsageError without any."""
    pattern = files.absolute(rest)
    if os.path.isdir(pattern):
        raise UsageError(f"{pattern} is a folder.", f"Name the files in it: tfrecord:{os.path.join(rest, '*.tfrecord')}")
    if os.path.isfile(pattern):
        return os.path.dirname(pattern), [pattern]
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not paths:
        raise UsageError(
            f"There is no file {pattern}.",
            "data.source is tfrecord:GLOB, such as tfrecord:data/*.tfrecord; a relative one starts from the current directory.",
        )
    root = os.path.dirname(pattern)
    while glob.has_magic(root):
        root = os.path.dirname(root)
    return root, paths


def _compression(path: str) -> str:
    """ "GZIP" or "", as tf.data wants it. Raises HubelError for a file that does not begin like TFRecords."""
    try:
        with open(path, "rb") as file:
            start = file.read(_HEADER)
            if not start or _is_header(start):
                return ""
            file.seek(0)
            start = gzip.GzipFile(fileobj=file).read(_HEADER)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        start = b"none"
    except OSError as error:
        raise files.unreadable(error, path) from None
    if start and not _is_header(start):
        raise HubelError(f"{path} is no TFRecord file, or its beginning is damaged.", "Remove it, or name the files more narrowly.")
    return "GZIP"


def _is_header(start: bytes) -> bool:
    """Whether bytes are the length of a record and its masked CRC-32C, as TFRecords begin."""
    if len(start) < _HEADER:
        return False
    crc = 0xFFFFFFFF
    for byte in start[:8]:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    return struct.unpack("<I", start[8:12])[0] == masked


def _examples(path: str, is_measured: bool = False) -> Iterator[tuple[int, Any]]:
    """(index, tf.train.Example) of each record. Raises HubelError where the file is damaged.

    TensorFlow takes a file that is cut in the header of a record for a shorter one; `is_measured` finds that too.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    index = size = 0
    try:
        for record in tf.data.TFRecordDataset(os.fsencode(path), compression_type=_compression(path)).as_numpy_iterator():
            yield index, tf.train.Example.FromString(record)
            index += 1
            size += len(record) + _AROUND
        if is_measured and size != _size(path):
            raise tf.errors.DataLossError(None, None, "cut")
    except DecodeError:
        raise HubelError(
            f"{path}: record {index} is no tf.train.Example.", "hubel reads TFRecords of tf.train.Example alone."
        ) from None
    except tf.errors.OpError:
        raise HubelError(f"{path} is damaged: only {index} of its records can be read.", "Copy or write the file anew.") from None


def _size(path: str) -> int:
    """Bytes of a file, unpacked; -1 for one whose packing is cut."""
    if not _compression(path):
        return os.path.getsize(path)
    try:
        with gzip.open(path) as file:
            return sum(len(chunk) for chunk in iter(functools.partial(file.read, 2**20), b""))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return -1


def _named(rest: str, there: Collection[str], given: Mapping[str, str], reads: str) -> dict[str, str]:
    """What -> name of the feature. Raises UsageError for names that are not there, or nothing to read."""
    sources.refuse_targets(given, rest, FURTHER, reads)
    several = next((what for what, name in given.items() if isinstance(name, list)), None)
    if several:
        raise UsageError(
            f"data.features.{several} is a list, and {rest} is no table.", f"Name one feature: data.features: {{{several}: NAME}}"
        )
    unknown = [name for name in given.values() if name is not None and name not in there]
    usual = {what: names for what, names in USUAL.items() if what == reads or what not in READS}
    guessed = {what: next((name for name in names if name in there), None) for what, names in usual.items()}
    named = {what: name for what, name in {**guessed, **given}.items() if name is not None}
    if unknown or reads not in named:
        raise UsageError(
            f"The records of {rest} have no feature {', '.join(unknown)}."
            if unknown
            else f"None of the features of {rest} is known as {'an image' if reads == 'image' else f'a {reads}'}.",
            f"Name them with data.features: {{{reads}: NAME, label: NAME}}; there are: {', '.join(sorted(there)) or 'none'}.",
        )
    return named


def _splits(names: Iterable[str]) -> list[str]:
    """The split of each file, by the one word in its name or else in its folders' names; "all" where a file has none."""
    splits = [_word(os.path.basename(name)) or _word(os.path.dirname(name)) for name in names]
    return ["all"] * len(splits) if None in splits else splits


def _word(name: str) -> str | None:
    words = {keys.SPLIT_WORDS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in keys.SPLIT_WORDS}
    return words.pop() if len(words) == 1 else None


def _label(example, name: str | None, markers: Collection[str]) -> tuple[int | str | None, str | None]:
    """(whole numbers as they are, others and bytes as text; None where there is none, and why)."""
    values = examples.values(example, name)
    if len(values) > 1:
        raise UsageError(
            f"A record has {len(values)} values of {name}, and a label is one.", "Name another one: data.features: {label: NAME}"
        )
    value = values[0] if values else b""
    if isinstance(value, bytes):
        return labels.read(value.decode(errors="replace"), markers)
    if isinstance(value, float):
        if not value.is_integer():
            return labels.read(f"{value:.7g}", {*labels.NUMBERS, *markers})  # the digits of 32 bits
        value = int(value)
    return (None, str(value)) if str(value) in markers else (value, None)


def _in_order(labels: set[int | str]) -> list[int | str]:
    """Numbers by value, then texts in the order of components.example_gen.classes."""
    numbers = sorted(value for value in labels if not isinstance(value, str))
    return [*numbers, *classes.in_order(value for value in labels if isinstance(value, str))]


def _id(example, name: str | None) -> bytes:
    """The feature's value, or b"" for none."""
    values = examples.values(example, name)
    return (values[0] if isinstance(values[0], bytes) else str(values[0]).encode()) if values else b""


def _numbers(example, name: str):
    """An image that is a list of numbers, as float64 [n]; of length 0 for another."""
    import numpy as np

    values = examples.values(example, name)
    return np.asarray([] if values and isinstance(values[0], bytes) else values, np.float64)


def _range(low: float, high: float, address: Mapping[str, Any]) -> list[float] | None:
    """Black and white, for lists whose values reach from low to high; None where there are no lists."""
    if low > high:
        return None
    for black, white in RANGES:
        slack = SLACK * (white - black)
        if black - slack <= low and high <= white + slack:
            return [black, white]
    raise UsageError(
        f"The numbers of {address['features']['image']} in {address['root']} reach from {low:g} to {high:g}.",
        "hubel reads 0 to 1, -0.5 to 0.5, -1 to 1 and 0 to 255; write such numbers, or encoded images.",
    )


def _text(example, name: str) -> bytes:
    """The bytes as they are. Raises pictures.Damaged for several, or numbers."""
    values = list(examples.values(example, name))
    if len(values) > 1 or not all(isinstance(value, bytes) for value in values):
        raise pictures.Damaged("not one text")
    return values[0] if values else b""


def _encoded(example, name: str, span: list[float] | None) -> bytes:
    """The encoded image as it is, or the list as a PNG. Raises pictures.Damaged for what cannot be an image."""
    import numpy as np
    from PIL import Image

    numbers = _numbers(example, name)
    if not len(numbers):
        return next(iter(examples.values(example, name)), b"")
    channels = next((c for c in (1, 3) if len(numbers) % c == 0 and math.isqrt(len(numbers) // c) ** 2 * c == len(numbers)), None)
    if channels is None or not np.isfinite(numbers).all():
        raise pictures.Damaged("not a square image" if channels is None else "damaged")
    side = math.isqrt(len(numbers) // channels)
    black, white = span
    pixels = np.clip(np.rint((numbers - black) * (255 / (white - black))), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels.reshape(side, side) if channels == 1 else pixels.reshape(side, side, 3)).save(buffer, "PNG")
    return buffer.getvalue()

"""Values of a mask, from the files that a source has of it to places of classes: opened, turned, merged, snapped and counted.

Memory is a few bytes a pixel, whatever the mask: what is counted and looked up goes by tables of values, never by sorted pixels.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from components.image_files import EXACT

VOID = 255  # what is of no class, as PASCAL VOC has it
LARGEST = 65535  # of a value
SHOWN = 8  # values that a message lists
STRAY = 0.01  # of a mask's pixels, that may be snapped at most: more are no strays
ROWS = 256  # of a mask that are counted at a time
ORIENTATION = 0x0112  # the EXIF tag
SWAPPED = 5  # orientations from which on height and width change places

# What is counted of masks, in pixels but for the first and the last, which are counts of masks.
TURNED, SNAPPED, OVERLAPPING, ALONE = "turned", "snapped", "overlapping", "of_one_class"


class Part(NamedTuple):
    """A file of those that make a mask: what reads it, and the class that its pixels are of; "" where its values say so."""

    read: Callable[[], bytes]
    of: str


class Parts(list):
    """Part of a mask that a source has in several files, in the order of their names: one a class, or one an instance."""


class Mask(tuple):
    """A mask as a record holds it: (PNG whose values are places of classes, places that occur). `pixels`: how many are of each
    place, `void`: of no class; `counted`: of TURNED and so on what was done."""

    pixels: tuple[int, ...]
    void: int
    counted: Mapping[str, int]


class Meaning(Protocol):
    """What values of a source mean, as configs.schema.data.DataConfig has it; a stage that reads no source needs no key of it."""

    mask_classes: Mapping[int, str] | None
    mask_ignore: int | None
    mask_snap: int


class Opened(NamedTuple):
    """Values of a file, [height, width] of whole numbers; whether they are places of a palette; whether they were turned."""

    values: np.ndarray
    is_palette: bool
    is_turned: bool


def mask(
    name: str,
    value: bytes | Parts,
    size: tuple[int, int],
    names: Sequence[str],
    data: Meaning | None = None,
    orientation: int = 1,
) -> Mask:
    """What a record holds of a source's mask.

    Args:
        name: of the target, for messages.
        size: (width, height) px of the image as a person sees it.
        names: of the classes, empty where they have none.
        data: says what values mean; None: they are places of classes, and VOID is of none.
        orientation: of the image's EXIF, 1 to 8. A mask that has none of its own is as the image is stored, and is turned with it;
            one that has only the upright image's size is upright.

    Raises:
        ValueError: with a reason of few words.
    """
    if len(names) > VOID:  # of which one would be taken for what is of no class
        raise ValueError(f"{name} has {len(names)} classes, and no more than {VOID} have a place")
    counted: dict[str, int] = {}
    if isinstance(value, Parts):
        there = _merged(name, value, size, names, data, orientation, counted)
    else:
        there = opened(name, value, size, orientation)
    if there.is_turned:
        counted[TURNED] = 1
    places, snapped = _coded(name, there, names, data)
    if snapped:
        counted[SNAPPED] = snapped
    counts = _histogram(places)
    void = int(counts[VOID])
    counts[VOID] = 0
    occurring = np.flatnonzero(counts).tolist()
    if len(occurring) == 1:
        counted[ALONE] = 1
    encoded = io.BytesIO()
    from PIL import Image

    Image.fromarray(places).save(encoded, "PNG")
    made = Mask((encoded.getvalue(), tuple(occurring)))
    made.pixels = tuple(counts[: len(names) or (occurring[-1] + 1 if occurring else 0)].tolist())
    made.void, made.counted = void, counted
    return made


def opened(name: str, encoded: bytes, size: tuple[int, int] | None = None, orientation: int = 1) -> Opened:
    """The values of one file, of any size where none is given. Raises ValueError, with a reason of few words."""
    from PIL import Image

    why = None
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            if (why := refusal(image)) is None:
                turn = _turn(image, size or image.size, orientation if size else 1)
                if turn is None:
                    why = "is not of its image's size"
                else:
                    values, is_palette = np.asarray(image), image.mode == "P"
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        why = "is no image"
    if why is not None:
        raise ValueError(f"{name} {why}")
    values = values.astype(np.uint8) if values.dtype == bool else values  # Pillow's True is a byte of 255
    return Opened(_turned(values, turn), is_palette, turn != 1)


def values_of(encoded: bytes) -> dict[int, int]:
    """Value -> pixels of a mask as it is stored. Raises ValueError."""
    return values_in(opened("mask", encoded).values)


def values_in(values: np.ndarray) -> dict[int, int]:
    """Value -> how many there are."""
    if values.dtype.itemsize > 2:
        there, counts = np.unique(values, return_counts=True)
    else:
        counts = _histogram(values)
        there = np.flatnonzero(counts)
        counts = counts[there]
    return dict(zip(there.tolist(), counts.tolist(), strict=True))


def united(name: str, parts: Parts, size: tuple[int, int], orientation: int = 1) -> tuple[dict[int, int], dict[str, int]]:
    """Value -> pixels of what several files without classes make, and what was counted. Raises ValueError."""
    counted: dict[str, int] = {}
    made = _merged(name, parts, size, (), None, orientation, counted)
    return values_in(made.values), counted | ({TURNED: 1} if made.is_turned else {})


def refusal(image) -> str | None:
    """Why an image of PIL, which is not decoded for it, is no mask; None: it may be one."""
    if image.format not in EXACT:
        return f"is {'an' if image.format[0] in 'AM' else 'a'} {image.format}, which mixes classes"
    if image.mode not in ("L", "P", "1") and not image.mode.startswith("I"):
        return f"is in colour ({image.mode})"
    return None


def _turn(image, size: tuple[int, int], orientation: int) -> int | None:
    """How a file is to be turned, as an orientation of EXIF; None for one of another size, which is not decoded for it."""
    if image.size not in (size, size[::-1]):
        return None
    own = image.getexif().get(ORIENTATION, 1)
    if own in range(2, 9):
        if image.format == "TIFF":  # Pillow turns it itself as it loads, and says its upright size before
            return 1 if image.size == size else None
        upright = image.size[::-1] if own >= SWAPPED else image.size
        return own if upright == size else None
    if image.size == (size[::-1] if orientation >= SWAPPED else size):
        return orientation
    return 1 if image.size == size else None


def _turned(values: np.ndarray, orientation: int) -> np.ndarray:
    turns = {
        2: np.fliplr,
        3: lambda of: np.rot90(of, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda of: np.rot90(of, -1),
        7: lambda of: np.rot90(of, 2).T,
        8: np.rot90,
    }
    return turns[orientation](values) if orientation in turns else values


def _merged(name, parts: Parts, size, names, data, orientation, counted: dict[str, int]) -> Opened:
    """One mask of several files: of a pixel that more than one has the larger value stands, and it is counted.

    Of a file that is of a class, what is not 0 is of it: its value is that of the class, so that the later class lies on top.
    """
    canvas, taken = np.zeros(size[::-1], np.uint16), np.zeros(size[::-1], bool)
    overlapping, is_turned = np.zeros(size[::-1], bool), False
    for part in parts:
        there = opened(name, part.read(), size, orientation)
        is_turned |= there.is_turned
        if int(there.values.min()) < 0 or int(there.values.max()) > LARGEST:
            raise ValueError(f"{name} has a class that there is none of")
        is_set = there.values != 0
        overlapping |= taken & is_set
        taken |= is_set
        if part.of:
            np.maximum(canvas, np.uint16(_value_of(name, part.of, names, data)), out=canvas, where=is_set)
        else:
            np.maximum(canvas, there.values.astype(np.uint16), out=canvas)
    if many := int(np.count_nonzero(overlapping)):
        counted[OVERLAPPING] = many
    return Opened(canvas, False, is_turned)


def _value_of(name: str, of: str, names: Sequence[str], data: Meaning | None) -> int:
    """The lowest value of a class that is not 0, which is where a file of a class has nothing; 0 of a class without another value,
    that of what no file has."""
    if data is not None and data.mask_classes:
        values = [value for value, named in data.mask_classes.items() if named == of]
    else:
        values = [names.index(of)] if of in names else []
    if not values:
        raise ValueError(f"{name} has a part of {of!r}, which no value of data.mask_classes stands for")
    return min(filter(None, values), default=0)


def _coded(name: str, there: Opened, names: Sequence[str], data: Meaning | None) -> tuple[np.ndarray, int]:
    """Places of classes, uint8, in the place of a source's values, VOID for what is of none; and how many pixels were snapped.

    Raises:
        ValueError: for a value without a name where others have one, and for a place that is of no class.
    """
    values = there.values
    ignored = VOID if data is None or data.mask_ignore is None else data.mask_ignore
    if int(values.min()) < 0 or int(values.max()) > LARGEST:
        strange = [value for value in np.unique(values).tolist() if not 0 <= value <= LARGEST]
        raise ValueError(f"{name} has a class that there is none of: {_listed(strange)}")
    counts = _histogram(values)
    occurring = np.flatnonzero(counts).tolist()
    if data is None or not data.mask_classes:
        places = {value: VOID if value == ignored else value for value in occurring}
        most = len(names) or VOID + 1
        if strange := [value for value, place in places.items() if place != VOID and place >= most]:
            raise ValueError(f"{name} has a class that there is none of: {_listed(strange)}")
        return _looked_up(values, places), 0
    places = {ignored: VOID} | {value: names.index(of) for value, of in data.mask_classes.items()}
    if strange := [value for value in occurring if value not in places]:
        known = [*data.mask_classes, *([] if data.mask_ignore is None else [data.mask_ignore])]
        near = {} if there.is_palette else _nearest(strange, known, data.mask_snap)
        if unnamed := [value for value in strange if value not in near]:
            raise ValueError(f"{name} has the {_listed(unnamed)}, which data.mask_classes does not name")
        snapped = int(counts[strange].sum())
        if snapped > STRAY * values.size:
            raise ValueError(f"{name} has more than {STRAY:.0%} of its pixels beside the values that data.mask_classes names")
        return _looked_up(values, places | {value: places[to] for value, to in near.items()}), snapped
    return _looked_up(values, places), 0


def _nearest(strange: Sequence[int], known: Sequence[int], within: int) -> dict[int, int]:
    """Value -> the nearest one that is known, of those that have one so near; what lies half-way between two has none."""
    near = {}
    for value in strange:
        distances = sorted((abs(value - other), other) for other in known)
        is_tied = len(distances) > 1 and distances[0][0] == distances[1][0]
        if distances and distances[0][0] <= within and not is_tied:
            near[value] = distances[0][1]
    return near


def _listed(values: Sequence[int]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return f"value{'' if len(values) == 1 else 's'} {', '.join(map(str, values[:SHOWN]))}{more}"


def _histogram(values: np.ndarray) -> np.ndarray:
    """int64: pixels of each value from 0, of VOID at least. NumPy counts int64, of which there are few at a time."""
    counts = np.zeros(max(VOID, int(values.max())) + 1, np.int64)
    for top in range(0, len(values), ROWS):
        counts += np.bincount(values[top : top + ROWS].ravel(), minlength=len(counts))
    return counts


def _looked_up(values: np.ndarray, places: Mapping[int, int]) -> np.ndarray:
    table = np.zeros(max(places) + 1, np.uint8)
    for value, place in places.items():
        table[value] = place
    made = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), ROWS):  # an index of int64 for each pixel of these rows alone
        made[top : top + ROWS] = table[values[top : top + ROWS]]
    return made

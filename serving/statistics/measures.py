"""What is measured of a request and its answer, example by example: the size and brightness of images, the length of texts, and of
answers what their kinds say (serving.answers).

Images and texts are measured as ExampleGen does (components/example_gen/pictures.py, components/inputs/storing/text.py), which this
package cannot import; tests/serving/statistics/test_measures.py holds the two to each other. The brightness of a JPEG may be off
by a level of 255, since Pillow's decoder rounds better than TensorFlow's; one of more than a million pixels is decoded at a lower
resolution.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving import features
from serving.statistics.cells import Names, Numbers

HEIGHT, WIDTH, CHANNELS, BRIGHTNESS = "image/height", "image/width", "image/channels", "image/brightness"
CHARACTERS, WORDS = "text/characters", "text/words"
INPUTS = frozenset({HEIGHT, WIDTH, CHANNELS, BRIGHTNESS, CHARACTERS, WORDS})
WHOLE = frozenset({HEIGHT, WIDTH, CHANNELS, CHARACTERS, WORDS})
ANSWERS = "answers/"
CLASS, SCORE = f"{ANSWERS}class", f"{ANSWERS}score"
ENDS = {
    "image_bytes": "image",
    "pixels": "pixels",
    "text": "text",
    "examples": "examples",
    "inputs": "examples",
}  # input -> what it is
SUFFIXES = ("image_bytes", "pixels", "text")  # of signatures: the other ends of one function
DEFAULT = "serving_default"
MAX_ROWS = 64  # examples of one request that are measured, evenly apart
MAX_PIXELS = 2**25  # of an image: as the served graph has it
DRAFT = 2**20  # pixels of a JPEG above which it is decoded at a lower resolution, of at least DRAFT_SIDE px
DRAFT_SIDE = 256
ORIENTATION = 0x0112  # the EXIF tag
DEEP = 65535
WHITE = (255, 255, 255)


class Unreadable(Exception):
    """Nothing can be measured of it."""


@dataclass(frozen=True)
class About:
    """What a model's card says that measuring depends on: the kinds of outputs by signature, names of classes, and how images are
    read: the ground under what is transparent, the white value of 16 bits, whether EXIF's orientation is heeded."""

    gives: Mapping[str, Mapping[str, str]]
    class_names: Sequence[str] = ()
    ground: tuple[int, int, int] = WHITE
    white: int | None = None
    turns: bool = False

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> "About":
        """Of a card, as its JSON; {} of a model without one."""
        reading = card.get("reading") or {}
        named = {"white": WHITE, "black": (0, 0, 0)}
        ground = reading.get("ground", "white")
        return cls(
            card.get("gives") or {},
            card.get("class_names") or (),
            named[ground] if isinstance(ground, str) else tuple(ground),
            reading.get("white"),
            bool(card.get("turns")),
        )

    def kinds(self, signature: str) -> Mapping[str, str]:
        """Output -> its kind, of a signature or another end of it."""
        for suffix in SUFFIXES:
            if signature == suffix:
                return self.gives.get(DEFAULT, {})
            if signature.endswith(f"_{suffix}") and signature not in self.gives:
                return self.gives.get(signature.removesuffix(f"_{suffix}"), {})
        return self.gives.get(signature, {})


class Measured:
    """Distributions by the name of what is measured.

    Attributes:
        features: of each. requests, examples: that were measured. unreadable: examples whose input could not be.
    """

    def __init__(self):
        self.features: dict[str, Numbers | Names] = {}
        self.requests = self.examples = self.unreadable = 0

    def add(self, about: About, signature: str, feeds: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray]) -> None:
        """Measure a request and its answer; of many examples MAX_ROWS."""
        self.add_several(about, feeds, {signature: answers})

    def add_several(self, about: About, feeds: Mapping[str, np.ndarray], answers: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """The same of a request that asked several signatures, by these."""
        rows = _count([*feeds.values(), *(array for arrays in answers.values() for array in arrays.values())])
        kept = range(rows) if rows <= MAX_ROWS else np.linspace(0, rows - 1, MAX_ROWS).astype(int)
        self.requests += 1
        self.examples += len(kept)
        for row in kept:
            try:
                for name, value in of_inputs(about, feeds, row).items():
                    self._numbers(name).add([value])
            except Unreadable:
                self.unreadable += 1
        for signature, arrays in answers.items():
            for name, values in of_answers(about, signature, arrays, kept).items():
                if values and isinstance(values[0], Mapping):
                    self._names(name).add(values)
                else:
                    self._numbers(name).add(values)

    def merge(self, other: "Measured") -> None:
        """Put in what another one holds."""
        self.requests += other.requests
        self.examples += other.examples
        self.unreadable += other.unreadable
        for name, of in other.features.items():
            if isinstance(of, Names):
                self._names(name).merge(of)
            else:
                self._numbers(name).merge(of)

    def _numbers(self, name: str) -> Numbers:
        return self.features.setdefault(name, Numbers(name in WHOLE))  # type: ignore[return-value]

    def _names(self, name: str) -> Names:
        return self.features.setdefault(name, Names())  # type: ignore[return-value]


def kept(about: About, signature: str, answers: Iterable[str]) -> list[str]:
    """The outputs of a signature that are looked at."""
    kinds = about.kinds(signature)
    return [name for name in answers if kinds.get(name, "number") in LOOKED_AT]


def of_inputs(about: About, feeds: Mapping[str, np.ndarray], row: int) -> dict[str, float]:
    """Of one example. Raises Unreadable."""
    told: dict[str, float] = {}
    for alias, array in feeds.items():
        kind = ENDS.get(alias)
        if kind is None or not np.ndim(array):
            continue
        value = array[row] if row < len(array) else None
        if value is None:
            continue
        if kind == "pixels":
            told |= of_pixels(value)
        elif kind == "image":
            told |= of_image(_bytes(value), about)
        elif kind == "text":
            told |= of_text(_bytes(value))
        else:
            told |= _of_example(_bytes(value), about)
    return told


def of_pixels(pixels: np.ndarray) -> dict[str, float]:
    """Of an array [height, width, channels], 0..255."""
    if pixels.ndim != 3 or not pixels.size:
        raise Unreadable
    height, width, channels = pixels.shape
    return {HEIGHT: height, WIDTH: width, CHANNELS: channels, BRIGHTNESS: float(np.mean(pixels, dtype=np.float64))}


def of_text(content: bytes) -> dict[str, float]:
    """Of UTF-8: characters, and words as whitespace parts them."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Unreadable from None
    return {CHARACTERS: len(text), WORDS: len(text.split())}


def of_image(encoded: bytes, about: About) -> dict[str, float]:
    """Of a file's bytes: height and width, upright, px; channels, 1 or 3, over the ground; the mean of all values, 0..255."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                raise Unreadable
            if about.turns and opened.getexif().get(ORIENTATION, 1) in range(5, 9):
                width, height = height, width
            is_deep = opened.format == "PNG" and encoded[24:25] == b"\x10"
            if opened.format in ("JPEG", "MPO") and opened.width * opened.height > DRAFT:
                opened.draft(opened.mode, (DRAFT_SIDE, DRAFT_SIDE))
            bands = _mean(opened, about, is_deep)
    except Unreadable:
        raise
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        raise Unreadable from None
    return {HEIGHT: height, WIDTH: width, CHANNELS: len(bands), BRIGHTNESS: float(np.mean(bands))}


def _mean(opened, about: About, is_deep: bool) -> np.ndarray:
    """The mean of each channel: float64 [1 or 3]."""
    from PIL import Image

    scale = DEEP / (about.white or DEEP) if is_deep else 1.0
    if opened.mode.startswith("I"):
        values = np.asarray(opened, np.float64) * (255.0 / (about.white or DEEP))
        return np.array([np.minimum(values, 255).mean()])
    image = opened
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    if image.mode in ("LA", "RGBA"):
        is_grey = image.mode == "LA" and len(set(about.ground)) == 1
        over = Image.new("RGBA", image.size, (*about.ground, 255))
        over.alpha_composite(image.convert("RGBA"))
        image = over.convert("RGB").getchannel(0) if is_grey else over.convert("RGB")
    counts = np.array(image.histogram(), np.float64).reshape(-1, 256)
    levels = np.minimum(np.arange(256) * scale, 255)
    return counts @ levels / counts[0].sum()


def _of_example(serialized: bytes, about: About) -> dict[str, float]:
    from tensorflow.core.example import example_pb2

    try:
        given = example_pb2.Example.FromString(serialized).features.feature
    except Exception:
        raise Unreadable from None
    told: dict[str, float] = {}
    for name, measure in ((features.OF["image"], lambda content: of_image(content, about)), (features.OF["text"], of_text)):
        if name in given and (values := given[name].bytes_list.value):
            told |= measure(values[0])
    return told


def of_answers(
    about: About, signature: str, answers: Mapping[str, np.ndarray], rows: Sequence[int] | np.ndarray
) -> dict[str, list[Any]]:
    """What is measured of the answers to some of a request's examples: numbers, or of CLASS and decisions {name: how often}."""
    kinds = about.kinds(signature)
    of_kind: dict[str, list[str]] = {}
    for name, array in answers.items():
        if np.ndim(array):
            of_kind.setdefault(kinds.get(name, "number"), []).append(name)
    told: dict[str, list[Any]] = {}

    def first(kind: str) -> np.ndarray:
        return answers[of_kind[kind][0]]

    if "decisions" in of_kind:
        told[CLASS] = [_held(first("decisions")[row], about) for row in rows]
    elif "names" in of_kind and "flags" in of_kind:
        told[CLASS] = [
            {_text(name): 1.0 for name, holds in zip(first("names")[row], first("flags")[row], strict=False) if holds}
            for row in rows
        ]
    elif "names" in of_kind and "scores" in of_kind:
        names, scores = first("names"), first("scores")
        best = [int(np.argmax(scores[row])) for row in rows]
        told[CLASS] = [{_text(names[row][place]): 1.0} for row, place in zip(rows, best, strict=True)]
        told[SCORE] = [float(scores[row][place]) for row, place in zip(rows, best, strict=True)]
    elif "probabilities" in of_kind:
        probabilities = first("probabilities")
        best = [int(np.argmax(probabilities[row])) for row in rows]
        told[CLASS] = [{_name(place, about): 1.0} for place in best]
        told[SCORE] = [float(probabilities[row][place]) for row, place in zip(rows, best, strict=True)]
    elif "mask" in of_kind:
        told[CLASS] = [_shares(first("mask")[row], about) for row in rows]
    for kind in ("number", "anomaly_score"):
        for name in of_kind.get(kind, ()):
            array = answers[name]
            if array.dtype.kind in "fiu" and array[0].size == 1:
                told[f"{ANSWERS}{name}"] = [float(array[row].item()) for row in rows]
    for name in of_kind.get("is_anomaly", ()):
        told[f"{ANSWERS}{name}"] = [{"yes" if bool(answers[name][row]) else "no": 1.0} for row in rows]
    return told


LOOKED_AT = frozenset({"decisions", "names", "flags", "scores", "probabilities", "mask", "number", "anomaly_score", "is_anomaly"})


def _count(arrays: Iterable[np.ndarray]) -> int:
    return next((len(array) for array in arrays if np.ndim(array)), 0)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode(errors="surrogateescape")
    raise Unreadable


def _text(name: Any) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _name(place: int, about: About) -> str:
    return about.class_names[place] if place < len(about.class_names) else str(place)


def _held(decisions: np.ndarray, about: About) -> dict[str, float]:
    return {_name(place, about): 1.0 for place in np.flatnonzero(decisions).tolist()}


def _shares(mask: np.ndarray, about: About) -> dict[str, float]:
    classes, counts = np.unique(np.asarray(mask).astype(np.int64), return_counts=True)
    return {_name(place, about): count / mask.size for place, count in zip(classes.tolist(), counts.tolist(), strict=True)}

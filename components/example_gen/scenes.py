"""Source `scenes:digits`: scikit-learn's handwritten digits, several in a scene, with a mask that says of each pixel which digit it
shows. Made as it is read, the same each time, so that segmentation has data that ships.

A scene is SIDE x SIDE px, black, grey values 0 to 255. LEAST to MOST digits stand in it, each of its 8x8 cells enlarged bilinearly
to SIZES px a side; their squares do not overlap. A pixel is of a digit, the class `zero` to `nine`, where its ink is INK or more,
and of `background` otherwise. Digits are dealt to train, validation and test before any scene is composed, by hash of their place
in scikit-learn's list, so that no digit is in scenes of two splits; within a split one may be in several scenes.
"""

import functools
import hashlib
import importlib.metadata
import io
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components import keys
from components.example_gen import citations
from components.example_gen.records import share
from components.example_gen.sources import Contents, Located, Raw
from configs.errors import UsageError

DIGITS = "digits"
NAMES = ["background", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
SCENES = {keys.TRAIN: 800, keys.VALIDATION: 100, keys.TEST: 200}
SHARES = {keys.VALIDATION: 0.1, keys.TEST: 0.2}  # of the digits; the others are for training
SIDE = 64  # px
LEAST, MOST = 2, 4  # digits
SIZES = (14, 28)  # px, of a digit's square, both included
INK = 64  # of 255
TRIES = 100  # places that are drawn for a digit, and its sizes with them, before it is left out
SEED = 0
ROWS = 100  # scenes that one task composes


class Placed(NamedTuple):
    """A digit of a scene: its place in scikit-learn's list, its class in NAMES, and its square in px."""

    digit: int
    category: int
    top: int
    left: int
    side: int


def check(rest: str, datasets: Path) -> None:
    """See components.example_gen.sources."""
    if rest != DIGITS:
        raise UsageError(f"There are no scenes of {rest!r}.", f"Scenes are of digits: data.source=scenes:{DIGITS}")


def held(rest: str, datasets: Path) -> str:
    """See components.example_gen.sources. What is made follows from this file, of which stages know, and from scikit-learn's digits
    and Pillow's enlargement."""
    check(rest, datasets)
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("scikit-learn", "pillow")]
    return hashlib.sha256(" ".join([rest, *versions]).encode()).hexdigest()


def locate(rest: str, datasets: Path, features: Mapping[str, Any]) -> Located:
    """See components.example_gen.sources. Scenes have nothing to name."""
    digest = held(rest, datasets)
    if features:
        raise UsageError(f"data.features names {', '.join(features)}, and scenes have images and masks.", "Take it out.")
    return Located({DIGITS: rest}, digest, [])


def terms(rest: str, datasets: Path) -> dict[str, str]:
    """See components.example_gen.sources."""
    return {"citation": citations.DIGITS}


def contents(address: Mapping[str, Any]) -> Contents:
    """See components.example_gen.sources. A shard is a split, the number of its first scene and that behind its last one."""
    shards = {
        split: [[split, start, min(count, start + ROWS)] for start in range(0, count, ROWS)] for split, count in SCENES.items()
    }
    return Contents([], shards, dict(SCENES), {keys.MASK: list(NAMES)})


def images(address: Mapping[str, Any], shard: Sequence[Any]) -> Iterator[Raw]:
    """See components.example_gen.sources. An id is the split and the number."""
    split, start, end = shard
    for number in range(start, end):
        read, mask = (functools.partial(_png, split, number, place) for place in (0, 1))
        yield Raw(read, f"{split}/{number:04d}".encode(), None, {keys.MASK: mask})


@functools.cache
def dealt() -> dict[str, tuple[int, ...]]:
    """Split -> places, in scikit-learn's list, of the digits that its scenes are of."""
    bound = SHARES[keys.VALIDATION] + SHARES[keys.TEST]
    by_split: dict[str, list[int]] = {split: [] for split in SCENES}
    for digit in range(len(_digits()[1])):
        drawn = share(b"digit %d" % digit, b"scenes")
        split = keys.VALIDATION if drawn < SHARES[keys.VALIDATION] else keys.TEST if drawn < bound else keys.TRAIN
        by_split[split].append(digit)
    return {split: tuple(digits) for split, digits in by_split.items()}


def plan(split: str, number: int) -> list[Placed]:
    """The digits of a scene, LEAST at least."""
    dice, pool, labels = random.Random(f"{SEED}/{split}/{number}"), dealt()[split], _digits()[1]
    while True:
        placed: list[Placed] = []
        for _ in range(dice.randint(LEAST, MOST)):
            digit = dice.choice(pool)
            for _ in range(TRIES):
                side = dice.randint(*SIZES)
                there = Placed(digit, int(labels[digit]) + 1, dice.randint(0, SIDE - side), dice.randint(0, SIDE - side), side)
                if not any(_overlap(there, other) for other in placed):
                    placed.append(there)
                    break
        if len(placed) >= LEAST:
            return placed


def _overlap(a: Placed, b: Placed) -> bool:
    return a.top < b.top + b.side and b.top < a.top + a.side and a.left < b.left + b.side and b.left < a.left + a.side


@functools.lru_cache(8)  # an image and its mask are read one after the other
def composed(split: str, number: int):
    """Image and mask of a scene, uint8 [SIDE, SIDE] each; the mask's values are places in NAMES."""
    import numpy as np
    from PIL import Image

    image, mask = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    for digit, category, top, left, side in plan(split, number):
        cells = Image.fromarray(np.rint(_digits()[0][digit] * (255 / 16)).astype(np.uint8))
        ink = np.asarray(cells.resize((side, side), Image.Resampling.BILINEAR))
        square = slice(top, top + side), slice(left, left + side)
        image[square] = ink
        mask[square] = np.where(ink >= INK, category, 0)
    return image, mask


def _png(split: str, number: int, place: int) -> bytes:
    from PIL import Image

    encoded = io.BytesIO()
    Image.fromarray(composed(split, number)[place]).save(encoded, "PNG")
    return encoded.getvalue()


@functools.cache
def _digits():
    """Cells of 0 to 16 points, float64 [N, 8, 8], and the digits that they show, int64 [N]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images, digits.target

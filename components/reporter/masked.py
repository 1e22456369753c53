"""Test images with their masks and what a model answered, for the sections of a model of masks: arrays, and pictures."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components import keys
from components.evaluator import overlap
from components.map_values import VOID
from components.reporter import seen, strips
from components.reporter.material import MOST, Absent, Material
from components.tasks.segmentation import INTERSECTION, MASKS, UNION
from reports import charts
from reports.run.blocks import Picture

HELD = 2**24  # px of masks, and of answers, that are held at a time
TINT = 0.6  # share of a class's colour in that of a pixel, the rest is the image
WRONG, NO_CLASS = (0xE6, 0x00, 0x5C), (0x80, 0x80, 0x80)  # of pixels
FADED = 0.35  # share of the image where it is a ground for what is wrong


@dataclass(frozen=True)
class Masked:
    """Of N images.

    Args:
        names: of K classes. ids: of each image. total: how many the split has.
        given: pixels as the model gets them, [N, height, width, channels] in 0..255.
        truth, made: places of classes, int [N, height, width]; truth also VOID.
        intersection, union: px of each image and class, [M, K], of all test images as Evaluator kept them, or else of these.
    """

    split: str
    reads: str
    names: Sequence[str]
    ids: Sequence[str]
    total: int
    given: np.ndarray = field(repr=False)
    truth: np.ndarray = field(repr=False)
    made: np.ndarray = field(repr=False)
    intersection: np.ndarray = field(repr=False)
    union: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, material: Material) -> "Masked":
        """Raises Absent where there is no model or no test image."""
        material.artifact("model")
        height, width = material.card.input_shape[:2]
        answers = material.asked(keys.TEST, min(MOST, max(1, HELD // (height * width))))
        if answers is None:
            raise Absent(f"There are no examples of the {keys.TEST} split.")
        kept = material.each if {INTERSECTION, UNION} <= material.each.keys() else answers.outputs
        sample = answers.sample
        return cls(
            split=keys.TEST,
            reads=material.reads,
            names=material.class_names,
            ids=answers.ids,
            total=sample.total,
            given=sample.seen,
            truth=sample.targets[keys.MASK][..., 0],
            made=answers.outputs[MASKS][..., 0],
            intersection=kept[INTERSECTION],
            union=kept[UNION],
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def words(self) -> str:
        """What was asked about, such as "200 test images"; where that is not all of it, of how many."""
        return seen.asked_about(self.reads, self.split, len(self), self.total, 0)

    @property
    def matrix(self) -> np.ndarray:
        """Confusion matrix of all pixels that are of a class: row mask, column answer, px, int64 [K, K]."""
        return self._counted[0]

    @property
    def overlap(self) -> np.ndarray:
        """Of each image the mean IoU of the classes that its mask or its answer has, float64 [N]; no number without any."""
        return self._counted[1]

    @functools.cached_property
    def _counted(self) -> tuple[np.ndarray, np.ndarray]:
        classes = len(self.names)
        total, shares = np.zeros((classes, classes), np.int64), np.empty(len(self))
        for place, pair in enumerate(zip(self.truth, self.made, strict=True)):
            own = matrix(*pair, classes)
            hits = np.diag(own)
            shares[place] = overlap.of_images(hits[None], (own.sum(0) + own.sum(1) - hits)[None])[0]
            total += own
        return total, shares

    @functools.cached_property
    def void(self) -> np.ndarray:
        """Of each mask the share of pixels that are of no class, float64 [N]."""
        return (self.truth == VOID).mean((1, 2))

    @functools.cached_property
    def ground(self) -> int:
        """The class that most pixels of masks are of, which pictures leave as it is."""
        return int(self.matrix.sum(1).argmax())

    @functools.cached_property
    def colours(self) -> Mapping[int, tuple[int, int, int]]:
        """Of each class but that one, red, green and blue: those of charts first."""
        others = [number for number in range(len(self.names)) if number != self.ground]
        return {number: _colour(place) for place, number in enumerate(others)}

    def shown(self, place: int) -> Picture:
        """An image, its mask, its answer, and where the two differ."""
        image, truth, made = self.given[place], self.truth[place], self.made[place]
        ground = _coloured(image)
        wrong = (truth != made) & (truth != VOID)
        faded = 255 * (1 - FADED) + FADED * ground
        apart = np.where(wrong[..., None], WRONG, faded)
        tiles = [ground, self._tinted(ground, truth), self._tinted(ground, made), _void(apart, truth)]
        value, said = self.overlap[place], self.mistaken(place)
        alt = f"{self.ids[place]}: the image, its mask, the answer, and where they differ. IoU {value:.3f}"
        caption = f"IoU {value:.3f}"
        return strips.strip(tiles, f"{alt}{', ' if said else ''}{said}", f"{caption} · {said}" if said else caption)

    def mistaken(self, place: int) -> str:
        """The commonest mistake of an image; empty where there is none."""
        own = matrix(self.truth[place], self.made[place], len(self.names))
        wrong = own * (1 - np.eye(len(self.names), dtype=np.int64))
        truth, made = np.unravel_index(wrong.argmax(), wrong.shape)
        many, known = wrong[truth, made], own.sum()
        return f"{self.names[truth]} taken for {self.names[made]}: {many / known:.1%}" if many else ""

    def _tinted(self, ground: np.ndarray, places: np.ndarray) -> np.ndarray:
        """An image with each class's colour over its pixels."""
        table = np.zeros((max(VOID, len(self.names)) + 1, 3))
        for number, colour in self.colours.items():
            table[number] = colour
        plain = (places == self.ground)[..., None]
        return _void(np.where(plain, ground, (1 - TINT) * ground + TINT * table[places]), places)


def matrix(truth: np.ndarray, made: np.ndarray, classes: int) -> np.ndarray:
    """int64 [classes, classes]: how many pixels of each class, a row, were answered with each, a column. truth, made: places of
    classes, of one shape; truth VOID is in none."""
    known = truth != VOID
    pairs = truth[known].astype(np.int64) * classes + made[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _void(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.where((places == VOID)[..., None], NO_CLASS, image)


def _coloured(image: np.ndarray) -> np.ndarray:
    """[height, width, channels] -> 3 channels, in 0..255."""
    pixels = np.clip(np.nan_to_num(np.asarray(image, np.float64)), 0, 255)
    return pixels[..., :3] if pixels.shape[-1] >= 3 else np.repeat(pixels[..., :1], 3, -1)


def _colour(place: int) -> tuple[int, int, int]:
    """Those of charts, then, of more classes, around the circle of hues by the golden angle, no two of which are the same."""
    import colorsys

    if place < len(charts.SERIES):
        return tuple(bytes.fromhex(charts.SERIES[place].removeprefix("#")))
    red, green, blue = colorsys.hsv_to_rgb(place * 0.61803398875 % 1, 0.55 + 0.4 * (place % 2), 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def swatch(colour: tuple[int, int, int], name: str) -> Picture:
    """A patch of a class's colour."""
    return strips.strip([np.full((1, 3, 3), colour)], f"The colour of {name}", name)

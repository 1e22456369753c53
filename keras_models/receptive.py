"""Receptive fields: Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural networks", Distill,
doi:10.23915/distill.00021.

Positions are counted from 0 at the image's first pixel, and a field may stick out into the padding: it starts at a negative
position then, and may be larger than the image. Where paths meet, the field is the smallest span that holds those of all paths.
Other than in the paper, layers may enlarge; fields then differ from one value to the next, and repeat.
"""

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True)
class Reach:
    """What the values along one axis see of an axis before it, be it the layer before or the image.

    Value u, from 0 to period - 1, sees the positions `first[u]` to `last[u]`; value u + period sees the same, moved by `step`.
    """

    first: tuple[int, ...]
    last: tuple[int, ...]
    step: int

    @property
    def period(self) -> int:
        return len(self.first)

    @property
    def stride(self) -> Fraction:
        """How far the field moves from one value to the next, in the mean over a period."""
        return Fraction(self.step, self.period)

    @property
    def size(self) -> int:
        """Positions that a value sees; the most, where values differ."""
        return max(last - first for first, last in zip(self.first, self.last, strict=True)) + 1

    @property
    def offset(self) -> int:
        """First position that value 0 sees: minus the effective padding P0 of Araujo et al."""
        return self.first[0]

    def seen_by(self, value: int) -> tuple[int, int]:
        """First and last position that a value sees."""
        turns, place = divmod(value, self.period)
        return self.first[place] + turns * self.step, self.last[place] + turns * self.step

    def then(self, layer: "Reach") -> "Reach":
        """What the values of a layer on top see, given what they see of the values here."""
        turns = self.period // math.gcd(self.period, layer.step)
        ends = [layer.seen_by(value) for value in range(turns * layer.period)]
        return Reach(
            tuple(self.seen_by(first)[0] for first, _ in ends),
            tuple(self.seen_by(last)[1] for _, last in ends),
            turns * layer.step // self.period * self.step,
        )

    def whole(self, side: int) -> "Reach":
        """What the first `side` values see together; it no longer moves."""
        ends = [self.seen_by(value) for value in range(side)]
        return Reach((min(first for first, _ in ends),), (max(last for _, last in ends),), 0)

    def union(self, other: "Reach", side: int | None) -> "Reach | None":
        """What two paths see together; None where their fields move apart. `side`: values along the axis."""
        if self.stride == other.stride:
            period = math.lcm(self.period, other.period)
            mine, others = ([reach.seen_by(value) for value in range(period)] for reach in (self, other))
            return Reach(
                tuple(min(a[0], b[0]) for a, b in zip(mine, others, strict=True)),
                tuple(max(a[1], b[1]) for a, b in zip(mine, others, strict=True)),
                int(self.stride * period),
            )
        still, moving = sorted((self, other), key=lambda reach: reach.step != 0)
        if still.step or side is None:
            return None
        both = still.union(moving.whole(side), side)
        return still if both == still else None


def window(size: int, stride: int = 1, before: int = 0, dilation: int = 1) -> Reach:
    """Of convolution and pooling: `before` is the padding before the first position; negative, what is cropped."""
    return Reach((-before,), (dilation * (size - 1) - before,), stride)


def transposed(size: int, stride: int, before: int = 0, dilation: int = 1) -> Reach:
    """Of the convolution whose gradient is `window` with the same arguments."""
    far = dilation * (size - 1)
    values = range(stride)
    return Reach(tuple(-((far - u - before) // stride) for u in values), tuple((u + before) // stride for u in values), 1)


def nearest(factor: int) -> Reach:
    """Of enlarging by repeating."""
    return Reach((0,) * factor, (0,) * factor, 1)


def bilinear(factor: int) -> Reach:
    """Of enlarging by linear interpolation between the centres of pixels."""
    places = [Fraction(2 * u + 1 - factor, 2 * factor) for u in range(factor)]
    return Reach(tuple(map(math.floor, places)), tuple(map(math.ceil, places)), 1)


class Sees(enum.Enum):
    """What the values of a layer see of the layer before, where it is no window."""

    PLACE = "the values at their own place"
    ALL = "all values"
    ROW = "the values at their own place, but no longer in a grid"


@dataclass(frozen=True)
class Field:
    """What the values of one tensor see of the image.

    Args:
        image: name of the input that they see.
        axes: a reach for each axis of the image.
        sides: values of the tensor along each axis; None where that is not fixed.
        grid: whether the values stand as the image's pixels do; False after flattening.
    """

    image: str
    axes: tuple[Reach, ...]
    sides: tuple[int | None, ...]
    grid: bool = True

    @classmethod
    def of_image(cls, name: str, sides: Sequence[int | None]) -> "Field":
        """Each pixel sees itself."""
        return cls(name, tuple(window(1) for _ in sides), tuple(sides))

    @property
    def moves(self) -> bool:
        """Whether values at different places see different things."""
        return any(reach.step for reach in self.axes)

    def then(self, sees: "Sees | tuple[Reach, ...] | None", sides: Sequence[int | None]) -> "Field | None":
        """Field of a layer on top, of `sides` values along the axes; None where it is not known."""
        if sees is None:
            return None
        if not self.moves:
            return replace(self, sides=tuple(sides), grid=True)
        if sees is Sees.PLACE:
            return self
        if sees is Sees.ROW:
            return replace(self, grid=False)
        if sees is Sees.ALL:
            if None in self.sides:
                return None
            axes = tuple(reach.whole(side) for reach, side in zip(self.axes, self.sides, strict=True))
            return replace(self, axes=axes, sides=tuple(sides), grid=True)
        if not self.grid or len(sees) != len(self.axes):
            return None
        axes = tuple(below.then(layer) for below, layer in zip(self.axes, sees, strict=True))
        return replace(self, axes=axes, sides=tuple(sides))


def together(fields: Sequence[Field | None]) -> Field | None:
    """Field of values that are made of others at the same place, such as sums; None where it is not known."""
    if not fields or None in fields or len({field.image for field in fields}) != 1:
        return None
    main = max(fields, key=lambda field: field.moves)
    for other in fields:
        if other is main or other == main:
            continue
        if other.moves and (other.sides != main.sides or not (other.grid and main.grid)):
            return None
        sides = main.sides if main.moves else [None] * len(main.axes)
        axes = tuple(a.union(b, side) for a, b, side in zip(main.axes, other.axes, sides, strict=True))
        if None in axes:
            return None
        main = replace(main, axes=axes)
    return main

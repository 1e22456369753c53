"""Curves as one SVG file: no library, no script, and the same bytes for the same numbers."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

LEFT, RIGHT, TOP, BOTTOM = 64, 560, 40, 372  # px, the edges of the axes; the names of the curves stand on the right
HEIGHT = 420  # px, of everything
LETTER = 7  # px, of a name; a little more than letters of 12 px take
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # Okabe & Ito 2008, fit for the colour-blind
DASHES = ("none", "6 3", "2 2")  # once the colours are used up
TICKS = 6  # about so many on an axis
MARKED = 40  # points of a curve up to which each is marked


@dataclass(frozen=True)
class Curve:
    """A name and points (x, y); a point that is not finite, or not above 0 on a logarithmic axis, is left out."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """What an axis says and how it is divided."""

    name: str
    log: bool = False

    def takes(self, value: float) -> bool:
        """Whether the value has a place on it."""
        return math.isfinite(value) and (value > 0 or not self.log)


def svg(title: str, curves: Sequence[Curve], x: Axis, y: Axis) -> str:
    """A picture of the curves, in their order, with a legend."""
    kept = [(c.name, [(a, b) for a, b in c.points if x.takes(a) and y.takes(b)]) for c in curves]
    points = [point for _, some in kept for point in some]
    place_x, ticks_x = _scale([a for a, _ in points], x.log, LEFT, RIGHT)
    place_y, ticks_y = _scale([b for _, b in points], y.log, BOTTOM, TOP)
    body = [f'<text x="{LEFT}" y="22" class="title">{escape(title)}</text>']
    for value, text in ticks_x:
        at = place_x(value)
        body.append(f'<path class="grid" d="M{at:.1f} {TOP}V{BOTTOM}"/>')
        body.append(f'<text x="{at:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{text}</text>')
    for value, text in ticks_y:
        at = place_y(value)
        body.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
        body.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    body.append(f'<text x="{(LEFT + RIGHT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x.name)}</text>')
    turned = f"translate(16 {(TOP + BOTTOM) / 2:.0f}) rotate(-90)"
    body.append(f'<text transform="{turned}" text-anchor="middle">{escape(y.name)}</text>')
    for number, (name, some) in enumerate(kept):
        body += _curve(number, name, [(place_x(a), place_y(b)) for a, b in some])
    width = RIGHT + 50 + LETTER * max((len(curve.name) for curve in curves), default=0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        "<style>text{font:12px sans-serif;fill:#222}.title{font-size:15px}.grid{stroke:#ddd}"
        ".curve{fill:none;stroke-width:1.8}</style>\n"
        f'<rect width="{width}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _curve(number, name, places):
    color, dash = COLORS[number % len(COLORS)], DASHES[number // len(COLORS) % len(DASHES)]
    style = f'stroke="{color}" stroke-dasharray="{dash}"'
    row = TOP + 8 + 18 * number
    yield f'<path class="curve" {style} d="M{RIGHT + 14} {row}h22"/>'
    yield f'<text x="{RIGHT + 42}" y="{row + 4}">{escape(name)}</text>'
    if places:
        yield f'<path class="curve" {style} d="M' + "L".join(f"{a:.1f} {b:.1f}" for a, b in places) + '"/>'
    if len(places) <= MARKED:
        yield from (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{color}"/>' for a, b in places)


def _scale(values: Sequence[float], log: bool, first: float, last: float) -> tuple[Callable[[float], float], list]:
    """Value -> px, and the ticks as (value, text); of no values an axis from 0 to 1, or of one power of ten."""
    warp = math.log10 if log else float
    low, high = (min(map(warp, values)), max(map(warp, values))) if values else (0.0, 1.0)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    room = 0.03 * (high - low)
    low, high = low - room, high + room
    ticks = _powers(low, high) if log else _round(low, high)
    return lambda value: first + (warp(value) - low) / (high - low) * (last - first), [(tick, f"{tick:.6g}") for tick in ticks]


def _round(low, high):
    """Multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _powers(low, high):
    """Powers of ten; 2 and 5 times these too where there are few."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    factors = (1,) if high - low > TICKS else (1, 2, 5)
    return [factor * 10.0**power for power in powers for factor in factors if low <= math.log10(factor * 10.0**power) <= high]

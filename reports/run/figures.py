"""Numbers as a page says them."""

from collections.abc import Sequence
from typing import Any

UNITS = (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))


def figure(value: Any) -> str:
    """A count as it is, any other figure to four digits behind the point, or four that count where it is small; "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) >= 0.01 or value == 0 else f"{value:.4g}"


def interval(ends: Sequence[float] | None) -> str:
    """Such as "0.6216 to 0.7822"; "" for none."""
    return f"{figure(float(ends[0]))} to {figure(float(ends[1]))}" if ends else ""


def short(count: int | float | None) -> str:
    """A count to three digits with a unit, such as "1.23 M"; "?" where nobody knows it."""
    if count is None:
        return "?"
    for unit, size in UNITS:
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:g}"


def seconds(value: float) -> str:
    """Such as "4.2 s" and "2 min 5 s"."""
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def bytes_(count: int) -> str:
    """Such as "3.2 MB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"

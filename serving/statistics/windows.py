"""What was measured, by time: five minutes each in the last hour, an hour each in the last day, and all together."""

import collections
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.statistics.cells import of_json
from serving.statistics.measures import Measured

MINUTES, HOUR, DAY = 300, 3600, 86_400  # s


@dataclass
class Part:
    """What was measured in `length` seconds from `start` on, and before `end`, s since 1970."""

    start: float
    length: int
    end: float
    measured: Measured = field(default_factory=Measured)


class Windows:
    """Parts that follow one another; what is older than a day is in `total` alone."""

    def __init__(self):
        self.minutes: collections.deque[Part] = collections.deque()
        self.hours: collections.deque[Part] = collections.deque()
        self._older = Measured()

    def at(self, now: float) -> Measured:
        """What is to take what is measured at a time, s since 1970."""
        start = now // MINUTES * MINUTES
        if not self.minutes or start > self.minutes[-1].start:
            self.minutes.append(Part(start, MINUTES, start + MINUTES))
        while self.minutes[0].end <= now - HOUR:
            part = self.minutes.popleft()
            hour = part.start // HOUR * HOUR
            if not self.hours or hour > self.hours[-1].start:
                self.hours.append(Part(hour, HOUR, part.end))
            self.hours[-1].measured.merge(part.measured)
            self.hours[-1].end = max(self.hours[-1].end, part.end)
        while self.hours and self.hours[0].end <= now - DAY:
            self._older.merge(self.hours.popleft().measured)
        return self.minutes[-1].measured  # of a clock that was put back too

    def since(self, start: float | None = None) -> Measured:
        """All that was measured after a time, s since 1970, by whole parts; None: all."""
        together = Measured()
        if start is None:
            together.merge(self._older)
        for part in (*self.hours, *self.minutes):
            if start is None or part.end > start:
                together.merge(part.measured)
        return together

    def as_json(self) -> dict[str, Any]:
        """What `of_json` reads."""
        return {
            "older": measured_as_json(self._older),
            "parts": [
                {"start": part.start, "length": part.length, "end": part.end, **measured_as_json(part.measured)}
                for part in (*self.hours, *self.minutes)
            ],
        }

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Windows":
        """What `as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        windows = cls()
        windows._older = measured_of_json(value["older"])
        for row in value["parts"]:
            part = Part(float(row["start"]), int(row["length"]), float(row["end"]), measured_of_json(row))
            (windows.minutes if part.length == MINUTES else windows.hours).append(part)
        return windows


COUNTS = ("requests", "examples", "unreadable")


def measured_as_json(measured: Measured) -> dict[str, Any]:
    """What `measured_of_json` reads."""
    features = {name: of.as_json() for name, of in sorted(measured.features.items())}
    return {**{name: getattr(measured, name) for name in COUNTS}, "features": features}


def measured_of_json(value: Mapping[str, Any]) -> Measured:
    """What `measured_as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    measured = Measured()
    for name in COUNTS:
        setattr(measured, name, int(value[name]))
    measured.features = {str(name): of_json(of) for name, of in value["features"].items()}
    return measured

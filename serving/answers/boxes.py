"""Boxes around objects: float [M, 4], top, left, bottom and right in px of the image that was asked about."""

from serving import formats
from serving.answers.base import Kind, plain

SIDES = ("top", "left", "bottom", "right")


class Answer(Kind):
    ending = ".csv"

    def json(self, value, about):
        return plain(value)

    def line(self, told, about):
        corners = "; ".join(" ".join(f"{side:.0f}" for side in box) for box in told[: about.top])
        return f"{len(told)}: {corners}" if told else "none"

    def file(self, value, about):
        return formats.table(SIDES, plain(value))

"""Whether each of the names beside it holds, in their order: bool [k]."""

from serving import formats
from serving.answers.base import Kind, plain


class Answer(Kind):
    ending = ".csv"
    alone = False

    def least(self, value):
        """Up to the last that holds: none of these is cut off."""
        return max((place for place, held in enumerate(plain(value), 1) if held), default=0)

    def json(self, value, about):
        return [bool(held) for held in plain(value)][: about.top]

    def line(self, told, about):
        return " ".join("yes" if held else "no" for held in told)

    def file(self, value, about):
        return formats.table(["holds"], [[int(held)] for held in plain(value)])

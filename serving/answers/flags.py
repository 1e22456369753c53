"""Whether each of the names beside it holds, in their order: bool [k]."""

from serving import formats
from serving.answers.base import Kind, plain


class Answer(Kind):
    ending = ".csv"

    def json(self, value, about):
        return [bool(held) for held in plain(value)][: about.top]

    def line(self, told, about):
        return " ".join("yes" if held else "no" for held in told)

    def file(self, value, about):
        return formats.table(["holds"], [[int(held)] for held in plain(value)])

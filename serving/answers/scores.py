"""How sure the names beside it are, in their order: float [k]."""

from serving import formats
from serving.answers.base import Kind, cell, plain


class Answer(Kind):
    ending = ".csv"

    def json(self, value, about):
        return plain(value)[: about.top]

    def line(self, told, about):
        return cell(told)

    def file(self, value, about):
        return formats.table(["score"], [[score] for score in plain(value)])

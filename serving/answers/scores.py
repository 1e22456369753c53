"""How sure the names beside it are, in their order: float [k]."""

from serving import formats
from serving.answers.base import Best, plain


class Answer(Best):
    ending = ".csv"
    alone = False

    def file(self, value, about):
        return formats.table(["score"], [[score] for score in plain(value)])

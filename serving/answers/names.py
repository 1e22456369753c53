"""Names of classes, the best first: string [k]."""

from serving import formats
from serving.answers.base import Best, plain


class Answer(Best):
    ending = ".csv"

    def file(self, value, about):
        return formats.table(["class"], [[name] for name in plain(value)])

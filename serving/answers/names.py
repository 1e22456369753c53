"""Names of classes, the best first: string [k]."""

from serving import formats
from serving.answers.base import Best, plain


class Answer(Best):
    ending = ".csv"
    alone = False

    def decision(self, value):
        """The best."""
        return plain(value)[:1][0] if len(value) else ""

    def file(self, value, about):
        return formats.table(["class"], [[name] for name in plain(value)])

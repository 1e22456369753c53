"""What an encoder makes of an example: float32 [k]."""

from serving import formats
from serving.answers.base import Kind, plain


class Answer(Kind):
    ending = ".npy"

    def json(self, value, about):
        return plain(value)

    def line(self, told, about):
        return f"{len(told):,} numbers"

    def file(self, value, about):
        """Of [N, k] too."""
        return formats.npy(value)

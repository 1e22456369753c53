"""Whether each class of the card holds, in its order: bool [K]. Beside names and flags it says nothing new to a person."""

from serving import formats
from serving.answers.base import Kind, plain


class Answer(Kind):
    ending = ".csv"
    said_by = frozenset({"flags"})

    def decision(self, value):
        return tuple(bool(held) for held in plain(value))

    def json(self, value, about):
        return [bool(held) for held in plain(value)]

    def line(self, told, about):
        if len(told) != len(about.class_names):
            return " ".join("yes" if held else "no" for held in told)
        return ", ".join(name for name, held in zip(about.class_names, told, strict=True) if held) or "none"

    def file(self, value, about):
        told = plain(value)
        names = about.class_names if len(told) == len(about.class_names) else range(len(told))
        return formats.table(["class", "holds"], [[name, int(held)] for name, held in zip(names, told, strict=True)])

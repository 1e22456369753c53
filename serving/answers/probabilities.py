"""A probability for each class of the card, in its order: float [K]. Beside names and scores it says nothing new to a person."""

from serving import formats
from serving.answers.base import Kind, cell, plain


class Answer(Kind):
    ending = ".csv"
    said_by = frozenset({"names"})

    def json(self, value, about):
        return plain(value)

    def line(self, told, about):
        if len(told) != len(about.class_names):
            return cell(told)
        ranked = sorted(zip(told, about.class_names, strict=True), key=lambda pair: -pair[0])
        return ", ".join(f"{name} {probability:.4f}" for probability, name in ranked[: about.top])

    def file(self, value, about):
        told = plain(value)
        names = about.class_names if len(told) == len(about.class_names) else range(len(told))
        return formats.table(["class", "probability"], zip(names, told, strict=True))

"""A number of an example, or several of any shape: scores, figures, decisions."""

from serving import formats
from serving.answers.base import Kind, cell, plain


class Answer(Kind):
    ending = ".npy"

    def json(self, value, about):
        return plain(value)

    def line(self, told, about):
        return cell(told)

    def file(self, value, about):
        return formats.npy(value)

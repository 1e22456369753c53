"""A text of an example, or several of any shape; UTF-8."""

from serving.answers.base import Kind, cell, plain


class Answer(Kind):
    ending = ".txt"
    alone = False

    def json(self, value, about):
        return plain(value)

    def line(self, told, about):
        return cell(told)

    def file(self, value, about):
        return "".join(f"{line}\n" for line in _lines(plain(value))).encode()


def _lines(told):
    return [line for part in told for line in _lines(part)] if isinstance(told, list) else [told]

"""What Keras raises, in words."""

import re

from configs.errors import first_line


def said(error: Exception) -> str:
    """What an error says, for a sentence: Keras's have many lines, the last of which may say what the first is about."""
    text = str(cause(error))
    if bold := re.search("\x1b\\[1m(.+?)\x1b\\[0m", text, re.DOTALL):  # what a layer raised, in bold below "when calling"
        text = bold[1]
    return first_line(text).rstrip(".")


def cause(error: BaseException) -> BaseException:
    """The first of the errors that Keras wraps in one another, a layer's in its model's, while it reads a config."""
    while "Exception encountered: " in str(error) and error.__context__ is not None:
        error = error.__context__
    return error

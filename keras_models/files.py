"""Why a .keras file, or a config that Keras wrote, cannot be read: in plain words, and without importing what it names."""

import contextlib
import re
from collections.abc import Iterator

from configs.errors import HubelError, UsageError, printable
from keras_models import raised

OWN = "From a file hubel loads what Keras and hubel define, nothing else."
FUNCTION = "Save the model again with keras.ops, or a function that Keras has, in its place."
OTHER = "Is it a .keras file of Keras 3?"


@contextlib.contextmanager
def readable(called: str, instead: str) -> Iterator[None]:
    """Around whatever loads a file.

    Args:
        called: how a message names the file.
        instead: what to do about a class of a person's own, as a sentence.

    Raises:
        UsageError: instead of anything that Keras raises, with what is wrong with the file.
    """
    try:
        yield
    except HubelError:
        raise
    except Exception as error:  # whatever a file that a person made raises
        said, hint = reason(error)
        raise UsageError(f"{called} cannot be loaded: {said}.", f"{hint} {instead}" if hint == OWN else hint) from error


def reason(error: Exception) -> tuple[str, str]:
    """What kept Keras from reading a config, and what to do about it: OWN, FUNCTION or OTHER."""
    text = str(raised.cause(error))
    if match := re.match(r"Could not locate (class|function) '([^']+)'", text):
        return f"it uses the {match[1]} {printable(match[2])[:100]}, which is not known here", OWN
    if match := re.match(r"Could not deserialize \w+ '([^']+)' because its parent module (\S+) cannot be imported", text):
        return f"it uses {printable(match[1])[:100]} of {printable(match[2])[:100]}, which is not installed", OWN
    if match := re.match(r"Could not interpret (\w+)[\w ]* identifier: \{('class_name': '__lambda__'|'value': [[(])", text):
        return f"it holds a Python function ({match[1]}), which is not read from a file, for safety", FUNCTION
    if match := re.match(r"Could not interpret [\w ]+ identifier: \{'module': '[^']*', 'class_name': '([^']+)'", text):
        return f"it uses the class {printable(match[1])[:100]}, which is not known here", OWN
    if "Python lambda" in text:
        return "it holds a Python function (in a Lambda layer), which is not read from a file, for safety", FUNCTION
    return raised.said(error), OTHER

"""The errors a person sees: one sentence of what is wrong and where, one of what to do, and the exit code."""

import contextlib
import errno
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

SAID = 300  # characters of a library's message that a sentence repeats
NOTHING = "no message"
FULL = (errno.ENOSPC, errno.EDQUOT)  # what an OSError says of a disk, or of a share of it, that is full


class HubelError(Exception):
    """Something failed while running. `message` says what and where, `hint` what to do about it, `details` what a program may want
    to know besides (JSON values)."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "", **details: Any):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def as_json(self) -> dict:
        """The failure object of the command line's JSON contract."""
        return {"error": {"message": self.message, "hint": self.hint, "exit_code": self.exit_code, **self.details}}


class Diverged(HubelError):
    """A training whose loss did not stay a finite number."""


class UsageError(HubelError):
    """What was typed, or written in a config, is wrong; nothing was started."""

    exit_code = 2


def from_json(failure: Mapping[str, Any]) -> HubelError:
    """The error that `as_json` is of, as another process raises it."""
    of_error = dict(failure["error"])
    kind = UsageError if of_error.pop("exit_code") == UsageError.exit_code else HubelError
    return kind(**of_error)


def log_traceback() -> None:
    """Of the error that is being handled, into the log, a child's standard error. A full disk, which the error may be about,
    takes no more of it."""
    with contextlib.suppress(OSError):
        traceback.print_exc(file=sys.stderr)


def first_line(said: object) -> str:
    """What an error, or a text, says first, for a sentence: the first line that holds anything, at most SAID characters of it."""
    return next(lines(said), NOTHING)[:SAID]


def last_line(said: object) -> str:
    """The same of what it says last, as a process does that ends."""
    return ([*lines(said)] or [NOTHING])[-1][:SAID]


def lines(said: object) -> Iterator[str]:
    """Of an error, or a text, the lines that hold anything."""
    return filter(None, map(str.strip, str(said).splitlines()))


def printable(text: str) -> str:
    """A name of a file or a class for a person to read: it may hold anything, line ends and control characters too."""
    return "".join(c if c.isprintable() else "?" for c in text)

"""The errors a person sees: one sentence of what is wrong and where, one of what to do, and the exit code."""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)  # what an OSError says of a disk, or of a share of it, that is full


class HubelError(Exception):
    """Something failed while running. `message` says what and where, `hint` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_json(self) -> dict:
        """The failure object of the command line's JSON contract."""
        return {"error": {"message": self.message, "hint": self.hint, "exit_code": self.exit_code}}


class Diverged(HubelError):
    """A training whose loss did not stay a finite number."""


class UsageError(HubelError):
    """What was typed, or written in a config, is wrong; nothing was started."""

    exit_code = 2

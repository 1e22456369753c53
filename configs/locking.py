"""A lock on a file that says who holds it. It lasts as long as the last process that has the file open: a child may inherit it."""

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path

import portalocker

from configs.errors import FULL


class Held(Exception):
    """Another process holds the lock. `holder` says which, in words."""

    def __init__(self, holder: str):
        super().__init__(holder)
        self.holder = holder


def share(file) -> None:
    """Mark an open file as in use, until the last process that inherits it has ended; any number of them may."""
    with contextlib.suppress(portalocker.LockException):  # such as of a file system without locks
        portalocker.lock(file, portalocker.LOCK_SH | portalocker.LOCK_NB)


def is_in_use(path: Path) -> bool:
    """Whether a process has a file that it marked by `share`, or holds its lock."""
    return _is_refused(path, portalocker.LOCK_EX)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of a file; one that only shares it does not."""
    return _is_refused(path, portalocker.LOCK_SH)


def _is_refused(path: Path, kind) -> bool:
    """Whether a lock of that kind cannot be had now. A file that cannot be opened refuses none."""
    try:
        with path.open("rb") as file:
            portalocker.lock(file, kind | portalocker.LOCK_NB)
    except portalocker.LockException:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def hold(path: Path, what: str) -> Iterator[int]:
    """Hold the lock of a file, which is made, while the block runs. Yields its file descriptor, for a child to inherit.

    Args:
        what: the command, for whoever comes upon the lock.

    Raises:
        Held: where another process has it.
    """
    file = path.open("ab+", buffering=0)
    try:
        portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
    except portalocker.LockException:
        who = _named_in(file)
        file.close()
        raise Held(who) from None
    try:
        holder = f"`{what}` (process {os.getpid()}, since {datetime.datetime.now():%Y-%m-%d %H:%M:%S})"
        file.truncate(0)
        try:
            file.write(holder.encode())
        except OSError as error:  # the lock holds without its holder's name
            if error.errno not in FULL:
                raise
        yield file.fileno()
    finally:
        file.close()


def holder(path: Path) -> str | None:
    """Which process holds the lock of a file now, in words; None where none does. Writes nothing."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    with file:
        try:
            portalocker.lock(file, portalocker.LOCK_SH | portalocker.LOCK_NB)
        except portalocker.LockException:
            return _named_in(file)
    return None


def _named_in(file) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip() or "another process"

"""The workspace's folder, and paths of folders that TensorFlow and Beam are asked for as patterns."""

import os
from pathlib import Path

from configs.errors import UsageError

PATTERN = "*?[\\"  # they read these as wildcards, or as what escapes one, wherever in a path they stand


def literal(path: Path, what: str, hint: str) -> Path:
    """The path itself.

    Args:
        what: what lies there, as a message begins.
        hint: what to do about it.

    Raises:
        UsageError: for one that means other files, or none, as a pattern. It cannot be escaped: most of the patterns are put
            together inside TFX, TensorFlow and Beam.
    """
    marks = sorted({character for character in str(path) if character in PATTERN})
    if marks:
        raise UsageError(f"{what} {path} has {' and '.join(marks)} in its path, which TensorFlow and Beam read as wildcards.", hint)
    return path


def is_url(path: str) -> bool:
    """Whether it is a URL, such as gs://bucket/models, which TensorFlow's file systems read."""
    return "://" in path


def place(path: str) -> Path | str:
    """A folder here, or a URL as it is: a Path would lose a slash of it."""
    return path.rstrip("/") if is_url(path) else Path(path)


def workspace_default() -> str:
    """HUBEL_WORKSPACE, or ./workspace."""
    return os.environ.get("HUBEL_WORKSPACE") or "workspace"

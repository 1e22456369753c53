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


def workspace_default() -> str:
    """HUBEL_WORKSPACE, or ./workspace."""
    return os.environ.get("HUBEL_WORKSPACE") or "workspace"

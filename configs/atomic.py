"""Files and folders that appear whole or not at all: written under another name on the same disk, and renamed at the end."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, stage: Path | None = None) -> Iterator[Path]:
    """Where to write what becomes `path` at the end, in the place of what is there. Where the block fails, that stays as it is and
    what was written goes; a kill may leave it. What the system says of the file that is written names `path`, as a person did.

    Args:
        path: in a folder that is there. A folder itself is renamed only where none that holds anything has its name.
        stage: what is written instead of path, on the same disk; by default it lies beside it, hidden, with the same ending.
    """
    stage = stage or path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield stage
        stage.replace(path)
    except BaseException as error:
        if stage.is_dir():
            shutil.rmtree(stage, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                stage.unlink()
        if isinstance(error, OSError) and str(error.filename) == str(stage):
            error.filename = str(path)
        raise


def write_text(path: Path, text: str) -> None:
    """In UTF-8; see `replacing`."""
    with replacing(path) as stage:
        stage.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """See `replacing`."""
    with replacing(path) as stage:
        stage.write_bytes(content)


def set_aside(path: Path) -> Path:
    """Rename a damaged file or folder, if it is there, to NAME.damaged-NUMBER, which is returned."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    if path.exists():
        path.replace(aside)
    return aside

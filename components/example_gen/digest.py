"""A digest of what files hold, so that replaced data re-runs ExampleGen and a mere `touch` does not.

TFX's own fingerprint is made of modification times. Reading gigabytes at every run would be slow the other way, so a file's
digest is remembered by its size, its place on the disk (inode) and two times, and computed anew only when one of them changed. The
second, of the last change of anything, cannot be set: `cp -p` and rsync may give another file the size and modification time of the
old one.
"""

import contextlib
import contextvars
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from configs import atomic

_remembers = contextvars.ContextVar("remembers", default=True)


@contextlib.contextmanager
def unremembered() -> Iterator[None]:
    """Within it no memory is written: for whoever only looks, and holds no lock."""
    token = _remembers.set(False)
    try:
        yield
    finally:
        _remembers.reset(token)


def of_files(paths: Iterable[Path], root: Path, memory: Path) -> str:
    """Hex digest of the names (relative to `root`) and contents of files. `memory` is a JSON file that may not exist yet."""
    known = _recall(memory)
    whole, fresh = hashlib.sha256(), {}
    for path in sorted(paths):
        stat = path.stat()
        stamp = [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
        match known.get(str(path)):
            case [*before, str(content)] if before == stamp:
                pass
            case _:
                content = _content(path)
        fresh[str(path)] = [*stamp, content]
        whole.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode(errors="surrogateescape"))
    if _remembers.get() and any(known.get(path) != entry for path, entry in fresh.items()):
        memory.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(memory, json.dumps({**known, **fresh}))
    return whole.hexdigest()


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _recall(memory: Path) -> dict:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}

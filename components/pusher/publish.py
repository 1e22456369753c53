"""A version appears in TF Serving's folder whole or not at all, and never twice."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from configs import atomic
from reports import model_card
from serving import layout, promotions
from serving.statistics import written

_STAGE = ".staged-"  # not a number, so no server takes it for a version
# fingerprint.pb holds a random id; statistics and model card tell of a model; the rest of a SavedModel is a function of its content
_APART = ("fingerprint.pb", *(Path(name).name for name in (written.OF_TRAINING, model_card.FILE, model_card.PAGE)))

Described = Callable[[int, bool], Mapping[str, str]]  # version, whether it is new -> name in its folder -> text, that tells of it


def _nothing(version: int, is_new: bool) -> Mapping[str, str]:
    return {}


def push(
    model: Path, base: Path | str, changed: Callable[[Path], None] = lambda stage: None, described: Described = _nothing
) -> tuple[int, bool]:
    """`publish`, with what follows from it: the first version of a model is stable, a later one its canary, and model.config, in
    the folder of all models, says so. One at a time: who pushes into the same folder meanwhile waits.

    Args:
        base: a folder, or a URL of remote.py, where nobody waits.
        changed: is told of the copy before it appears, and may change it.
        described: gives files that tell of a version and do not tell two models apart. A new one appears with them; in one that is
            live and holds the same, each is replaced in one step.

    Raises:
        HubelError: where the record of what is stable cannot be read (then nothing appears), or another takes too long.
    """
    if isinstance(base, str):
        from components.pusher import remote

        return remote.push(model, base, _APART, changed, described)
    with promotions.held(base.parent, f"a push of {base.name}"):
        pushed = publish(model, base, lambda version: promotions.pushed(base, version), changed, described)
        promotions.write(base.parent)
    return pushed


def publish(
    model: Path,
    base: Path,
    begins: Callable[[int], None] = lambda version: None,
    changed: Callable[[Path], None] = lambda stage: None,
    described: Described = _nothing,
) -> tuple[int, bool]:
    """Copy a SavedModel to base/VERSION, unless the live version holds the same.

    Args:
        begins: is told of a version that is new before anything of it is there. changed, described: as of `push`.

    Returns:
        The version that is live now (one more than the highest before), and whether it is new.
    """
    base.mkdir(parents=True, exist_ok=True)
    clear_stages(base)
    version, is_new = next_version(model, base)
    if not is_new:
        write(base / str(version), described(version, False))
        return version, False
    begins(version)
    with atomic.replacing(base / str(version), base / f"{_STAGE}{os.getpid()}") as stage:
        shutil.copytree(model, stage)
        changed(stage)
        write(stage, described(version, True))
        for path in (*stage.rglob("*"), stage):
            _sync(path)
    _sync(base)
    return version, True


def write(folder: Path, described: Mapping[str, str]) -> None:
    """Files of a version's folder, each in one step."""
    for name, text in described.items():
        (folder / name).parent.mkdir(exist_ok=True)
        atomic.write_text(folder / name, text)


def next_version(model: Path, base: Path | str) -> tuple[int, bool]:
    """Which version a SavedModel is once it is live, and whether it is not yet: the highest is what a server answers with."""
    if isinstance(base, str):
        from components.pusher import remote

        return remote.next_version(model, base, _APART)
    numbered = layout.numbered(base)
    live = max(numbered, default=0)
    if live and content(numbered[live]) == content(model):
        return live, False
    return live + 1, True


def content(model: Path) -> str:
    """Digest of the names and contents of a SavedModel's files."""
    digest = hashlib.sha256()
    for path in sorted(p for p in model.rglob("*") if p.is_file() and p.name not in _APART):
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(model).as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def clear_stale(base: Path | str) -> None:
    """As `clear_stages`, unless somebody is pushing into the folder of models right now: his stage is no leftover. A URL's are
    removed by the next push."""
    if not isinstance(base, str) and not promotions.is_held(base.parent):
        clear_stages(base)


def clear_stages(base: Path) -> None:
    """Remove what a killed publish left behind."""
    for stale in base.glob(f"{_STAGE}*"):
        shutil.rmtree(stale, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

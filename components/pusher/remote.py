"""Pushing to a folder that TensorFlow's file systems reach: gs://, s3://, hdfs://, file:// and what else tf.io.gfile knows.

Where the file system renames a folder in one step (RENAMES), a version is copied under a name that is no number, and renamed: it
appears whole or not at all. An object store has no folders to rename: there a version is copied under its number, saved_model.pb
last, so that what is half there is no SavedModel; a server that finds the number earlier fails to load it and tries again. Who
reads model.config, which is written after that, never sees it half.

The record of what is stable lies there too. It has no lock: one at a time pushes, promotes or rolls back.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from configs.errors import HubelError, UsageError, first_line
from reports import model_card
from serving import layout, promotions

TOLD = ("saved_model.pb", "assets.extra/hubel.json", model_card.FILE)  # files of a version that verbs read who load nothing
RENAMES = ("file", "hdfs", "viewfs")  # schemes of file systems that rename a folder in one step
STAGE = ".staged-"  # not a number, so no server takes it for a version
GRAPH = "saved_model.pb"


def push(
    model: Path,
    base: str,
    apart: tuple[str, ...],
    changed: Callable[[Path], None],
    described: Callable[[int, bool], Mapping[str, str]],
) -> tuple[int, bool]:
    """As components.pusher.publish.push, to a URL.

    Args:
        apart: names of files that do not tell two models apart.

    Raises:
        HubelError: where the file system refuses; says what was left there, if anything was.
    """
    models, _, name = base.rstrip("/").rpartition("/")
    with _errors(base), tempfile.TemporaryDirectory(prefix="hubel-push-") as scratch:
        _clear(base)
        version, is_new = next_version(model, base, apart)
        with mirrored(models, Path(scratch) / "models") as mirror:
            (mirror / name).mkdir(exist_ok=True)
            if is_new:
                promotions.pushed(mirror / name, version)
                _keep_record(mirror, models)
                stage = Path(scratch) / "stage"
                shutil.copytree(model, stage)
                changed(stage)
                for file, text in described(version, True).items():
                    (stage / file).parent.mkdir(exist_ok=True)
                    (stage / file).write_text(text, encoding="utf-8")
                _appear(stage, base, version)
                _stand_in(mirror / name / str(version), f"{base}/{version}")
            else:
                for file, text in described(version, False).items():
                    path = f"{base}/{version}/{file}"
                    tf.io.gfile.makedirs(path.rpartition("/")[0])
                    _write(path, text.encode())
    return version, is_new


def next_version(model: Path, base: str, apart: tuple[str, ...]) -> tuple[int, bool]:
    """As components.pusher.publish.next_version, of a URL. What is there is read only where names and sizes are alike."""
    live = max(_numbered(base), default=0)
    if live and _alike(str(model), f"{base}/{live}", apart):
        return live, False
    return live + 1, True


def move(model: str, by: str, version: int | None, reason: str | None) -> dict[str, Any]:
    """Promote or roll back a model at a URL.

    Args:
        model: URL of the folder of its versions. by: promotions.PROMOTE or ROLLBACK. version: that is promoted; None: the canary.

    Returns:
        {model, label, was, is, canary, before, versions, skipped, reason, config}, as `hubel promote` tells them.

    Raises:
        UsageError: as of serving.promotions. HubelError: where the file system refuses.
    """
    models, _, name = model.rstrip("/").rpartition("/")
    with (
        _errors(model),
        tempfile.TemporaryDirectory(prefix="hubel-promote-") as scratch,
        mirrored(models, Path(scratch)) as mirror,
    ):
        base = mirror / name
        if not layout.versions(base):
            raise UsageError(f"There is no served model {model}.", "Check the path: it is the folder of a model's versions.")
        is_promotion = by == promotions.PROMOTE
        change = promotions.promote(base, version, reason) if is_promotion else promotions.rollback(base, reason)
    return {
        "model": change.model,
        "label": promotions.STABLE,
        "was": change.was,
        "is": change.now,
        "canary": change.state.canary,
        "before": change.state.before,
        "versions": list(change.state.versions),
        "skipped": list(change.skipped),
        "reason": reason,
        "config": f"{models}/{promotions.CONFIG}",
    }


def mirror(model: str, to: str, whole_without: str | None = None) -> str:
    """Have a folder here that tells of a model at a URL what its own does: names and sizes of its files, the contents of TOLD, and
    what is stable. Of the versions that a server loads, and the highest; of a URL that ends with a version, of that one.

    Args:
        model: URL of the folder of versions, or of one of them. to: the folder, which is there.
        whole_without: a file of a version; one that has none is copied whole.

    Returns:
        The path in `to` that is to it what the URL is to the model.

    Raises:
        UsageError: where there is no such model. HubelError: where the file system cannot be read.
    """
    base, _, last = model.rstrip("/").rpartition("/")
    version = layout.number(last)
    base = base if version is not None else model.rstrip("/")
    models, _, name = base.rpartition("/")
    with _errors(model, "read"):
        for number in _numbered(base):
            _stand_in(Path(to) / name / str(number), f"{base}/{number}")
        if tf.io.gfile.exists(f"{models}/{promotions.RECORD}"):
            (Path(to) / promotions.RECORD).write_bytes(_read(f"{models}/{promotions.RECORD}"))
        there = layout.versions(Path(to) / name)
        if not there or (version is not None and version not in there):
            known = f"There are: {', '.join(f'{base}/{number}' for number in there)}." if there else ""
            hint = known or "It is the folder of a model's versions, or one of them."
            raise UsageError(f"There is no served model {model}.", hint)
        told = [version] if version is not None else {*promotions.state(Path(to) / name).loaded, max(there)}
        for number in told:
            files = _files(f"{base}/{number}")
            for file, path in files.items():
                if file in TOLD or (whole_without is not None and whole_without not in files):
                    tf.io.gfile.copy(path, str(there[number] / file), overwrite=True)
    return str(Path(to) / name / (str(version) if version is not None else ""))


@contextlib.contextmanager
def mirrored(models: str, folder: Path) -> Iterator[Path]:
    """A local folder that has the names and sizes of all models and versions of a URL, and its record. At the end the record and
    model.config of what it then is are written there."""
    folder.mkdir(exist_ok=True)
    for name in _listed(models):
        for number in _numbered(f"{models}/{name}"):
            if tf.io.gfile.exists(f"{models}/{name}/{number}/{GRAPH}"):
                _stand_in(folder / name / str(number), f"{models}/{name}/{number}")
    if tf.io.gfile.exists(f"{models}/{promotions.RECORD}"):
        (folder / promotions.RECORD).write_bytes(_read(f"{models}/{promotions.RECORD}"))
    yield folder
    _keep_record(folder, models)
    _write(f"{models}/{promotions.CONFIG}", promotions.text(folder, models).encode())


def _keep_record(mirror: Path, models: str) -> None:
    if (mirror / promotions.RECORD).is_file():
        tf.io.gfile.makedirs(models)
        _write(f"{models}/{promotions.RECORD}", (mirror / promotions.RECORD).read_bytes())


def _stand_in(version: Path, url: str) -> None:
    """Files of the names and sizes that a version has at a URL, of nothing: by these layout.damage judges."""
    for name, path in _files(url).items():
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        (version / name).touch()
        os.truncate(version / name, tf.io.gfile.stat(path).length)


def _appear(stage: Path, base: str, version: int) -> None:
    """Copy a folder to base/VERSION. Where that fails nothing of it is left under its number, or the error says so."""
    target = f"{base}/{version}"
    written = f"{base}/{STAGE}{os.getpid()}" if _renames(base) else target
    try:
        _copy(stage, written)
        if written != target:
            tf.io.gfile.rename(written, target)
    except BaseException as error:
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(written)
        if isinstance(error, tf.errors.OpError) and written == target and _numbered(base).count(version):
            raise HubelError(
                f"Version {version} is only in part at {target}: {first_line(error)}. It could not be removed.",
                f"Remove {target}: it has no {GRAPH}, so nothing loads it, and the next push takes the next number.",
            ) from None
        raise


def _copy(stage: Path, target: str) -> None:
    """File by file; the graph, without which nothing is loaded, comes last."""
    paths = sorted((path for path in stage.rglob("*") if path.is_file()), key=lambda path: (path == stage / GRAPH, path))
    for path in paths:
        there = f"{target}/{path.relative_to(stage).as_posix()}"
        tf.io.gfile.makedirs(there.rpartition("/")[0])
        tf.io.gfile.copy(str(path), there, overwrite=True)


def _clear(base: str) -> None:
    """Remove what a killed push left behind."""
    for name in _listed(base):
        if name.startswith(STAGE):
            tf.io.gfile.rmtree(f"{base}/{name}")


def _alike(ours: str, theirs: str, apart: tuple[str, ...]) -> bool:
    """Whether two folders hold the same files."""
    both = [{name: path for name, path in _files(root).items() if name.rpartition("/")[2] not in apart} for root in (ours, theirs)]
    if both[0].keys() != both[1].keys():
        return False
    pairs = [(both[0][name], both[1][name]) for name in sorted(both[0])]
    if any(tf.io.gfile.stat(first).length != tf.io.gfile.stat(second).length for first, second in pairs):
        return False
    return all(_digest(first) == _digest(second) for first, second in pairs)


def _files(root: str) -> dict[str, str]:
    """Name within a folder -> path, of all files."""
    paths = [f"{folder.rstrip('/')}/{name}" for folder, _, names in tf.io.gfile.walk(root) for name in names]
    return {path[len(root) :].lstrip("/"): path for path in paths}


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with tf.io.gfile.GFile(path, "rb") as file:
        while part := file.read(2**22):
            digest.update(part)
    return digest.hexdigest()


def _numbered(base: str) -> list[int]:
    numbers = [layout.number(name) for name in _listed(base)]
    return sorted(number for number in numbers if number is not None)


def _listed(folder: str) -> list[str]:
    """Names in a folder; none where it is not there."""
    try:
        return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(folder))
    except tf.errors.NotFoundError:
        return []


def _read(path: str) -> bytes:
    with tf.io.gfile.GFile(path, "rb") as file:
        return file.read()


def _write(path: str, content: bytes) -> None:
    """In one step: an object appears when it is closed, and elsewhere it is renamed."""
    folder, _, name = path.rpartition("/")
    written = f"{folder}/.{os.getpid()}-{name}" if _renames(path) else path
    if path.startswith("ram://") and tf.io.gfile.exists(path):  # which TensorFlow does not empty before it writes
        tf.io.gfile.remove(path)
    with tf.io.gfile.GFile(written, "wb") as file:
        file.write(content)
    if written != path:
        tf.io.gfile.rename(written, path, overwrite=True)


def _renames(url: str) -> bool:
    return url.partition("://")[0] in RENAMES


@contextlib.contextmanager
def _errors(url: str, doing: str = "write to") -> Iterator[None]:
    """What a file system says, as a sentence."""
    done = {"read": "read"}.get(doing, "written")
    try:
        yield
    except tf.errors.UnimplementedError as error:
        raise HubelError(
            f"TensorFlow cannot {doing} {url}: {first_line(error)}.",
            f"{url.partition('://')[0]}:// may need a package that registers it, such as tensorflow-io.",
        ) from None
    except tf.errors.OpError as error:
        raise HubelError(
            f"{url} cannot be {done}: {first_line(error)}.", f"Check the path, and who may {doing.split()[0]} there."
        ) from None

"""Image files as a person names them, and what a SavedModel answers about them. Used in the worker process."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from components import progress
from components.example_gen import listing, masks
from configs.errors import UsageError

MAX_BYTES = 64 * 2**20  # of a file, and about as much of a request
BATCH = 64


class Unreadable(Exception):
    """A file that cannot be used; its text is what is wrong with it."""


class Answer(NamedTuple):
    """About one file: what was asked and the outputs, by name, as NumPy arrays of one image; or what is wrong with the file. And
    what of the file was not asked about, as pictures.noted has it."""

    path: Path
    asked: Mapping[str, Any] = MappingProxyType({})
    outputs: Mapping[str, Any] = MappingProxyType({})
    error: str | None = None
    changes: Sequence[str] = ()
    frames: int = 1


def files(images: Sequence[str], out: Path | None = None) -> list[Path]:
    """The files named, and the images in the folders named, by the rule of components.example_gen.listing, sorted by path; those
    under `out`, which an earlier run made, are none. Tells what is passed over as the event "passed_over".

    Raises:
        UsageError: where there is no image at all, or a folder may not be read.
    """
    passed_over: Counter = Counter()
    found = list(_files(images, out.expanduser() if out else None, passed_over))
    progress.emit("passed_over", counts=dict(passed_over))
    if not found:
        there = f" ({listing.words(passed_over)})" if passed_over else ""
        raise UsageError(
            f"There is no image in {', '.join(images)}{there}.", f"Images end in {', '.join(sorted(listing.ENDINGS))}."
        )
    return found


def _files(images: Sequence[str], out: Path | None, passed_over: Counter) -> Iterator[Path]:
    for image in images:
        if Path(image).is_dir():
            found = list(listing.images(image, "", passed_over, is_named=True, out=out))
            aside = masks.beside(image, found, {name.partition("/")[0] for name in found})
            passed_over.update({listing.MASKS: len(aside)} if aside else {})
            yield from sorted(Path(image, name) for name in found if name not in aside)
        else:
            yield Path(image)


def read(path: Path) -> bytes:
    """What the file holds. Raises Unreadable for an empty one, one of more than MAX_BYTES, or none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"larger than {MAX_BYTES / 2**20:.0f} MiB")
        encoded = path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if not encoded:
        raise Unreadable("empty file")
    return encoded


def size(encoded: bytes) -> tuple[int, int] | None:
    """Height and width in px that the header of an image declares, upright; None where Pillow finds no header."""
    from PIL import Image

    from components.example_gen import pictures

    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            sides = opened.height, opened.width
        return sides if pictures.orientation_of(encoded) < 5 else sides[::-1]
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        return None


def row(answer: Answer) -> dict[str, Any]:
    """What the JSON of a verb says of one file: {file, size: [height, width] or None} or {file, error}; also, where they apply,
    {changes: see components.example_gen.pictures, frames: how many there are, of which the first was asked about}."""
    if answer.error is not None:
        return {"file": str(answer.path), "error": answer.error}
    told = {"changes": list(answer.changes)} if answer.changes else {}
    told |= {"frames": answer.frames} if answer.frames > 1 else {}
    return {"file": str(answer.path), "size": size(answer.asked["image_bytes"]), **told}


def answers(
    function: Callable,
    paths: Sequence[Path],
    prepared: Callable[[bytes], bytes],
    beside: Callable[[Path, bytes], dict[str, Any]] = lambda path, encoded: {},
) -> Iterator[Answer]:
    """What a signature that takes `image_bytes` says of each file, in order; a damaged file fails alone.

    One request for up to BATCH files; where it fails, one for each.

    Args:
        function: the signature.
        prepared: what is sent of a file, as of pipelines.verbs.served.
        beside: values of its further arguments for a file. May raise Unreadable.
    """
    import tensorflow as tf

    def ask(asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        outputs = function(**{name: tf.constant([one[name] for one in asked]) for name in asked[0]}) if asked else {}
        arrays = {name: value.numpy() for name, value in outputs.items()}
        return [{name: value[i] for name, value in arrays.items()} for i in range(len(asked))]

    for batch in _batches(paths, prepared, beside):
        good = [asked for _, asked, _ in batch if isinstance(asked, dict)]
        try:
            together = iter(ask(good))
        except tf.errors.OpError:
            together = None
        for path, asked, noted in batch:
            try:
                if isinstance(asked, str):
                    yield Answer(path, error=asked)
                else:
                    yield Answer(path, asked, next(together) if together else ask([asked])[0], None, *noted)
            except tf.errors.OpError as error:
                yield Answer(path, error=words(error))


def _batches(paths: Sequence[Path], prepared, beside) -> Iterator[list[tuple[Path, dict[str, Any] | str, tuple]]]:
    """Files with what a signature is asked about them, or what is wrong, and as of pictures.noted; at most BATCH, or as many as
    hold MAX_BYTES."""
    from components.example_gen import pictures

    batch, held = [], 0
    for path in paths:
        try:
            stored = read(path)
            encoded = prepared(stored)
            batch.append((path, {"image_bytes": encoded, **beside(path, encoded)}, pictures.noted(stored)))
            held += len(encoded)
        except Unreadable as error:
            batch.append((path, str(error), ()))
        if len(batch) == BATCH or held >= MAX_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def words(error) -> str:
    """What TensorFlow says is wrong, without where in the graph."""
    if "Unknown image file format" in error.message:
        return "not an image that TensorFlow decodes"
    where = ("Graph execution error", "Detected at", "<stack traces", " ", "\t")
    lines = [line for line in error.message.splitlines() if line and not line.startswith(where)]
    return (lines or ["an error without words"])[0][:200]

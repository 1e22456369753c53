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
from pipelines.verbs import batches
from pipelines.verbs.batches import Unreadable, read

BATCH = 64


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
    listed = list(_files(images, out.expanduser() if out else None, passed_over))
    progress.emit("passed_over", counts=dict(passed_over))
    if not listed:
        there = f" ({listing.words(passed_over)})" if passed_over else ""
        raise UsageError(
            f"There is no image in {', '.join(images)}{there}.", f"Images end in {', '.join(sorted(listing.ENDINGS))}."
        )
    return listed


def _files(images: Sequence[str], out: Path | None, passed_over: Counter) -> Iterator[Path]:
    for image in images:
        if Path(image).is_dir():
            below = list(listing.images(image, "", passed_over, is_named=True, out=out))
            aside = masks.beside(image, below, {name.partition("/")[0] for name in below})
            passed_over.update({listing.MASKS: len(aside)} if aside else {})
            yield from sorted(Path(image, name) for name in below if name not in aside)
        else:
            yield Path(image)


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

    Args:
        function: the signature.
        prepared: what is sent of a file, as of pipelines.verbs.served.
        beside: values of its further arguments for a file. May raise Unreadable.
    """
    from components.example_gen import pictures

    def requests() -> Iterator[tuple[tuple, Mapping[str, Any] | str]]:
        for path in paths:
            try:
                stored = read(path)
                encoded = prepared(stored)
                asked = {"image_bytes": encoded, **beside(path, encoded)}
                yield (path, asked, pictures.noted(stored)), asked
            except Unreadable as error:
                yield (path, {}, ()), str(error)

    for (path, asked, noted), outputs, error in batches.asked(function, requests(), BATCH):
        yield Answer(path, error=error) if error is not None else Answer(path, asked, outputs, None, *noted)

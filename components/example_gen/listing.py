"""Which files of a folder are images: one rule, for sources and for the verbs that are given folders.

A file with a usual ending of an image is one, whatever it holds: what cannot be decoded is damaged, and is said to be. Of any other
file the first bytes tell, but for texts and for a camera's raw data, which begins as TIFF does. What is hidden, and what hubel
itself has written, is none. Whatever is passed over is counted by its ending.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from components.example_gen import files
from components.image_files import ENDINGS  # noqa: F401
from components.inputs import DEFAULT, storage_of

NO_PICTURES = frozenset(
    (".txt", ".md", ".rst", ".csv", ".tsv", ".xml", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".html", ".htm",
     ".py", ".ipynb", ".m", ".sh", ".log", ".url", ".names", ".doc", ".docx", ".xls", ".xlsx", ".tex", ".bib", ".db", ".lnk")
)  # fmt: skip
RAWS = frozenset(
    (".3fr", ".arw", ".cr2", ".dcr", ".dng", ".erf", ".iiq", ".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef",
     ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f")
)  # fmt: skip
HIDDEN, OWN, MASKS, NO_ENDING, NO_FILE = "hidden", "hubel's own", "masks", "no ending", "no file"  # kinds beside the endings
RECORD = ".hubel"  # in a folder: names of the files that hubel has written there, a JSON text a line
WORKSPACE = (  # what is in a workspace that a run, or only `hubel init`, has used; and in its folder of data sets
    ("pipelines", "lock"), ("pipelines", "metadata.db"), ("datasets", "lock"), ("datasets/.digests.json",), (".digests.json",)
)  # fmt: skip
SHOWN = 10  # kinds that a message names
_BEGINS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
           b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")  # fmt: skip
_BITMAPS = (12, 40, 52, 56, 64, 108, 124)  # bytes of a BMP's second header
_PORTABLE = re.compile(rb"P[1-6]\s+(#|[0-9])")  # PPM, PGM, PBM
_ENDING = re.compile(r"\.(?=.*[a-z])[a-z0-9_+~-]{1,10}")


def images(
    root: str,
    folder: str,
    passed_over: Counter,
    is_deep: bool = True,
    is_named: bool = False,
    out: Path | None = None,
    reads: str = DEFAULT,
) -> Iterator[str]:
    """Paths below `root` of the images in one of its folders and, if `is_deep`, in the folders below that; or of files of another
    kind of input that is read, by their endings alone.

    A link to a folder is followed where it leads to none that was seen and to none that the folder lies in.

    Args:
        passed_over: what is no image is counted here, by its ending or as one of the kinds above.
        is_named: a person has named this folder, so that what hubel has written into it, though not below, are images too.
        out: a folder whose images are hubel's own.

    Raises:
        UsageError: for a folder that may not be read.
    """
    top = Path(root, folder)
    seen = {_identity(path) for path in top.parents}
    own = _identity(out) if out is not None and out.exists() else None
    waiting, links = [folder], []
    is_top = True
    while waiting or links:
        here = waiting.pop() if waiting else links.pop()
        identity = _identity(Path(root, here))
        if identity in seen:
            continue
        seen.add(identity)
        every = entries(os.path.join(root, here))
        if not is_top and (identity == own or is_workspace(os.path.join(root, here))):
            passed_over[OWN] += 1
            continue
        written = () if is_named and is_top else _recorded(every)
        is_top = False
        for entry in every:
            if is_folder(entry):
                if entry.name.startswith("."):
                    passed_over[HIDDEN] += 1
                elif is_deep:
                    (links if entry.is_symlink() else waiting).append(os.path.join(here, entry.name))
            elif kind := _kind(entry, written, reads):
                if entry.name != RECORD:
                    passed_over[kind] += 1
            else:
                yield os.path.join(here, entry.name)


def _kind(entry: os.DirEntry, written, reads: str) -> str | None:
    """As what a file is passed over; None for what is read."""
    name = entry.name
    if name in written:
        return OWN
    if name.startswith("."):
        return HIDDEN
    if not _is_file_or_lost(entry):
        return NO_FILE
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix in storage_of(reads).endings:
        return None
    if reads == DEFAULT and suffix not in NO_PICTURES and suffix not in RAWS and _begins_as_image(entry.path):
        return None
    return suffix if _ENDING.fullmatch(suffix) else NO_ENDING


def _begins_as_image(path: str) -> bool:
    """Whether the first bytes are those of a format that components.example_gen.pictures reads."""
    try:
        with open(path, "rb") as file:
            start = file.read(32)
    except OSError:
        return False
    if start.startswith(_BEGINS) or _PORTABLE.match(start):
        return True
    if start[:2] == b"BM":
        return int.from_bytes(start[14:18], "little") in _BITMAPS and start[6:10] == b"\0\0\0\0"
    is_dib = int.from_bytes(start[:4], "little") in _BITMAPS[1:] and start[12:14] == b"\1\0"
    return is_dib or (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or start[4:12] in (b"ftypavif", b"ftypavis")


def entries(folder: str) -> list[os.DirEntry]:
    """What lies in a folder, by name. Raises UsageError for one that may not be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise files.unreadable(error, folder) from None


def is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file_or_lost(entry: os.DirEntry) -> bool:
    """Not a pipe or a device. A link that leads nowhere counts, so that such an image is set aside and not passed over."""
    try:
        return entry.is_file() or not os.path.exists(entry.path)
    except OSError:  # a link to itself
        return True


def is_workspace(folder: str) -> bool:
    """Whether a folder is a workspace of hubel's, or that of its data sets."""
    return any(all(os.path.exists(os.path.join(folder, name)) for name in names) for names in WORKSPACE)


def record(path: Path) -> None:
    """Note beside a file that hubel writes it, so that it is never part of a source. Raises OSError."""
    with open(path.with_name(RECORD), "a", encoding="ascii") as file:
        file.write(f"{json.dumps(path.name)}\n")


def _recorded(every: Sequence[os.DirEntry]) -> set[str]:
    """Names of the files among these that hubel has written."""
    path = next((entry.path for entry in every if entry.name == RECORD), None)
    if path is None:
        return set()
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
        return {name for name in map(json.loads, lines) if isinstance(name, str)}
    except (OSError, ValueError):  # somebody else's
        return set()


def words(passed_over: Mapping[str, int]) -> str:
    """Such as "12 .xml, 3 hidden", the most frequent first."""
    ordered = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(ordered) - SHOWN} more kinds" if len(ordered) > SHOWN else ""
    return ", ".join(f"{count} {kind}" for kind, count in ordered[:SHOWN]) + more


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise files.unreadable(error, path) from None
    return status.st_dev, status.st_ino

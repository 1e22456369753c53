"""What the sources of image files share: paths as they are typed, names of splits, and files as shards, images and digests."""

import functools
import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from components import keys
from components.example_gen import digest, pictures
from components.example_gen.records import share
from components.example_gen.sources import Contents, Raw
from configs.errors import UsageError

CHUNK = 1000  # images a shard
PARTS = "parts"  # of a target that several files make: [path, class or ""] each
BACKGROUND = "background"  # of masks of several files, a class each: what none of them has
MAX_BYTES = 2**28  # of a file: 2**25 pixels of four 16-bit values
_WORD = "|".join(sorted(keys.SPLIT_WORDS, key=len, reverse=True))
_NAMED = re.compile(rf"(.*[^a-z])??({_WORD})([ _-]?set|[ _-](?:images|imgs|data|split))?")


class File(NamedTuple):
    """An image file: its path below the source's folder, its label as an index, an id where that is not the path, why it has no
    label, and further targets by name, as components.targets takes them, but for files: text is the path of one that has it, and
    {PARTS: ...} are those of several."""

    path: str
    label: int | None
    image_id: str | None = None
    why: str | None = None
    targets: dict[str, Any] | None = None


def absolute(rest: str) -> str:
    """A path as it was typed, `~` expanded, from the current directory."""
    return os.path.abspath(os.path.expanduser(rest))


def contents(class_names: Collection[str], files: Mapping[str, Iterable[File]]) -> Contents:
    """Files by split, as shards of at most CHUNK images.

    A shard is a JSON text, because Beam takes no names that are not UTF-8. The order is drawn from the paths, so that each shard
    has images of all classes.
    """
    ordered = {split: sorted(rows, key=lambda row: share(os.fsencode(row.path), b"order")) for split, rows in files.items()}
    return Contents(
        list(class_names),
        {split: [json.dumps(rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)] for split, rows in ordered.items()},
        {split: len(rows) for split, rows in ordered.items()},
    )


def images(root: str, shard: str) -> Iterator[Raw]:
    """The images of one shard of `contents`, none of them read yet."""
    for row in (File(*values) for values in json.loads(shard)):
        name = row.path if row.image_id is None else row.image_id
        targets = {target: functools.partial(_value, root, value) for target, value in (row.targets or {}).items()}
        yield Raw(functools.partial(read, os.path.join(root, row.path)), os.fsencode(name), row.label, targets, row.why)


def with_background(classes: Sequence[str]) -> list[str]:
    """Names of a mask's classes, the background first: one of those that have files, where it is called so in any case."""
    background = next((name for name in classes if name.lower() == BACKGROUND), BACKGROUND)
    return [background, *(name for name in classes if name != background)]


def _value(root: str, value: Any) -> Any:
    if isinstance(value, dict):
        from components.map_values import Part, Parts  # imports NumPy

        return Parts(Part(functools.partial(read, os.path.join(root, path)), of) for path, of in value[PARTS])
    return read(os.path.join(root, value)) if isinstance(value, str) else value


def read(path: str) -> bytes:
    """Raises OSError for what is not there or no file, pictures.Damaged for more than MAX_BYTES."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would wait for ever
        raise OSError(f"{path} is no file")
    if status.st_size > MAX_BYTES:
        raise pictures.Damaged("too large")
    return Path(path).read_bytes()


def digested(root: str, paths: Iterable[str], datasets: Path) -> str:
    """Digest of the names below `root` and of what the files hold. One that cannot be read counts by its name alone."""
    readable, others = [], []
    for path in paths:
        whole = os.path.join(root, path)
        (readable if os.path.isfile(whole) and os.access(whole, os.R_OK) else others).append(path)
    held = digest.of_files([Path(root, path) for path in readable], Path(root), datasets / ".digests.json")
    return hashlib.sha256(json.dumps([held, sorted(others)]).encode()).hexdigest()


def splits_of(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is before the word in names of splits, such as "seg_", mostly "" -> {name: split}, for the names that are such.

    A name is a word of keys.SPLIT_WORDS in any case, with _set or -set after it or not. Those with something else before or after
    the word count where two of them are different splits, of which one is train.
    """
    plain: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {}
    for name in names:
        match = _NAMED.fullmatch(name.lower())
        if match and not match[1] and (match[3] or "set").endswith("set"):
            plain[name] = keys.SPLIT_WORDS[match[2]]
        elif match:
            groups.setdefault(match[1] or "", {})[name] = keys.SPLIT_WORDS[match[2]]
    further = {prefix: named for prefix, named in groups.items() if "train" in named.values() and len(set(named.values())) > 1}
    if plain:  # such as train and test_images
        plain |= groups.get("", {})
        further.pop("", None)
    return {**({"": plain} if plain else {}), **further}


def unreadable(error: OSError, fallback: Any) -> UsageError:
    """For a file or folder that the system does not let us read."""
    return UsageError(f"{error.filename or fallback} cannot be read: {error.strerror}.", "Check its owner and its permissions.")

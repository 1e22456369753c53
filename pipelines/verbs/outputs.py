"""Files that a verb leaves in a folder: named after its inputs, never on top of others unasked, each there whole or not at all."""

from collections.abc import Collection, Iterable
from pathlib import Path

from components.example_gen import listing
from configs import atomic
from configs.errors import HubelError, UsageError


def names(paths: Iterable[Path], ending: str, taken: Collection[str] = ()) -> list[str]:
    """A file name for each path: its stem and `ending`, with a number where that was given before.

    Args:
        taken: names that are given already. Names that differ in case only are the same file on some disks.
    """
    given, made = {name.lower() for name in taken}, []
    for path in paths:
        name, number = f"{path.stem}{ending}", 1
        while name.lower() in given:
            number += 1
            name = f"{path.stem}-{number}{ending}"
        given.add(name.lower())
        made.append(name)
    return made


def folder(out: str, planned: Collection[str], force: bool, inputs: Collection[Path] = ()) -> Path:
    """The folder `out`, in which the files planned may be written; `write` makes it where it is not there.

    Raises:
        UsageError: where a file planned is there already, unless `force`, or is one of `inputs`.
        HubelError: where the folder cannot be made.
    """
    place = Path(out).expanduser()
    if place.exists() and not place.is_dir():
        raise UsageError(f"--out {out} is a file.", "Name a folder; it is made where it is not there.")
    there = [place / name for name in planned if (place / name).exists()]
    own = {path.resolve() for path in inputs} & {path.resolve() for path in there}
    if own:
        raise UsageError(f"{min(own)} is an image that is asked about, and would be overwritten.", "Choose another folder: --out.")
    if there and not force:
        many = f", and {len(there) - 1} more" if len(there) > 1 else ""
        raise UsageError(f"{there[0]}{many}: there already.", "Choose another folder with --out, or add --force to overwrite.")
    missing = [above for above in (place, *place.parents) if not above.exists()]
    try:  # now rather than after all the work; what then fails leaves no empty folder
        place.mkdir(parents=True, exist_ok=True)
        for made in missing:
            made.rmdir()
    except OSError as error:
        raise _unwritable(place, error) from None
    return place


def file(option: str, asked: str, force: bool, inputs: Collection[Path] = ()) -> Path:
    """The file that `option` names, which `write` may write.

    Raises:
        UsageError: where it is there already, unless `force`, is a folder, or is one of `inputs`.
    """
    place = Path(asked).expanduser()
    if place.is_dir():
        raise UsageError(f"{option} {asked} is a folder.", "Name a file in it.")
    if place.exists() and place.resolve() in {path.resolve() for path in inputs}:
        raise UsageError(f"{place} is an image that is asked about, and would be overwritten.", f"Choose another file: {option}.")
    if place.exists() and not force:
        raise UsageError(f"{place}: there already.", f"Choose another file with {option}, or add --force to overwrite.")
    return place


def write(path: Path, content: bytes) -> str:
    """Write a file beside its place, in a folder that is made for it, and rename it. Returns its path. Raises HubelError where that
    cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        listing.record(path)
        atomic.write_bytes(path, content)
    except OSError as error:
        raise _unwritable(path, error) from None
    return str(path)


def _unwritable(path: Path, error: OSError) -> HubelError:
    return HubelError(f"{path} cannot be written: {error.strerror}.", "Choose another folder: --out.")

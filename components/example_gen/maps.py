"""What is counted of masks: pixels by split and class, what was done to them, and what a person should know of that."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from components import keys, map_values
from configs import words
from configs.errors import printable

RARE = 0.01  # of the training pixels, below which a class is pointed out
LISTED = 5
NO_CLASS = ""  # the name under which pixels of no class stand


def nothing() -> dict[str, Any]:
    """{pixels: {split: {place of a class: pixels}}, void: {split: pixels}, masks: how many there are, counted: {what of
    components.map_values: pixels, or masks}, having: {what: masks that have it}}, to be added to."""
    return {"pixels": {}, "void": Counter(), "masks": 0, "counted": Counter(), "having": Counter()}


def add(into: dict[str, Any], split: str, pixels: Sequence[int], void: int, counted: Mapping[str, int]) -> None:
    """Count one mask: of components.targets.Kind.counts."""
    of_split = into["pixels"].setdefault(split, Counter())
    of_split.update({str(place): count for place, count in enumerate(pixels)})
    into["void"][split] += void
    into["masks"] += 1
    into["counted"].update(counted)
    into["having"].update(counted.keys())


def merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for split, pixels in other["pixels"].items():
        into["pixels"].setdefault(split, Counter()).update(pixels)
    for name in ("void", "counted", "having"):
        into[name].update(other[name])
    into["masks"] += other["masks"]


def plain(counted: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON values."""
    pixels = {split: dict(sorted(of.items(), key=lambda item: int(item[0]))) for split, of in counted["pixels"].items()}
    return {"pixels": pixels, "masks": counted["masks"], **{name: dict(counted[name]) for name in ("void", "counted", "having")}}


def by_class(counted: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Split -> class -> pixels, with those of no class under NO_CLASS where there are any. Classes without a name are their
    values."""
    there = {}
    for split in (split for split in keys.SPLITS if split in counted["pixels"]):
        of = counted["pixels"][split]
        there[split] = {_name(int(place), names): pixels for place, pixels in of.items()}
        if void := counted["void"].get(split):
            there[split][NO_CLASS] = void
    return there


def shares(counted: Mapping[str, Any], names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Split -> class -> its share of the pixels that are of a class; of no class, under NO_CLASS, of all."""
    told = {}
    for split, pixels in by_class(counted, names).items():
        void = pixels.get(NO_CLASS, 0)
        known = sum(pixels.values()) - void
        told[split] = {name: count / max(1, known + (void if name == NO_CLASS else 0)) for name, count in pixels.items()}
    return told


def doubts(target: str, counted: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """What a person should know, a sentence each."""
    many, having, pixels = counted["counted"], counted["having"], by_class(counted, names)
    told = []
    if snapped := having.get(map_values.SNAPPED):
        told.append(
            f"{_masks(snapped, target)} {_has(snapped)} values without a name that were taken for the nearest that has one "
            f"(data.mask_snap), {words.count(many[map_values.SNAPPED], 'pixel')} in all"
        )
    if overlapping := having.get(map_values.OVERLAPPING):
        told.append(
            f"in {_masks(overlapping, target)} {words.count(many[map_values.OVERLAPPING], 'pixel')} stand in more than one file; "
            "the larger value stands there, which of classes is the later one's"
        )
    if turned := having.get(map_values.TURNED):
        told.append(f"{_masks(turned, target)} {'was' if turned == 1 else 'were'} turned as the EXIF tags of the image say")
    everywhere = {name for of in pixels.values() for name, count in of.items() if count and name != NO_CLASS}
    if len(everywhere) == 1:
        [name] = everywhere
        told.append(f"every {target} is of one class throughout, {printable(name)}: there is nothing to tell apart")
    elif alone := having.get(map_values.ALONE):
        told.append(f"{_masks(alone, target)} of {counted['masks']:,} {_has(alone)} one class throughout")
    train = shares(counted, names).get(keys.TRAIN, {})
    if absent := [name for name, share in train.items() if not share and name != NO_CLASS]:
        told.append(f"no training pixel is of {_listed(absent)}: nothing can be learned of {'it' if len(absent) == 1 else 'them'}")
    if rare := {name: share for name, share in train.items() if 0 < share < RARE and name != NO_CLASS}:
        listed = ", ".join(
            f"{printable(name)} ({share:.2%})" for name, share in sorted(rare.items(), key=lambda of: of[1])[:LISTED]
        )
        more = f" and {len(rare) - LISTED} more" if len(rare) > LISTED else ""
        told.append(
            f"fewer than {RARE:.0%} of the training pixels are of {listed}{more}: a loss that weighs all pixels alike may "
            "leave out what is so rare"
        )
    return told


def _masks(count: int, target: str) -> str:
    return words.count(count, target)


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(printable, names[:LISTED])) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _name(place: int, names: Sequence[str]) -> str:
    return names[place] if place < len(names) else str(place)

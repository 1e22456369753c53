"""What ExampleGen found: images by split and class, what they look like, what was set aside, what stands in two splits."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from components.example_gen import labels
from components.example_gen.changes import doubts
from components.example_gen.write import Fact
from configs import words
from configs.errors import printable
from configs.schema.reading import Reading

# beside the Examples
FILE, QUARANTINE, DUPLICATES, UNLABELLED = "summary.json", "quarantine", "duplicates", "unlabelled"
READING = Reading()
NAMED = 5  # damaged images that a person is told of by name
MEASURES = ("height", "width", "aspect", "channels", "brightness")  # px, px, width / height, as encoded, mean of 0..255


class Summary(beam.CombineFn):
    """Facts -> {classes: {split: {label: images}}, labels: so too, of images that may have several, measures: {label: {measure:
    {mean, min, max}}}, changes: {name: images}, peak}.

    Labels are text, "" for none; components.example_gen.pictures names the changes; peak is the largest colour of 16-bit images.
    """

    def create_accumulator(self):
        return {}, {}, Counter(), [-1], {}

    def add_input(self, accumulator, fact: Fact):
        classes, measures, changes, peak, labels = accumulator
        changes.update(fact.changes)
        labels.setdefault(fact.split, Counter()).update(map(str, fact.labels))
        peak[0] = max(peak[0], fact.peak)
        label = "" if fact.label is None else str(fact.label)
        classes.setdefault(fact.split, Counter())[label] += 1
        ranges = measures.setdefault(label, [[0, 0.0, float("inf"), float("-inf")] for _ in MEASURES])
        for found, value in zip(
            ranges, (fact.height, fact.width, fact.width / fact.height, fact.channels, fact.brightness), strict=True
        ):
            found[:] = found[0] + 1, found[1] + value, min(found[2], value), max(found[3], value)
        return accumulator

    def merge_accumulators(self, accumulators):
        classes, measures, changes, peak, labels = self.create_accumulator()
        for their_classes, their_measures, their_changes, their_peak, their_labels in accumulators:
            changes.update(their_changes)
            peak[0] = max(peak[0], their_peak[0])
            for ours, theirs in ((classes, their_classes), (labels, their_labels)):
                for split, counts in theirs.items():
                    ours.setdefault(split, Counter()).update(counts)
            for label, ranges in their_measures.items():
                into = measures.setdefault(label, ranges)
                if into is not ranges:
                    for ours, theirs in zip(into, ranges, strict=True):
                        ours[:] = ours[0] + theirs[0], ours[1] + theirs[1], min(ours[2], theirs[2]), max(ours[3], theirs[3])
        return classes, measures, changes, peak, labels

    def extract_output(self, accumulator):
        classes, measures, changes, peak, labels = accumulator
        return {
            "classes": {split: dict(counts) for split, counts in classes.items()},
            "labels": {split: dict(counts) for split, counts in labels.items()},
            "measures": {
                label: {
                    name: {"mean": total / count, "min": low, "max": high}
                    for name, (count, total, low, high) in zip(MEASURES, ranges, strict=True)
                }
                for label, ranges in measures.items()
            },
            "changes": dict(sorted(changes.items())),
            "peak": peak[0],
        }


def read(folder: Path) -> dict[str, Any]:
    """What `Summary` found of the Examples in a folder; nothing at all where no image was written."""
    path = folder / FILE
    nothing = Summary().extract_output(Summary().create_accumulator())
    return {**nothing, **json.loads(path.read_text())} if path.is_file() else nothing


def lines(folder: Path) -> list[dict[str, Any]]:
    """What the *.jsonl files of a folder hold, in an order that does not depend on who wrote them."""
    found = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return [json.loads(line) for line in sorted(found)]


def named(aside: Sequence[Mapping[str, str]]) -> str:
    """The first of the images that were set aside, each with its reason."""
    more = f" and {len(aside) - NAMED} more" if len(aside) > NAMED else ""
    return ", ".join(f"{printable(one['id'])} ({one['reason']})" for one in aside[:NAMED]) + more


def leakage(folder: Path) -> dict[str, Any] | None:
    """Of the Examples in a folder: {images: how many have the pixels of one in another split, folder, first: [{split, id}, two of
    them]}; None without any."""
    alike = [one["images"] for one in lines(folder / DUPLICATES)]
    if not alike:
        return None
    one, *others = alike[0]
    other = next(image for image in others if image["split"] != one["split"])
    return {"images": sum(map(len, alike)), "folder": str(folder / DUPLICATES), "first": [one, other]}


def unlabelled(folder: Path) -> dict[str, int]:
    """Of the Examples in a folder: why an image has no label -> images; empty where all have one, or the source has none."""
    return dict(Counter(one["reason"] for one in lines(folder / UNLABELLED)).most_common())


def warnings(folder: Path, reading: Reading = READING, needs_labels: bool = False) -> list[str]:
    """What a person should know of the Examples in a folder, a sentence each.

    Args:
        reading: how they were read.
        needs_labels: whether images without a label were left out.
    """
    aside, leak, made = lines(folder / QUARANTINE), leakage(folder), read(folder)
    found = doubts(made["changes"], made["peak"], reading)
    if aside:
        are = f"{words.count(len(aside), 'image')} {'is' if len(aside) == 1 else 'are'}"
        found.append(f"{are} damaged and set aside: {named(aside)}; see {folder / QUARANTINE}")
    if missing := unlabelled(folder):
        fate = "are left out" if needs_labels else "are kept: this model learns without labels"
        doubt = labels.doubt(missing)
        found.append(
            f"{sum(missing.values()):,} images have no label ({labels.reasons(missing)}) and {fate}; see {folder / UNLABELLED}"
            + (f"; {doubt}" if doubt else "")
        )
    if leak:
        one, other = (f"{printable(image['id'])} in {image['split']}" for image in leak["first"])
        found.append(
            f"leakage: {leak['images']} images have the pixels of one in another split, which flatters the figures; {one} and "
            f"{other}, for instance; see {leak['folder']}"
        )
    return found


def overall(found: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of what `read` returns: measure -> mean, min and max of all images, whatever their class; empty without any."""
    images = Counter()
    for counts in found["classes"].values():
        images.update(counts)
    every = [(images[label], of_class) for label, of_class in found["measures"].items()]
    return {
        name: {
            "mean": sum(count * of_class[name]["mean"] for count, of_class in every) / images.total(),
            "min": min(of_class[name]["min"] for _, of_class in every),
            "max": max(of_class[name]["max"] for _, of_class in every),
        }
        for name in (MEASURES if every else ())
    }


def measures(folder: Path, class_names: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Of the Examples in a folder: class name ("" without labels) -> measure -> its mean, min and max."""
    found = read(folder)["measures"]
    return {class_names[int(label)] if label else "": of_class for label, of_class in sorted(found.items(), key=_number)}


def _number(item: tuple[str, Any]) -> int:
    return int(item[0] or 0)


def place(fact: Fact) -> tuple[bytes, tuple[str, str]]:
    """The content of an image, and where it is."""
    return fact.content, (fact.split, fact.example_id.decode(errors="replace"))


def leak(found: tuple[bytes, Iterable[tuple[str, str]]]) -> list[dict[str, Any]]:
    """[{images: [{split, id}, ...]}] where the same pixels stand in two splits; an empty list otherwise."""
    places = sorted(found[1])
    if len({split for split, _ in places}) < 2:
        return []
    return [{"images": [{"split": split, "id": image_id} for split, image_id in places]}]

"""What ExampleGen found: images by split and class, what they look like, what was set aside, what stands in two splits."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam

from components.example_gen.write import Fact

FILE = "summary.json"  # beside the Examples
MEASURES = ("height", "width", "aspect", "channels", "brightness")  # px, px, width / height, as encoded, mean of 0..255


class Summary(beam.CombineFn):
    """Facts -> {classes: {split: {label: images}}, measures: {label: {measure: {mean, min, max}}}}; labels as text, "" for none."""

    def create_accumulator(self):
        return {}, {}

    def add_input(self, accumulator, fact: Fact):
        classes, measures = accumulator
        label = "" if fact.label is None else str(fact.label)
        classes.setdefault(fact.split, Counter())[label] += 1
        ranges = measures.setdefault(label, [[0, 0.0, float("inf"), float("-inf")] for _ in MEASURES])
        for found, value in zip(
            ranges, (fact.height, fact.width, fact.width / fact.height, fact.channels, fact.brightness), strict=True
        ):
            found[:] = found[0] + 1, found[1] + value, min(found[2], value), max(found[3], value)
        return accumulator

    def merge_accumulators(self, accumulators):
        classes, measures = self.create_accumulator()
        for their_classes, their_measures in accumulators:
            for split, counts in their_classes.items():
                classes.setdefault(split, Counter()).update(counts)
            for label, ranges in their_measures.items():
                into = measures.setdefault(label, ranges)
                if into is not ranges:
                    for ours, theirs in zip(into, ranges, strict=True):
                        ours[:] = ours[0] + theirs[0], ours[1] + theirs[1], min(ours[2], theirs[2]), max(ours[3], theirs[3])
        return classes, measures

    def extract_output(self, accumulator):
        classes, measures = accumulator
        return {
            "classes": {split: dict(counts) for split, counts in classes.items()},
            "measures": {
                label: {
                    name: {"mean": total / count, "min": low, "max": high}
                    for name, (count, total, low, high) in zip(MEASURES, ranges, strict=True)
                }
                for label, ranges in measures.items()
            },
        }


def read(folder: Path) -> dict[str, Any]:
    """What `Summary` found of the Examples in a folder; nothing at all where no image was written."""
    path = folder / FILE
    return json.loads(path.read_text()) if path.is_file() else Summary().extract_output(Summary().create_accumulator())


def measures(folder: Path, class_names: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Of the Examples in a folder: class name ("" without labels) -> measure -> its mean, min and max."""
    found = read(folder)["measures"]
    return {class_names[int(label)] if label else "": of_class for label, of_class in sorted(found.items(), key=_number)}


def _number(item: tuple[str, Any]) -> int:
    return int(item[0] or 0)


def place(fact: Fact) -> tuple[bytes, tuple[str, str]]:
    """The content of an image, and where it is."""
    return fact.content, (fact.split, fact.image_id.decode(errors="replace"))


def leak(found: tuple[bytes, Iterable[tuple[str, str]]]) -> list[dict[str, Any]]:
    """[{images: [{split, id}, ...]}] where the same pixels stand in two splits; an empty list otherwise."""
    places = sorted(found[1])
    if len({split for split, _ in places}) < 2:
        return []
    return [{"images": [{"split": split, "id": image_id} for split, image_id in places]}]

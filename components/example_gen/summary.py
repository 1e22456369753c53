"""What ExampleGen found: examples by split and class, their measures, what was set aside, what stands in two splits."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import apache_beam as beam

from components import inputs
from components.example_gen import labels, maps
from components.example_gen.alike import contradictions, leakage, lines
from components.example_gen.write import Written
from configs import words
from configs.errors import printable
from configs.schema.data import DataConfig

# beside the Examples
FILE, QUARANTINE, UNLABELLED = "summary.json", "quarantine", "unlabelled"
NAMED = 5  # damaged images, and rare classes, that a person is told of by name
FEW = 10  # images of a class in a split, below which its figures say little


class Summary(beam.CombineFn):
    """Written examples -> {classes: {split: {label: images}}, labels: so too, of images that may have several, measures: {label:
    {measure: {mean, min, max}}}, changes: {name: images}, peak, maps: target -> what components.example_gen.maps counts}.

    Labels are text, "" for none; the kind of input (components.inputs.storing) names measures and changes, and says what peak is.
    """

    def create_accumulator(self):
        return {}, {}, Counter(), [-1], {}, {}

    def add_input(self, accumulator, example: Written):
        classes, measures, changes, peak, labels, of_maps = accumulator
        for target, counts in example.maps:
            maps.add(of_maps.setdefault(target, maps.nothing()), example.split, *counts)
        changes.update(example.changes)
        labels.setdefault(example.split, Counter()).update(map(str, example.labels))
        peak[0] = max(peak[0], example.peak)
        label = "" if example.label is None else str(example.label)
        classes.setdefault(example.split, Counter())[label] += 1
        ranges = measures.setdefault(label, {name: [0, 0.0, float("inf"), float("-inf")] for name in example.measures})
        for name, value in example.measures.items():
            count, total, low, high = ranges[name]
            ranges[name] = [count + 1, total + value, min(low, value), max(high, value)]
        return accumulator

    def merge_accumulators(self, accumulators):
        classes, measures, changes, peak, labels, of_maps = self.create_accumulator()
        for their_classes, their_measures, their_changes, their_peak, their_labels, their_maps in accumulators:
            for target, counted in their_maps.items():
                maps.merge(of_maps.setdefault(target, maps.nothing()), counted)
            changes.update(their_changes)
            peak[0] = max(peak[0], their_peak[0])
            for ours, theirs in ((classes, their_classes), (labels, their_labels)):
                for split, counts in theirs.items():
                    ours.setdefault(split, Counter()).update(counts)
            for label, ranges in their_measures.items():
                into = measures.setdefault(label, ranges)
                if into is not ranges:
                    for name, (count, total, low, high) in ranges.items():
                        ours = into[name]
                        into[name] = [ours[0] + count, ours[1] + total, min(ours[2], low), max(ours[3], high)]
        return classes, measures, changes, peak, labels, of_maps

    def extract_output(self, accumulator):
        classes, measures, changes, peak, labels, of_maps = accumulator
        return {
            "classes": {split: dict(counts) for split, counts in classes.items()},
            "labels": {split: dict(counts) for split, counts in labels.items()},
            "measures": {
                label: {
                    name: {"mean": total / count, "min": low, "max": high} for name, (count, total, low, high) in ranges.items()
                }
                for label, ranges in measures.items()
            },
            "changes": dict(sorted(changes.items())),
            "peak": peak[0],
            "maps": {target: maps.plain(counted) for target, counted in of_maps.items()},
        }


def read(folder: Path) -> dict[str, Any]:
    """What `Summary` found of the Examples in a folder; nothing at all where no image was written."""
    path = folder / FILE
    nothing = Summary().extract_output(Summary().create_accumulator())
    return {**nothing, **json.loads(path.read_text())} if path.is_file() else nothing


def named(aside: Sequence[Mapping[str, str]]) -> str:
    """The first of the images that were set aside, each with its reason."""
    more = f" and {len(aside) - NAMED} more" if len(aside) > NAMED else ""
    return ", ".join(f"{printable(record['id'])} ({record['reason']})" for record in aside[:NAMED]) + more


def unlabelled(folder: Path) -> dict[str, int]:
    """Of the Examples in a folder: why an image has no label -> images; empty where all have one, or the source has none."""
    return dict(Counter(record["reason"] for record in lines(folder / UNLABELLED)).most_common())


def warnings(
    folder: Path,
    data: DataConfig | None = None,
    needs_labels: bool = False,
    reads: str = inputs.DEFAULT,
    names: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[str]:
    """What a person should know of the Examples in a folder, a sentence each.

    Args:
        data: how they were read; None: by the defaults.
        needs_labels: whether those without a label were left out.
        reads: kind of input that they are.
        names: target -> names of its classes.
    """
    aside, leak, made = lines(folder / QUARANTINE), leakage(folder), read(folder)
    storage = inputs.storage_of(reads)
    many = f"{storage.noun}s"
    sentences = storage.doubts(made["changes"], made["peak"], data or DataConfig())
    for target, counted in made["maps"].items():
        sentences += maps.doubts(target, counted, names.get(target, ()))
    if aside:
        are = f"{words.count(len(aside), storage.noun)} {'is' if len(aside) == 1 else 'are'}"
        sentences.append(f"{are} damaged and set aside: {named(aside)}; see {folder / QUARANTINE}")
    if missing := unlabelled(folder):
        unlabelled_count = sum(missing.values())
        has, is_ = ("has", "is") if unlabelled_count == 1 else ("have", "are")
        fate = f"{is_} left out" if needs_labels else f"{is_} kept: this model learns without labels"
        doubt = labels.doubt(missing)
        sentences.append(
            f"{words.count(unlabelled_count, storage.noun)} {has} no label ({labels.reasons(missing)}) and {fate}; "
            f"see {folder / UNLABELLED}" + (f"; {doubt}" if doubt else "")
        )
    if leak:
        twin, other = (f"{printable(image['id'])} in {image['split']}" for image in leak["first"])
        sentences.append(
            f"leakage: {leak['images']} {many} {storage.alike} one in another split, which flatters the figures; {twin} and "
            f"{other}, for instance; see {leak['folder']}"
        )
    if apart := contradictions(folder):
        first, other = (f"{printable(image['id'])} in {image['split']}" for image in apart["first"])
        sentences.append(
            f"{apart['images']} {many} occur with different labels, which nothing can learn to tell apart: {first} and "
            f"{other}, for instance; see {apart['folder']}"
        )
    return sentences


def rare(by_class: Mapping[str, Mapping[str, int]], noun: str) -> list[str]:
    """Of images that may have several classes, a sentence on those that fewer than FEW of a split have: nothing deals them out,
    because an image's split follows from its id alone.

    Args:
        by_class: split -> class -> images.
    """
    short = {split: {name: count for name, count in of.items() if count < FEW} for split, of in by_class.items()}
    parts = [f"{split} ({_listed(of)})" for split, of in short.items() if of]
    if not parts:
        return []
    return [
        f"fewer than {FEW} {noun}s have some classes in {', '.join(parts)}: thresholds and figures of these classes say "
        f"little; give them more {noun}s, or the splits larger shares (data.validation, data.test)"
    ]


def _listed(counts: Mapping[str, int]) -> str:
    """The rarest first."""
    ordered = sorted(counts.items(), key=lambda item: item[1])
    more = f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    return ", ".join(f"{printable(name)}: {count}" for name, count in ordered[:NAMED]) + more


def overall(written: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of what `read` returns: measure -> mean, min and max of all images, whatever their class; empty without any."""
    images = Counter()
    for counts in written["classes"].values():
        images.update(counts)
    names = next(iter(written["measures"].values()), {})
    every = [(images[label], of_class) for label, of_class in written["measures"].items()]
    return {
        name: {
            "mean": sum(count * of_class[name]["mean"] for count, of_class in every) / images.total(),
            "min": min(of_class[name]["min"] for _, of_class in every),
            "max": max(of_class[name]["max"] for _, of_class in every),
        }
        for name in names
    }


def measures(folder: Path, class_names: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
    """Of the Examples in a folder: class name ("" without labels) -> measure -> its mean, min and max."""
    by_label = read(folder)["measures"]
    return {class_names[int(label)] if label else "": of_class for label, of_class in sorted(by_label.items(), key=_number)}


def _number(item: tuple[str, Any]) -> int:
    return int(item[0] or 0)


class Place(NamedTuple):
    """Where an example of some content is, and what it is labelled with."""

    split: str
    example_id: str
    labels: tuple[int, ...] | None


def place(example: Written) -> tuple[bytes, Place]:
    """The content of an image, and where it is."""
    label = example.labels if example.label is None else (example.label,)
    is_labelled = example.label is not None or example.may_have_several
    return example.content, Place(example.split, example.example_id.decode(errors="replace"), label if is_labelled else None)


def leak(alike: tuple[bytes, Iterable[Place]]) -> list[dict[str, Any]]:
    """[{images: [{split, id}, ...]}] where the same pixels stand in two splits; an empty list otherwise."""
    places = sorted(place[:2] for place in alike[1])
    if len({split for split, _ in places}) < 2:
        return []
    return [{"images": [{"split": split, "id": image_id} for split, image_id in places]}]


def contradiction(alike: tuple[bytes, Iterable[Place]]) -> list[dict[str, Any]]:
    """[{images: [{split, id, labels: places of classes}, ...]}] where the same pixels are labelled in two ways, in whatever splits;
    an empty list otherwise. What has no label says nothing."""
    places = sorted(place for place in alike[1] if place.labels is not None)
    if len({place.labels for place in places}) < 2:
        return []
    return [{"images": [{"split": split, "id": image_id, "labels": list(labels)} for split, image_id, labels in places]}]

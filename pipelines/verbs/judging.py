"""Any data, read as ExampleGen reads a run's, with the labels of a model that is there already. Used in the worker process."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import apache_beam as beam

from components import inputs, keys, progress, targets
from components.example_gen import classes, labels, listing, sources
from components.example_gen.sources import Contents, Raw
from components.example_gen.splits import Plan
from components.example_gen.write import DAMAGED, WriteShard, Written
from components.tasks.by_name import task_of
from components.tasks.judges.by_name import judge_of
from components.trainer.card import Card
from configs.errors import HubelError, UsageError
from configs.schema.data import DataConfig

NAMED = 5  # ids of damaged examples that are told
TOLD = 200  # examples between two words of progress


@dataclass
class Read:
    """What became of a source. `images` are those that are judged; all others are counted.

    classes: name -> how many; of a class that the model does not know too, where it is not judged by classes. unknown: class that
    the model does not know -> images left out for it. unlabelled and damaged: why -> images left out. changes: as of
    components.example_gen.summary. passed_over: ending -> files beside the images. named: [{id, reason}] of some that are damaged.
    class_names: of all labels, the model's first. notes: sentences on what was taken for what.
    """

    images: int = 0
    noun: str = "image"
    classes: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unlabelled: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    passed_over: dict[str, int] = field(default_factory=dict)
    named: list[dict[str, str]] = field(default_factory=list)
    class_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)

    @property
    def left_out(self) -> str:
        """What was left out, in words; "" where nothing was."""
        parts = [f"{count:,} of the class {name!r}, which the model does not know" for name, count in self.unknown.items()]
        without = sum(self.unlabelled.values())
        parts += [f"{without:,} without a label ({labels.reasons(self.unlabelled)})"] if without else []
        parts += [f"{count:,} damaged" + (f" ({reason})" if reason != DAMAGED else "") for reason, count in self.damaged.items()]
        return "; ".join(parts)


def read(data: DataConfig, card: Card, folder: Path, datasets: Path, split: str | None = None) -> Read:
    """Write every example of a source that a model can be judged by as ExampleGen does, as the split `test`.

    Args:
        data: the source and how it is read; `inliers` count the model's classes, and what only a run needs of it, such as shares of
            splits, is not looked at.
        folder: of Examples, which is made.
        split: the source's own split that is read alone, by its name or by hubel's; None: all of it.

    Raises:
        UsageError: where the source is not there, has no such split, or not what the model is judged by.
        HubelError: where nothing is left to judge.
    """
    noun, learned = inputs.storage_of(card.reads).noun, task_of(card.task)
    located = sources.locate(data.model_copy(update={"inliers": None}), datasets, card.reads)
    source, contents = sources.opened(data.model_copy(update={"inliers": None}), located.address)
    config = classes.resolved(data, card.class_names).model_copy(update={"classes": None})
    by_label = targets.of(judge_of(card.task).label_key or "").is_label
    further = [name for name in learned.targets if targets.is_further(name)]
    named = {name: _same_classes(name, contents, card, data.source) for name in further}
    needs_labels = by_label or config.inliers is not None
    if needs_labels and contents.labelled is None:
        message = f"{card.name} is judged by labels, and {data.source} has none."
        raise UsageError(
            message,
            "Give data with labels: a folder for each class, or a table or records with a column of them, which "
            "--set data.features.label=NAME names (docs/data.md).",
        )
    told = Read(noun=noun, passed_over=dict(located.passed_over))
    known = _Labels.of(contents.class_names, card, by_label and keys.LABEL in learned.targets, told)
    own = _wanted(contents, split, data.source)
    needed = {*further, *([contents.labelled] if needs_labels and contents.labelled else [])}
    shards = [(name, shard) for name in own for shard in contents.shards[name]]
    into, of = {keys.TEST: str(folder / f"Split-{keys.TEST}")}, sum(contents.counts.get(name) or 0 for name in own)
    classed = {**contents.targets, **named}
    writer = _Relabelled(config, located.address, into, len(shards), contents.labelled, classed, needed, card.reads)
    writer.setup()
    writer.known, writer.source = known, source
    counted, unlabelled, damaged, changes = Counter(), Counter(), Counter(), Counter()
    for number, (name, shard) in enumerate(shards):
        for what in writer.process((name, number, shard), Plan(dict.fromkeys(own, keys.TEST))):
            if isinstance(what, Written):
                _count(what, counted, changes, known.names, named)
                told.images += 1
                if told.images % TOLD == 1:
                    progress.emit("step", what=f"Reading {data.source}", done=told.images, of=of or None)
            elif isinstance(what, beam.pvalue.TaggedOutput) and what.tag == DAMAGED:
                damaged[what.value["reason"]] += 1
                told.named += [what.value] if len(told.named) < NAMED else []
            else:
                unlabelled[what.value["reason"]] += 1
    told.unknown, told.unlabelled, told.damaged = dict(known.left_out), dict(unlabelled) if needed else {}, dict(damaged)
    told.classes, told.changes, told.class_names = dict(sorted(counted.items())), dict(changes), known.names
    if not told.images:
        beside = [told.left_out, f"passed over: {listing.words(told.passed_over)}" if told.passed_over else ""]
        why = "; ".join(filter(None, beside))
        knows = f" {card.name} knows: {', '.join(card.class_names)}." if told.unknown else ""
        message = f"{data.source} has no {noun} to judge {card.name} by{f' ({why})' if why else ''}."
        raise HubelError(message, f"Check the data.{knows}")
    return told


class _Relabelled(WriteShard):
    """With a model's labels in the place of the source's."""

    known: "_Labels"
    source: DataConfig  # with which the source is opened

    def raws(self, shard):
        for raw in sources.images_of(self.source, self.address, shard):
            if (renamed := self.known.of_model(raw)) is not None:
                yield renamed


class _Labels:
    """From a source's labels to a model's."""

    def __init__(self, places: Mapping[int, int | None], names: Sequence[str], own: Sequence[str]):
        self.names, self.left_out = list(names), Counter()
        self._places, self._own = places, own

    @classmethod
    def of(cls, own: Sequence[str], card: Card, is_closed: bool, told: Read) -> "_Labels":
        """
        Args:
            own: the source's names.
            is_closed: whether what the model does not know is left out; otherwise it gets a further label.
            told: gets a note where numbers are taken for labels.
        """
        known = {_spelled(name): label for label, name in enumerate(card.class_names)}
        places = {label: known.get(_spelled(name)) for label, name in enumerate(own)}
        are_numbers = bool(own) and all(name.isascii() and name.isdecimal() for name in own)
        if are_numbers and set(places.values()) == {None} and max(map(int, own)) < len(card.class_names):
            places = {label: int(name) for label, name in enumerate(own)}
            told.notes.append("The labels are numbers: they are taken for the model's classes, counted from 0.")
        names = list(card.class_names)
        for label, place in places.items():
            if place is None and not is_closed:
                places[label] = len(names)
                names.append(own[label])
        return cls(places, names, own)

    def of_model(self, raw: Raw) -> Raw | None:
        """With the model's label; None where it knows none for it."""
        if raw.label is None:
            return raw
        place = self._places[raw.label]
        if place is None:
            self.left_out[self._own[raw.label]] += 1
            return None
        return raw._replace(label=place)


def _spelled(name: str) -> str:
    return labels.spelling(unicodedata.normalize("NFC", name))


def _same_classes(target: str, contents: Contents, card: Card, source: str) -> list[str]:
    """The names of a further target's classes. Raises UsageError where the source lacks it, or has others than the model."""
    ours, theirs = card.targets.get(target, []), contents.targets.get(target)
    if theirs is None:
        raise UsageError(
            f"{card.name} is judged by {target}, and {source} gives none.", f"Name what has them: --set data.features.{target}=..."
        )
    if ours and theirs and list(theirs) != list(ours):
        raise UsageError(
            f"{source} names the classes of {target} {', '.join(theirs)}; {card.name} learned {', '.join(ours)}.",
            f"Name the same in the same order: --set 'data.features.{target}=[{', '.join(ours)}]'.",
        )
    return list(ours or theirs)


def _wanted(contents: Contents, split: str | None, source: str) -> list[str]:
    there = list(contents.shards)
    if split is None:
        return there
    chosen = [name for name in there if split == name or keys.SPLIT_WORDS.get(name.lower()) == split]
    if not chosen:
        raise UsageError(f"{source} has no split {split!r}.", f"Its splits are: {', '.join(there)}. Without --split all are read.")
    return chosen


def _count(
    written: Written, counted: Counter, changes: Counter, names: Sequence[str], named: Mapping[str, Collection[str]]
) -> None:
    changes.update(written.changes)
    if written.label is not None:
        counted[names[written.label]] += 1
    several = next((list(of) for of in named.values() if of), [])
    counted.update(several[label] for label in written.labels if label < len(several))

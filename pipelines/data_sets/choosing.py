"""Which training examples are shown: as many of each class, by hash of their ids, under the rules that ExampleGen splits by."""

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from components import inputs, keys, progress
from components import targets as kinds
from components.example_gen import sources, splits
from components.example_gen.records import share
from components.inputs.storing import Damaged, Stored
from configs.errors import first_line
from configs.schema.data import DataConfig
from pipelines.data_sets import marks

SPARE = 2  # examples of a class beyond those to be shown, in case of damaged ones
TOLD = 2000  # examples between two words of progress


class Chosen(NamedTuple):
    """A sound training example as ExampleGen would write it, and further targets that it has, as their kinds check them."""

    raw: sources.Raw
    stored: Stored
    targets: dict[str, Any]


class Counts(NamedTuple):
    """Examples that a run would read, by split, before it sets damaged ones aside: all of them, and those of each class, of which
    one of several classes counts for each. unlabelled: how many it leaves out, because they lack what is learned."""

    examples: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    unlabelled: int


class Looked(NamedTuple):
    """What a source has of a config's data.

    chosen: the training examples to be shown. measured: those that are counted and measured besides. contents: of sources.opened.
    read: {id of an example that was read: why a run sets it aside, empty where it does not}.
    """

    chosen: list[Chosen]
    measured: list[Stored]
    contents: sources.Contents
    read: Mapping[bytes, str]
    counts: Counts

    def told(self, example: Chosen) -> tuple[list[str], list[str]]:
        """Names of its classes, and what else is said of it."""
        return marks.labels(example.raw.label, example.targets, self.contents)


class Wanted(NamedTuple):
    """How many training examples are to be shown and measured, at most; of which kind of input; and without which targets a run
    leaves examples out: further ones, and whether it does so without a label."""

    shown: int
    measured: int
    reads: str
    targets: frozenset[str]
    needs_label: bool


def look(data: DataConfig, datasets: Path, wanted: Wanted) -> Looked:
    """Those to be shown stand in the order of their label; of several classes each is shown in turn. Raises as sources.locate."""
    located = sources.locate(data, datasets, wanted.reads)
    data, contents = sources.opened(data, located.address)
    own, noun = splits.used(contents.shards), inputs.storage_of(wanted.reads).noun
    needed = {*wanted.targets, *([contents.labelled] if wanted.needs_label and contents.labelled else [])}

    def examples() -> Iterator[tuple[str, sources.Raw]]:
        for name in own:
            for shard in contents.shards[name]:
                for raw in sources.images_of(data, located.address, shard):
                    yield name, raw

    plan = _plan((item for item in examples() if needed <= item[1].known), own, contents, data, noun)
    several = contents.labelled if contents.labelled != keys.LABEL else None
    names = contents.targets[several] if several else contents.class_names
    quota, unlabelled = -(-wanted.shown // max(1, len(names))), 0
    totals, by_class = dict.fromkeys(keys.SPLITS, 0), {split: Counter(dict.fromkeys(names, 0)) for split in keys.SPLITS}
    drawn: dict[int | None, list] = {}
    lots: list = []
    for number, (name, raw) in enumerate(examples()):
        if number % TOLD == 0:
            progress.emit("step", what=f"Choosing {noun}s", done=number, of=_total(contents))
        if not needed <= raw.known:
            unlabelled += 1
            continue
        split = plan.split_of(name, raw, data)
        if split is None:
            continue
        labels = (raw.label,) if several not in raw.targets else kinds.of(several).classes(raw.targets[several]()) or (None,)
        totals[split] += 1
        by_class[split].update(names[label] for label in labels if label is not None)
        if split == keys.TRAIN:
            for label in labels:
                _draw(drawn.setdefault(label, []), quota + SPARE, number, raw, b"preview")
            _draw(lots, wanted.measured, number, raw, b"measured")
    read: dict[bytes, str] = {}
    measured = [example.stored for example in _sound(lots, wanted, data, contents, read)]
    by_label = {label: list(itertools.islice(_sound(of, wanted, data, contents, read), quota)) for label, of in drawn.items()}
    counts = Counts(totals, {split: dict(of) for split, of in by_class.items()} if names else {}, unlabelled)
    return Looked(_in_turn(by_label, wanted.shown), measured, contents, read, counts)


def _plan(every: Iterable[tuple[str, sources.Raw]], own: dict[str, str], contents: sources.Contents, data: DataConfig, noun: str):
    """splits.Plan as ExampleGen makes it, without Beam."""
    if not splits.needs_census(own, contents.counts, bool(contents.class_names), data):
        return splits.Plan(own)
    census = splits.Census(data)
    counted = census.create_accumulator()
    for name, raw in every:
        counted = census.add_input(counted, (name, splits.row_of(raw)))
    return splits.plan(census.extract_output(census.merge_accumulators([counted])), own, data, noun)


def _total(contents: sources.Contents) -> int | None:
    counts = [contents.counts.get(name) for name in contents.shards]
    return None if None in counts else sum(counts)


def _draw(lots: list, most: int, number: int, raw: sources.Raw, purpose: bytes) -> None:
    """Keep so many in a heap, those of the lowest share."""
    heapq.heappush(lots, (-share(raw.example_id, purpose), number, raw))
    if len(lots) > most:
        heapq.heappop(lots)


def _sound(lots: list, wanted: Wanted, data: DataConfig, contents: sources.Contents, read: dict[bytes, str]) -> Iterator[Chosen]:
    """Those that can be read, as ExampleGen would write them, the lowest share first. read: gets what became of each."""
    storage = inputs.storage_of(wanted.reads)
    for _, _, raw in sorted(lots, reverse=True):
        try:
            stored = storage.store(raw.encoded(), data)
            targets = {
                name: kinds.of(name).checked(take(), *stored.size, contents.targets[name], data, stored.orientation)
                for name, take in raw.targets.items()
            }
        except (Damaged, OSError, ValueError) as error:
            read[raw.example_id] = first_line(error)
            continue
        read[raw.example_id] = ""
        yield Chosen(raw, stored, targets)


def _in_turn(by_label: Mapping[int | None, list[Chosen]], most: int) -> list[Chosen]:
    """So many, of each label in turn, in the order of their label."""
    order = sorted(by_label, key=lambda label: (label is None, label))
    rounds = itertools.zip_longest(*(by_label[label] for label in order))
    taken: dict[bytes, Chosen] = {}
    for example in (example for row in rounds for example in row if example is not None):
        taken.setdefault(example.raw.example_id, example)
    first = list(taken.values())[:most]
    place = {label: at for at, label in enumerate(order)}
    return sorted(first, key=lambda example: (place.get(example.raw.label, 0), share(example.raw.example_id, b"preview")))

"""Which training examples are shown: as many of each class, by hash of their ids, under the rules that ExampleGen splits by."""

import heapq
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components import inputs, keys, progress
from components import targets as kinds
from components.example_gen import sources, splits
from components.example_gen.records import share
from components.inputs.storing import Damaged, Stored
from configs.errors import first_line
from configs.schema.data import DataConfig
from configs.schema.run import RunConfig

SPARE = 2  # images of a class beyond those to be shown, in case of damaged ones
TOLD = 2000  # images between two words of progress


class Chosen(NamedTuple):
    """A sound training image as ExampleGen would write it, and further targets that it has, as their kinds check them."""

    raw: sources.Raw
    stored: Stored
    targets: dict[str, Any]


def chosen(cfg: RunConfig, datasets: Path, images: int, task) -> tuple[list[Chosen], sources.Contents, dict[bytes, str]]:
    """Training images, in order of their label; of images with several classes those of each class in turn. With them {id of an
    image that was read: why a run sets it aside, empty where it does not}."""
    located = sources.locate(cfg.data, datasets)
    data, contents = sources.opened(cfg.data, located.address)
    own = splits.used(contents.shards)
    needed = {name for name in task.targets if kinds.is_further(name)}

    def images_of(names: Iterable[str]) -> Iterator[tuple[str, sources.Raw]]:
        for name in names:
            for shard in contents.shards[name]:
                for raw in sources.images_of(data, located.address, shard):
                    if needed <= raw.known:
                        yield name, raw

    plan = _plan(images_of(own), own, contents, data)
    trained_on = [name for name, ours in own.items() if ours == keys.TRAIN]
    several = contents.labelled if contents.labelled != keys.LABEL else None
    quota = -(-images // max(1, len(contents.targets[several] if several else contents.class_names)))
    lowest: dict[int | None, list] = {}
    for number, (name, raw) in enumerate(images_of(trained_on)):
        if number % TOLD == 0:
            progress.emit("step", what="Choosing images", done=number, of=contents.counts.get(name))
        if plan.split_of(name, raw, data) != keys.TRAIN:
            continue
        for label in (raw.label,) if several not in raw.targets else kinds.of(several).classes(raw.targets[several]()) or (None,):
            drawn = lowest.setdefault(label, [])
            heapq.heappush(drawn, (-share(raw.example_id, b"preview"), number, raw))
            if len(drawn) > quota + SPARE:
                heapq.heappop(drawn)
    damaged: dict[bytes, str] = {}
    by_label = {label: _sound(drawn, quota, data, contents, damaged) for label, drawn in lowest.items()}
    order = sorted(by_label, key=lambda label: (label is None, label))
    rounds = itertools.zip_longest(*(by_label[label] for label in order))
    taken: dict[bytes, Chosen] = {}
    for image in (image for row in rounds for image in row if image is not None):
        taken.setdefault(image.raw.example_id, image)
    first = list(taken.values())[:images]
    place = {label: at for at, label in enumerate(order)}
    ranked = sorted(first, key=lambda image: (place.get(image.raw.label, 0), share(image.raw.example_id, b"preview")))
    return ranked, contents, damaged


def _plan(every: Iterable[tuple[str, sources.Raw]], own: dict[str, str], contents: sources.Contents, data: DataConfig):
    """splits.Plan as ExampleGen makes it, without Beam."""
    if not splits.needs_census(own, contents.counts, bool(contents.class_names), data):
        return splits.Plan(own)
    census = splits.Census(data)
    counted = census.create_accumulator()
    for name, raw in every:
        counted = census.add_input(counted, (name, splits.row_of(raw)))
    return splits.plan(census.extract_output(census.merge_accumulators([counted])), own, data)


def _sound(drawn: list, quota: int, data: DataConfig, contents: sources.Contents, damaged: dict[bytes, str]) -> list[Chosen]:
    """Up to `quota` images that can be read, as ExampleGen would write them. damaged: gets what became of each that was read."""
    sound, storage = [], inputs.storage_of(inputs.DEFAULT)
    for _, _, raw in sorted(drawn, reverse=True):
        try:
            stored = storage.store(raw.encoded(), data)
            targets = {
                name: kinds.of(name).checked(read(), *stored.size, contents.targets[name], data)
                for name, read in raw.targets.items()
            }
        except (Damaged, OSError, ValueError) as error:
            damaged[raw.example_id] = first_line(error)
            continue
        damaged[raw.example_id] = ""
        sound.append(Chosen(raw, stored, targets))
        if len(sound) == quota:
            break
    return sound

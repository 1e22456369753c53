"""From a source's shards to TFRecord files: each worker reads, checks, splits and writes, so that no image leaves it.

TFX's own writer sends every serialized image through a reshuffle, which the in-memory runner holds whole.
"""

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam

from components import inputs, keys
from components import targets as kinds
from components.example_gen import records, sources
from components.example_gen.splits import Plan
from components.inputs.storing import Damaged, Stored
from configs import atomic
from configs.schema.data import DataConfig

DAMAGED, UNLABELLED = "damaged", "unlabelled"
NO_LABEL = "no label"  # where a source does not say why


class Written(NamedTuple):
    """What is known of an example that was written; the four before the last are of components.inputs.storing.Stored."""

    split: str
    label: int | None
    example_id: bytes
    measures: Mapping[str, float]
    content: bytes
    changes: tuple[str, ...] = ()
    peak: int = -1
    labels: tuple[int, ...] = ()  # of an image that may have several
    may_have_several: bool = False  # and is labelled: with none, if these are none
    maps: tuple[tuple[str, tuple[tuple[int, ...], int, Mapping[str, int]]], ...] = ()  # of targets that are maps: their Kind.counts


class WriteShard(beam.DoFn):
    """(source split, number, shard) -> a file in each split that gets an image of it, and a Written for each image.

    {id, reason} of each image that cannot be used goes to the output DAMAGED, and of each without a label, although others have
    one, to UNLABELLED.

    Args:
        labelled: the target that images have a label by, None where the source has no labels.
        named: further target -> names of its classes.
        needed: targets without which images are left out.
        folders: our split -> folder.
        shards: how many there are, for the names of the files.
        reads: kind of input that the source is read as.
    """

    def __init__(
        self,
        data: DataConfig,
        address: Mapping[str, Any],
        folders: Mapping[str, str],
        shards: int,
        labelled: str | None,
        named: Mapping[str, Sequence[str]],
        needed: Collection[str],
        reads: str = inputs.DEFAULT,
    ):
        super().__init__()
        self._reads = reads
        self._labelled, self._names, self._needed = labelled, dict(named), set(needed)
        self._data, self.address, self._folders, self._shards = data.model_dump_json(), address, folders, shards

    def setup(self):
        self._config, self._storage = DataConfig.model_validate_json(self._data), inputs.storage_of(self._reads)

    def process(self, element: tuple[str, int, Any], plan: Plan):
        source_split, number, shard = element
        with _Files(self._folders, f"data_tfrecord-{number:05d}-of-{self._shards:05d}.gz") as files:
            for raw in self.raws(shard):
                missing = self._missing(raw)
                split = None if missing & self._needed else plan.split_of(source_split, raw, self._config)
                if missing and (split or missing & self._needed):
                    lacking = next(iter(sorted(missing & self._needed or missing)))
                    why = raw.why or (NO_LABEL if lacking == self._labelled else f"no {lacking}")
                    yield beam.pvalue.TaggedOutput(UNLABELLED, _named(raw, why))
                if split is None:
                    continue
                try:
                    kept = self._storage.store(raw.encoded(), self._config)
                    targets = {name: self._read(name, read, kept) for name, read in raw.targets.items()}
                except (Damaged, OSError) as error:
                    reason = str(error) if isinstance(error, Damaged) else "unreadable"
                    yield beam.pvalue.TaggedOutput(DAMAGED, _named(raw, reason))
                    continue
                numbers = dict(kept.numbers)
                maps = tuple((name, counts) for name, value in targets.items() if (counts := kinds.of(name).counts(value)))
                for name, value in targets.items():
                    numbers |= kinds.of(name).measured(value, self._names.get(name, ()))
                targets[keys.ANOMALY] = plan.is_outlier(raw, self._config)
                example = records.example(kept.encoded, raw.example_id, raw.label, targets, numbers, self._reads)
                files.write(split, example)
                several = self._labelled in targets
                labels = kinds.of(self._labelled).classes(targets[self._labelled]) if several else ()
                seen = kept.measures, kept.content, kept.changes, kept.peak
                yield Written(split, raw.label, raw.example_id, *seen, labels, several, maps)

    def raws(self, shard: Any) -> Iterable[sources.Raw]:
        """The examples of a shard."""
        return sources.images_of(self._config, self.address, shard)

    def _missing(self, raw: sources.Raw) -> set[str]:
        """Of the label, where the source has one, and of what is needed besides."""
        return ({self._labelled} - {None} | self._needed) - raw.known

    def _read(self, name: str, read: Callable[[], Any], kept: Stored) -> Any:
        try:
            return kinds.of(name).checked(read(), *kept.size, self._names.get(name, ()), self._config, kept.orientation)
        except ValueError as error:
            raise Damaged(str(error)) from None


def _named(raw: sources.Raw, reason: str) -> dict[str, str]:
    return {"id": raw.example_id.decode(errors="replace"), "reason": reason}


class _Files(contextlib.AbstractContextManager):
    """One GZIP TFRecord file of a name in each folder that is written to; they appear whole, at the end, or not at all."""

    def __init__(self, folders: Mapping[str, str], name: str):
        self._folders, self._name = folders, name
        self._writers: dict[str, Any] = {}
        self._ends = contextlib.ExitStack()

    def write(self, split: str, record: bytes) -> None:
        import tensorflow as tf

        if split not in self._writers:
            folder = Path(self._folders[split])
            folder.mkdir(parents=True, exist_ok=True)
            beside = folder.parent / f".{folder.name}-{self._name}.{os.getpid()}"  # whatever lies in the folder is read as a shard
            stage = self._ends.enter_context(atomic.replacing(folder / self._name, beside))
            # images are compressed already: any level above 0 takes longer than decoding them and saves nothing
            options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=0)
            self._writers[split] = self._ends.enter_context(tf.io.TFRecordWriter(str(stage), options))
        self._writers[split].write(record)

    def __exit__(self, kind, error, trace):
        return self._ends.__exit__(kind, error, trace)

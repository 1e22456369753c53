"""Examples of a split and what a model answers about them, as NumPy arrays. No TFX."""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components import examples, given, inputs, keys
from components.tasks.base import Task
from components.trainer import endpoints
from components.trainer.card import Card
from components.transform import placement
from configs.errors import HubelError

BATCH = 128
HELD_BYTES = 2**28  # of what a model gets and answers that are held at a time


@dataclass(frozen=True)
class Sample:
    """Examples of a split, in the order of its files.

    Args:
        total: how many the split has, or those have that they are chosen from.
        ids: of each.
        seen: what the model gets: pixels float32 [N, height, width, channels] in 0..255, tokens int64 [N, length].
        sizes: int32 [N, 2], height and width of images before they were resized, px; 0 of what has none.
        targets: by name, first axis N: `label` and `anomaly` int64 [N], -1 where there is none, and what else the task learns.
        places: of each among the records of the files.
    """

    split: str
    total: int
    ids: Sequence[str]
    seen: np.ndarray
    sizes: np.ndarray
    targets: Mapping[str, np.ndarray]
    places: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labels(self) -> np.ndarray:
        """int64 [N], -1 where there is none."""
        return self.targets[keys.LABEL]


@dataclass(frozen=True)
class Answers:
    """What a model answers about a sample: `outputs` by name, first axis N. Of two signatures with an output of one name the first
    one's is there."""

    sample: Sample
    outputs: Mapping[str, np.ndarray]

    @property
    def ids(self) -> Sequence[str]:
        return self.sample.ids

    @property
    def labels(self) -> np.ndarray:
        return self.sample.labels


def chosen(ids: Sequence[bytes], n: int | None) -> list[int]:
    """Places of at most n ids, those of the least hashes, in order: the same whatever else the split holds before them."""
    if n is None or len(ids) <= n:
        return list(range(len(ids)))
    ranked = sorted(range(len(ids)), key=lambda place: (hashlib.sha256(ids[place]).digest(), place))
    return sorted(ranked[:n])


def sample(files: Sequence[str], split: str, card: Card, task: Task, n: int | None, within: int | None = None) -> Sample | None:
    """At most n examples of files as a model gets them, no more than HELD_BYTES hold; None where there are none.

    Args:
        within: how many of the first ones they are chosen from, so that large data need not be read to its end; None: all.
    """
    if not files:
        return None
    kind = inputs.input_of(card.reads)
    room = max(1, HELD_BYTES // max(1, 4 * kind.bytes_of(card.seen)))
    ids = list(itertools.islice(examples.ids_of(files), within))
    places = chosen(ids, room if n is None else min(n, room))
    if not places:
        return None
    names = list(dict.fromkeys([keys.LABEL, keys.ANOMALY, *task.targets, *task.judged_with]))
    size = {name: tf.io.FixedLenFeature([], tf.int64, default_value=0) for name in placement.SIZE}
    features = {kind.feature: tf.io.FixedLenFeature([], tf.string), **size, **given.spec(names)}

    def read(batch):
        parsed = tf.io.parse_example(batch, features)
        known = given.ready(given.resized(parsed, names, card.seen, tf.shape(batch)[0]))
        sizes = tf.stack([parsed[name] for name in placement.SIZE], -1)
        return kind.given(kind.seen(parsed[kind.feature], card)), tf.cast(sizes, tf.int32), known

    rows = list(_at(files, places).batch(BATCH).map(read).as_numpy_iterator())
    return Sample(
        split,
        len(ids),
        [ids[place].decode(errors="replace") for place in places],
        np.concatenate([seen for seen, _, _ in rows]),
        np.concatenate([sizes for _, sizes, _ in rows]),
        {name: _joined([known[name] for _, _, known in rows]) for name in names},
        places,
    )


def answers(model: keras.Model, card: Card, task: Task, asked: Sample, signatures: Sequence[str]) -> Answers:
    """What signatures of a model answer about a sample.

    Raises:
        KeyError: for a name that is none of the task's signatures.
    """
    served = task.signatures(model, card)
    outputs: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(asked), BATCH):
        rows = slice(start, start + BATCH)
        batch = (tf.constant(asked.seen[rows]), tf.constant(asked.sizes[rows]))
        answered: dict[str, tf.Tensor] = {}
        for name in signatures:
            signature = served[name]
            labels = [tf.constant(asked.targets[target][rows]) for target in signature.given]
            extra = [argument.example(len(batch[0])) for argument in signature.extra.values()]
            told = signature.function(*endpoints.arguments(signature, batch, card), *labels, *extra)
            answered = {**told, **answered}
        for name, value in answered.items():
            outputs.setdefault(name, []).append(value.numpy())
    return Answers(asked, {name: _joined(values) for name, values in outputs.items()})


def served(saved_model: Path, files: Sequence[str], asked: Sample, signatures: Sequence[str]) -> Answers:
    """What signatures of a SavedModel answer about a sample, each through its end of tf.Examples.

    Args:
        files: those of the sample.

    Raises:
        HubelError: where the model has no such signature.
    """
    loaded = tf.saved_model.load(str(saved_model)).signatures
    if missing := [name for name in signatures if name not in loaded]:
        raise HubelError(
            f"The SavedModel has no signature {missing[0]}.", "It was pushed by an earlier hubel: train and push it again."
        )
    outputs: dict[str, list[np.ndarray]] = {}
    for batch in _at(files, asked.places).batch(BATCH):
        answered: dict[str, tf.Tensor] = {}
        for name in signatures:
            answered = {**loaded[name](examples=batch), **answered}
        for name, value in answered.items():
            outputs.setdefault(name, []).append(value.numpy())
    return Answers(asked, {name: _joined(values) for name, values in outputs.items()})


def encoded(files: Sequence[str], reads: str, ids: Sequence[str]) -> dict[str, bytes]:
    """Of the examples with these ids what is kept of each; one that is not there is left out."""
    wanted, places = set(ids), {}
    for place, raw in enumerate(examples.ids_of(files)):
        if (name := raw.decode(errors="replace")) in wanted:
            places[place] = name
            if len(places) == len(wanted):
                break
    if not places:
        return {}
    feature, last = inputs.input_of(reads).feature, max(places)
    spec = {feature: tf.io.FixedLenFeature([], tf.string)}
    kept = tf.constant([place in places for place in range(last + 1)])
    records = examples.records_of(files).take(last + 1).enumerate().filter(lambda place, _: kept[place])
    read = records.map(lambda place, record: (place, tf.io.parse_single_example(record, spec)[feature]))
    return {places[int(place)]: bytes(raw) for place, raw in read.as_numpy_iterator()}


def _at(files: Sequence[str], places: Sequence[int]) -> tf.data.Dataset:
    """Serialized tf.Examples at places of files, which ascend."""
    records, many = examples.records_of(files), places[-1] + 1
    records = records.take(many)
    if len(places) == many:
        return records
    kept = tf.constant(np.isin(np.arange(many), places))
    return records.enumerate().filter(lambda place, _: kept[place]).map(lambda _, record: record)


def _joined(values: Sequence[np.ndarray]) -> np.ndarray:
    """Batches as one array; rows of tables are filled up to the longest with -1, as components.targets has them."""
    shapes = {value.shape[1:] for value in values}
    if len(shapes) > 1:
        longest = max(value.shape[1] for value in values)
        values = [
            np.pad(value, [(0, 0), (0, longest - value.shape[1]), *[(0, 0)] * (value.ndim - 2)], constant_values=_nothing(value))
            for value in values
        ]
    return np.concatenate(values)


def _nothing(value: np.ndarray) -> object:
    return b"" if value.dtype.kind in "OS" else -1

"""Examples of a split and what a model answers about them, as NumPy arrays. No TFX."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
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


class Reader:
    """Reads examples as a model gets them, of whichever split: by one graph, which is traced once."""

    def __init__(self, card: Card, task: Task):
        names = list(dict.fromkeys([keys.LABEL, keys.ANOMALY, *task.targets, *task.judged_with]))
        kind = inputs.input_of(card.reads)
        self._bytes = max(1, 4 * kind.bytes_of(card.seen))
        size = {name: tf.io.FixedLenFeature([], tf.int64, default_value=0) for name in placement.SIZE}
        features = {kind.feature: tf.io.FixedLenFeature([], tf.string), **size, **given.spec(names)}

        @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.string)])
        def read(batch):
            parsed = tf.io.parse_example(batch, features)
            known = given.ready(given.resized(parsed, names, card.seen, tf.shape(batch)[0]))
            sizes = tf.stack([parsed[name] for name in placement.SIZE], -1)
            return kind.given(kind.seen(parsed[kind.feature], card)), tf.cast(sizes, tf.int32), known

        self._read = read

    def sample(self, files: Sequence[str], split: str, n: int | None, within: int | None = None) -> Sample | None:
        """At most n examples of files, no more than HELD_BYTES hold; None where there are none.

        Args:
            within: how many of the first ones they are chosen from, so that large data need not be read to its end; None: all.
        """
        if not files:
            return None
        room = max(1, HELD_BYTES // self._bytes)
        ids = list(itertools.islice(examples.ids_of(files), within))
        places = chosen(ids, room if n is None else min(n, room))
        if not places:
            return None
        rows = [self._read(batch) for batch in _batches(files, places)]
        return Sample(
            split,
            len(ids),
            [ids[place].decode(errors="replace") for place in places],
            np.concatenate([seen.numpy() for seen, _, _ in rows]),
            np.concatenate([sizes.numpy() for _, sizes, _ in rows]),
            {name: _joined([known[name].numpy() for _, _, known in rows]) for name in rows[0][2]},
            places,
        )


def _batches(files: Sequence[str], places: Sequence[int]) -> Iterator[tf.Tensor]:
    """Records at places, ascending: string [BATCH or somewhat more] each but the last."""
    wanted, begun, held, many = np.asarray(places), 0, [], 0
    for batch in examples.records_of(files).take(places[-1] + 1).batch(BATCH):
        ended = begun + len(batch)
        inside = wanted[np.searchsorted(wanted, begun) : np.searchsorted(wanted, ended)] - begun
        begun = ended
        if len(inside):
            held.append(tf.gather(batch, inside))
            many += len(inside)
        if many >= BATCH:
            yield tf.concat(held, 0)
            held, many = [], 0
    if held:
        yield tf.concat(held, 0)


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
    for batch in _batches(files, asked.places):
        answered: dict[str, tf.Tensor] = {}
        for name in signatures:
            answered = {**loaded[name](examples=batch), **answered}
        for name, value in answered.items():
            outputs.setdefault(name, []).append(value.numpy())
    return Answers(asked, {name: _joined(values) for name, values in outputs.items()})


def encoded(files: Sequence[str], reads: str, ids: Sequence[str]) -> dict[str, bytes]:
    """Of the examples with these ids what is kept of each; one that is not there is left out."""
    wanted, kept = set(ids), {}
    if not wanted or not files:
        return {}
    feature = inputs.input_of(reads).feature
    spec = {feature: tf.io.FixedLenFeature([], tf.string), keys.EXAMPLE_ID: tf.io.FixedLenFeature([], tf.string, default_value="")}
    for batch in examples.records_of(files).batch(BATCH):
        parsed = tf.io.parse_example(batch, spec)
        named = [raw.decode(errors="replace") for raw in parsed[keys.EXAMPLE_ID].numpy()]
        for place, name in enumerate(named):
            if name in wanted and name not in kept:
                kept[name] = bytes(parsed[feature][place].numpy())
        if len(kept) == len(wanted):
            break
    return kept


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

"""From rows to what training is given: their order in each epoch, augmentation, batches. All depends on (seed, epoch) alone."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components import keys
from components import targets as kinds
from components.examples import records_of
from components.inputs.base import Input
from components.trainer.info import DataInfo, Mix
from components.transform.augment import steps as augment
from configs import policies
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from configs.schema.slices.trainer import TrainerSlice

CACHE_BYTES = 2**30  # decoded uint8 images of a split up to this many bytes are kept in memory between epochs
READ = 1024  # images decoded at one go
SHUFFLE = 16_384  # images among which the next one is drawn, where they are not all in memory; fewer where CACHE_BYTES holds fewer

Rows = Callable[[tf.data.Dataset], tf.data.Dataset]  # serialized records -> rows, as of components.trainer.reader


def _as_they_are(rows):
    return rows


class Images(NamedTuple):
    """Images, or their places in memory, and what makes rows of one of them, or of a batch of them."""

    elements: tf.data.Dataset
    rows: Callable = _as_they_are


class Decoded:
    """Rows of both splits that are in memory, for whoever reads the same ones: in other batches or another order, or otherwise
    augmented."""

    def __init__(self):
        self._splits: dict[str, Images] = {}

    def of(self, split: str, images: tf.data.Dataset, count: int) -> Images:
        """The rows of a split, of which there are so many, decoded once."""
        if split not in self._splits:
            self._splits[split] = _in_memory(images, count)
        return self._splits[split]


class Epochs:
    """The training split in epochs."""

    def __init__(
        self,
        records: tf.data.Dataset,
        count: int,
        rows: Rows,
        kind: Input,
        targets: Sequence[str],
        info: DataInfo,
        cfg: TrainerSlice,
        mix: Mix | None = None,
        copies: str | None = None,
        clips_noise: bool = True,
        decoded: Decoded | None = None,
    ):
        """
        Args:
            records: `count` serialized tf.Examples, of which `rows` makes rows.
            kind: of what is read.
            mix: how the task mixes targets; None where it cannot.
            copies: pattern of the folders that AugmentedCopies wrote, where the config asks for them.
            clips_noise: whether images with noise are cut to 0..255.
            decoded: where the rows of earlier ones are; None: they are decoded here.

        Raises:
            UsageError: where the config mixes images and the task cannot mix their targets, or changes what is no image.
        """
        if cfg.augment and not kind.augments:
            raise UsageError("augment changes images, and this model reads none.", "Take augment out.")
        plan = policies.schedule(policies.expand(cfg.augment, cfg.transform.channels))
        # those of written steps are drawn too, so that the live ones get what follows them
        self._drawn_for = [*plan.written, *plan.live] if plan.live else []
        self._shape = info.input_shape
        self._change = augmentation(plan.live, kind, targets, mix, info, augment.draws(plan.written, self._shape), clips_noise)
        self._kind, self._read, self._targets, self._seed, self._size = kind, rows, targets, cfg.seed, cfg.train.batch_size
        most = held(kind, cfg)
        fits = count <= most
        self._buffer = count if fits else max(1, min(count, SHUFFLE, most))
        self._copies, self._written = plan.copies, _shards(copies) if plan.copies else None
        every = rows(records)
        is_kept = fits and self._written is None
        self._kept = (decoded or Decoded()).of(keys.TRAIN, every, count) if is_kept else Images(every)
        self.steps = -(-count // self._size)  # batches an epoch

    def training(self, first: int, epochs: int) -> tf.data.Dataset:
        """All batches of the epochs from `first` up to `epochs`, shuffled and augmented."""
        return tf.data.Dataset.range(first, epochs).flat_map(self._epoch).prefetch(tf.data.AUTOTUNE)

    def plain(self) -> tf.data.Dataset:
        """Batches of the split once, in the order of its records, as it is."""
        return unchanged(self._kept.elements.batch(self._size), self._kind, self._targets, self._kept.rows)

    def sample(self, many: int) -> tuple | None:
        """A batch of the first images of the split, as the first epoch has them; what mixes images mixes these. None without any.

        Step by step: a graph of the augmentation would be traced for longer than so few images take."""
        images, rows = self._images(0)
        places = list(images.take(many))
        if not places:
            return None
        epoch = tf.constant(0, tf.int64)
        ids = [rows(place)[keys.EXAMPLE_ID] for place in places] if self._drawn_for else []
        drawn = [augment.draw(self._drawn_for, self._seed, epoch, image_id, self._shape) for image_id in ids]
        batch = tf.nest.map_structure(lambda *parts: tf.stack(parts), *places)
        return self._change(rows(batch), tf.stack(drawn) if drawn else tf.zeros([0, 0]))

    def _epoch(self, epoch):
        tf.random.set_seed(1)  # of this graph alone: tf.data takes no tensor as a seed beside a global one of 0
        seed = epoch * 2**32 + self._seed  # reshuffling by tf.data itself would go on where the last reader stopped
        images, rows = self._images(epoch)
        order = images.shuffle(self._buffer, seed=seed, reshuffle_each_iteration=False)
        return self._changed(order, rows, epoch, self._size)

    def _changed(self, order, rows, epoch, size):
        """Batches of images in that order, augmented as in that epoch."""
        if not self._drawn_for:  # nothing is done image by image
            batches = order.batch(size)
            return batches.map(lambda some: self._change(rows(some), tf.zeros([0, 0])), num_parallel_calls=tf.data.AUTOTUNE)
        drawn = order.map(
            lambda place: (
                place,
                augment.draw(self._drawn_for, self._seed, epoch, rows(place)[keys.EXAMPLE_ID], self._shape),
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        batches = drawn.batch(size)
        return batches.map(lambda some, numbers: self._change(rows(some), numbers), num_parallel_calls=tf.data.AUTOTUNE)

    def _images(self, epoch) -> Images:
        if self._written is None:
            return self._kept
        return Images(self._read(records_of(tf.gather(self._written, epoch % self._copies))))


def held(kind: Input, cfg: TrainerSlice) -> int:
    """How many examples of a split may stay in memory."""
    return CACHE_BYTES // kind.bytes_of(cfg.transform)


def unchanged(batches: tf.data.Dataset, kind: Input, targets: Sequence[str], rows: Callable = _as_they_are) -> tf.data.Dataset:
    """Batches of rows, or of what `rows` makes rows of -> (what a model gets, targets), neither shuffled nor augmented."""
    return batches.map(lambda some: _pair(rows(some), kind, targets), num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        tf.data.AUTOTUNE
    )


def _in_memory(images: tf.data.Dataset, count: int) -> Images:
    """All of them, decoded once. A batch is gathered at one go: image by image costs as much as a small network's step."""
    parts = list(images.batch(READ))  # not all at one go: a tensor for each image takes more memory than the image
    values = {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}
    return Images(tf.data.Dataset.range(count), lambda places: {name: tf.gather(kept, places) for name, kept in values.items()})


def _pair(rows, kind, targets):
    """What a model gets of a batch, and its targets."""
    return kind.given(rows[kind.transformed]), {name: kinds.of(name).given(rows[name]) for name in targets}


def augmentation(
    steps: Sequence[AugmentStep],
    kind: Input,
    targets: Sequence[str],
    mix: Mix | None,
    info: DataInfo,
    used: int = 0,
    clips_noise: bool = True,
) -> Callable:
    """(rows of a batch, their drawn numbers) -> what a model gets of the changed batch, and its targets; what has places in an
    image moves with it. The first `used` numbers were those of steps done before."""
    if not steps:
        return lambda rows, drawn: _pair(rows, kind, targets)
    done = augment.kinds(steps)
    if augment.MIXING in done and mix is None:
        raise UsageError(
            "mixup and cutmix mix what images are labelled with, and this task has no labels.", "Take them out of augment."
        )

    @tf.autograph.experimental.do_not_convert
    def change(rows, drawn):
        pixels, wanted = _pair(rows, kind, targets)
        changed = augment.change(steps, pixels, drawn[:, used:], kind.covariance(info), wanted, clips_noise)
        wanted = changed.targets
        for kept in changed.kept:
            wanted = mix(wanted, {name: augment.partner(values) for name, values in wanted.items()}, kept, info)
        return changed.images, wanted | ({keys.CLEAN: changed.clean} if augment.NOISE in done else {})

    return change


def _shards(folders: str) -> np.ndarray:
    """Paths of the shards, [copies, shards]."""
    return np.array([sorted(tf.io.gfile.glob(f"{folder}/*")) for folder in sorted(tf.io.gfile.glob(folders))])

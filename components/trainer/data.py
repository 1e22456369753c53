"""What training reads: transformed images as tf.data, in an order that depends on (seed, epoch) alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components.trainer import shots
from components.transform import augment, moments
from components.transform.stored import parsed
from configs import policies
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from configs.schema.slices.trainer import TrainerSlice
from keras_models import normalize

CACHE_BYTES = 2**30  # decoded uint8 images of a split up to this many bytes are kept in memory between epochs
READ = 1024  # images decoded at one go
SHUFFLE = 16_384  # images among which the next one is drawn, where they are not all in memory; fewer where CACHE_BYTES holds fewer


@dataclass(frozen=True)
class Facts:
    """What the data decides about a model.

    input_shape is (height px, width px, channels); class_names is empty for unlabelled data. Of the training split, over 0..255:
    mean, variance and covariance [channels, channels] of the channels, None where nothing in the config needs them; whitening, the
    mean and matrix of keras_models.normalize.zca, where it normalises by that. noise is what the config's augmentation takes from
    the input of training and not from the target: its steps of components/transform/augment/noise.py.
    """

    input_shape: tuple[int, int, int]
    class_names: list[str]
    mean: list[float] | None
    variance: list[float] | None
    train_images: int
    covariance: list[list[float]] | None = None
    whitening: tuple[np.ndarray, np.ndarray] | None = field(default=None, compare=False, repr=False)
    noise: tuple[AugmentStep, ...] = ()

    def for_builder(self) -> dict:
        """Keyword arguments that a model's builder may take."""
        return {"input_shape": self.input_shape, **({"num_classes": len(self.class_names)} if self.class_names else {})}


# (targets of a batch, those of each row's partner, float32 [N] that each row keeps of itself, facts) -> targets
Mix = Callable[[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor, Facts], dict[str, tf.Tensor]]


@dataclass(frozen=True)
class Data:
    """Training and validation images of one run.

    Datasets yield (pixels float32 [N, height, width, channels] in 0..255, {target: int64 [N], or
    [N, height, width, 1] for a map}). Where augmentation mixes images, the targets of training batches are as the task mixes
    them; where it adds noise, `keys.CLEAN` among them is the pixels without it, and of a task that `cleans` the pixels with it may
    leave the range.
    """

    facts: Facts
    steps: int  # batches an epoch
    training: Callable[[int, int], tf.data.Dataset]  # (first epoch, epochs) -> all batches of those epochs, augmented
    plain: tf.data.Dataset  # the training split once, neither shuffled nor augmented: for closed forms and baselines
    validation: tf.data.Dataset


def open_data(
    train_files: Sequence[str],
    validation_files: Sequence[str],
    transform: tft.TFTransformOutput,
    class_names: list[str],
    targets: Sequence[str],
    materialized: bool,
    cfg: TrainerSlice,
    mix: Mix | None = None,
    copies: str | None = None,
    clips_noise: bool = True,
) -> Data:
    """Open both splits.

    Args:
        train_files, validation_files: GZIP TFRecords: transformed examples when `materialized`, else raw ones.
        copies: pattern of the folders that AugmentedCopies wrote, where the config asks for them.
        mix: how the task mixes targets; None where it cannot.
        clips_noise: whether images with noise are cut to 0..255.

    Raises:
        UsageError: where the config mixes images and the task cannot mix their targets, or asks for random labels of no classes.
    """
    records = _records(train_files)
    if cfg.transfer is not None and cfg.transfer.shots is not None:
        records = shots.chosen(records, cfg.transfer.shots, cfg.seed)
    count = sum(1 for _ in records)
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    steps = policies.expand(cfg.augment, cfg.transform.channels)
    noise = tuple(step for step in steps if augment.NOISE in augment.kinds([step]))
    facts = Facts(shape, class_names, train_images=count, noise=noise, **_statistics(transform, cfg))
    plan = policies.schedule(steps)
    drawn_for = steps if plan.live else []  # those of written steps are drawn too, so that the live ones get what follows them
    change = _augmentation(plan.live, targets, mix, facts, augment.draws(plan.written, shape), clips_noise)
    relabel = _relabelling(cfg, targets, facts)
    read = _read_transformed if materialized else _read_raw
    train = relabel(read(records, transform, targets, cfg))
    judging = _records(validation_files)
    validation = read(judging, transform, targets, cfg)
    size, held = cfg.train.batch_size, CACHE_BYTES // cfg.transform.values
    fits = count <= held
    buffer = count if fits else max(1, min(count, SHUFFLE, held))
    written = _copies(copies) if plan.copies else None
    kept = _in_memory(train, count) if fits and written is None else _Images(train)
    judged = validation.batch(size)
    judged = judged.cache() if sum(1 for _ in judging) <= held else judged

    def images_of(epoch):
        if written is None:
            return kept
        rows = read(tf.data.TFRecordDataset(tf.gather(written, epoch % plan.copies), "GZIP"), transform, targets, cfg)
        return _Images(relabel(rows))

    def training(first: int, epochs: int) -> tf.data.Dataset:
        def epoch_of(epoch):
            tf.random.set_seed(1)  # of this graph alone: tf.data takes no tensor as a seed beside a global one of 0
            seed = epoch * 2**32 + cfg.seed  # reshuffling by tf.data itself would go on where the last reader stopped
            images, rows = images_of(epoch)
            order = images.shuffle(buffer, seed=seed, reshuffle_each_iteration=False)
            if not drawn_for:  # nothing is done image by image
                batches = order.batch(size)
                return batches.map(lambda some: change(rows(some), tf.zeros([0, 0])), num_parallel_calls=tf.data.AUTOTUNE)
            drawn = order.map(
                lambda one: (one, augment.draw(drawn_for, cfg.seed, epoch, rows(one)[keys.IMAGE_ID], shape)),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            batches = drawn.batch(size)
            return batches.map(lambda some, numbers: change(rows(some), numbers), num_parallel_calls=tf.data.AUTOTUNE)

        return tf.data.Dataset.range(first, epochs).flat_map(epoch_of).prefetch(tf.data.AUTOTUNE)

    def unchanged(batches: tf.data.Dataset, rows: Callable = _as_they_are) -> tf.data.Dataset:
        return batches.map(lambda some: _pair(rows(some), targets), num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    return Data(facts, -(-count // size), training, unchanged(kept.elements.batch(size), kept.rows), unchanged(judged))


def _as_they_are(rows):
    return rows


class _Images(NamedTuple):
    """Images, or their places in memory, and what makes rows of one of them, or of a batch of them."""

    elements: tf.data.Dataset
    rows: Callable = _as_they_are


def _in_memory(images: tf.data.Dataset, count: int) -> _Images:
    """All of them, decoded once. A batch is gathered at one go: image by image costs as much as a small network's step."""
    parts = list(images.batch(READ))  # not all at one go: a tensor for each image takes more memory than the image
    held = {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}
    return _Images(tf.data.Dataset.range(count), lambda places: {name: tf.gather(values, places) for name, values in held.items()})


def _pair(rows, targets):
    """Pixels and targets of a batch."""
    wanted = {name: tf.cast(rows[name], tf.int64) if name in keys.MAPS else rows[name] for name in targets}
    return tf.cast(rows[keys.PIXELS], tf.float32), wanted


def _augmentation(
    steps: Sequence[AugmentStep], targets: Sequence[str], mix: Mix | None, facts: Facts, used: int = 0, clips_noise: bool = True
) -> Callable:
    """(rows of a batch, their drawn numbers) -> pixels and targets of the changed batch; a map moves with its image. The first
    `used` numbers were those of steps done before."""
    kinds = augment.kinds(steps)
    if augment.MIXING in kinds and mix is None:
        raise UsageError(
            "mixup and cutmix mix what images are labelled with, and this task has no labels.", "Take them out of augment."
        )

    @tf.autograph.experimental.do_not_convert
    def change(rows, drawn):
        pixels, wanted = _pair(rows, targets)
        maps = [name for name in targets if name in keys.MAPS]
        changed = augment.change(
            steps,
            pixels,
            drawn[:, used:],
            facts.covariance,
            [tf.cast(wanted[name], tf.float32) for name in maps],
            clips_noise,
        )
        wanted |= {name: tf.cast(moved, tf.int64) for name, moved in zip(maps, changed.maps, strict=True)}
        for kept in changed.kept:
            wanted = mix(wanted, {name: augment.partner(values) for name, values in wanted.items()}, kept, facts)
        return changed.images, wanted | ({keys.CLEAN: changed.clean} if augment.NOISE in kinds else {})

    return change


def _relabelling(cfg: TrainerSlice, targets: Sequence[str], facts: Facts) -> Callable[[tf.data.Dataset], tf.data.Dataset]:
    """Training rows -> the same, a share of them with a class that has nothing to do with the image: Zhang et al. 2017, section
    2.1. A function of seed and image alone, so that every epoch, copy and resumed training has the same labels."""
    share = cfg.train.random_labels
    if share and (keys.LABEL not in targets or not facts.class_names):
        raise UsageError("train.random_labels draws classes anew, and this task has none.", "Take it out.")

    def relabelled(row):
        stream = tf.stack([tf.constant(cfg.seed, tf.int64), tf.strings.to_hash_bucket_fast(row[keys.IMAGE_ID], 2**62)])
        chance, place = tf.unstack(tf.random.stateless_uniform([2], ~stream))  # ~: not the numbers that augmentation draws
        drawn = tf.cast(place * len(facts.class_names), tf.int64)
        return {**row, keys.LABEL: tf.where(chance < share, drawn, row[keys.LABEL])}

    return lambda images: images.map(relabelled, num_parallel_calls=tf.data.AUTOTUNE) if share else images


def _records(files: Sequence[str]) -> tf.data.Dataset:
    paths = sorted(tf.io.gfile.glob(list(files)))
    return tf.data.TFRecordDataset(paths, compression_type="GZIP")


def _copies(folders: str) -> np.ndarray:
    """Paths of the shards, [copies, shards]."""
    return np.array([sorted(tf.io.gfile.glob(f"{folder}/*")) for folder in sorted(tf.io.gfile.glob(folders))])


def _read_transformed(records, transform, targets, cfg):
    spec = {
        name: feature
        for name, feature in transform.transformed_feature_spec().items()
        if name in (keys.PIXELS, keys.IMAGE_ID, *targets)
    }
    return records.map(lambda record: _image(tf.io.parse_single_example(record, spec), cfg), num_parallel_calls=tf.data.AUTOTUNE)


def _read_raw(records, transform, targets, cfg):
    layer = transform.transform_features_layer()
    spec = transform.raw_feature_spec()
    batches = records.batch(cfg.transform.batch_size).map(
        lambda batch: layer(tf.io.parse_example(batch, spec)), num_parallel_calls=tf.data.AUTOTUNE
    )
    return batches.unbatch().map(lambda row: _image(row, cfg), num_parallel_calls=tf.data.AUTOTUNE)


def _image(row, cfg):
    maps = {name: parsed(row[name], cfg.transform, 1) for name in keys.MAPS if name in row}
    return {**row, keys.PIXELS: parsed(row[keys.PIXELS], cfg.transform, cfg.transform.channels), **maps}


def _statistics(transform: tft.TFTransformOutput, cfg: TrainerSlice) -> dict:
    """The fields of Facts that Transform's analyzers found in the training split."""
    channels, images = (moments.read(transform, name) for name in (keys.CHANNEL_MOMENTS, keys.IMAGE_MOMENTS))
    return {
        "mean": channels and channels.mean.tolist(),
        "variance": channels and channels.covariance.diagonal().tolist(),
        "covariance": channels and channels.covariance.tolist(),
        "whitening": images and normalize.zca(images.mean, images.covariance, cfg.transform.zca_epsilon),
    }

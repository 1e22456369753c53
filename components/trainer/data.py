"""What training reads: transformed images as tf.data, in an order that depends on (seed, epoch) alone."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import keys
from components.transform import augment
from configs.schema import TrainerSlice

CACHE_BYTES = 2**30  # decoded uint8 images up to this many bytes are kept in memory between epochs
SHUFFLE = 16_384  # images among which the next one is drawn, where they are not all in memory


@dataclass(frozen=True)
class Facts:
    """What the data decides about a model.

    input_shape is (height px, width px, channels); class_names is empty for unlabelled data; mean and variance are by channel
    over 0..255, of the training split, or None where the config does not normalise by them.
    """

    input_shape: tuple[int, int, int]
    class_names: list[str]
    mean: list[float] | None
    variance: list[float] | None
    train_images: int

    def for_builder(self) -> dict:
        """Keyword arguments that a model's builder may take."""
        return {"input_shape": self.input_shape, **({"num_classes": len(self.class_names)} if self.class_names else {})}


@dataclass(frozen=True)
class Data:
    """Training and validation images of one run.

    Datasets yield (pixels float32 [N, height, width, channels] in 0..255, {target: int64 [N], or
    [N, height, width, 1] for a map}).
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
) -> Data:
    """Open both splits. Files are GZIP TFRecords: transformed examples when `materialized`, else raw ones."""
    count = sum(1 for _ in _records(train_files))
    shape = (cfg.transform.height, cfg.transform.width, cfg.transform.channels)
    read = _read_transformed if materialized else _read_raw
    train = read(_records(train_files), transform, targets, cfg)
    validation = read(_records(validation_files), transform, targets, cfg)
    mean, variance = _statistics(train)
    train, validation = (
        images.map(lambda row: {k: v for k, v in row.items() if k not in _STATISTICS}) for images in (train, validation)
    )
    fits = count * int(np.prod(shape)) <= CACHE_BYTES
    if fits:
        train, validation = train.cache(), validation.cache()

    def training(first: int, epochs: int) -> tf.data.Dataset:
        def epoch_of(epoch):
            seed = epoch * 2**32 + cfg.seed  # reshuffling by tf.data itself would go on where the last reader stopped
            order = train.shuffle(count if fits else min(count, SHUFFLE), seed=seed, reshuffle_each_iteration=False)
            drawn = order.map(
                lambda row: (row, augment.draw(cfg.augment, cfg.seed, epoch, row[keys.IMAGE_ID])),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            return drawn.batch(cfg.train.batch_size).map(
                lambda rows, numbers: _pair(rows, targets, functools.partial(augment.apply, cfg.augment, drawn=numbers)),
                num_parallel_calls=tf.data.AUTOTUNE,
            )

        return tf.data.Dataset.range(first, epochs).flat_map(epoch_of).prefetch(tf.data.AUTOTUNE)

    def unchanged(images: tf.data.Dataset) -> tf.data.Dataset:
        batches = images.batch(cfg.train.batch_size).map(lambda rows: _pair(rows, targets), num_parallel_calls=tf.data.AUTOTUNE)
        return batches.prefetch(tf.data.AUTOTUNE)

    facts = Facts(shape, class_names, mean, variance, count)
    return Data(facts, -(-count // cfg.train.batch_size), training, unchanged(train), unchanged(validation))


_STATISTICS = (keys.PIXEL_MEAN, keys.PIXEL_VARIANCE)


def _pair(rows, targets, change=lambda images, **_: images):
    """Pixels and targets of a batch; a map moves with its image."""

    def target(name):
        if name in keys.MAPS:
            return tf.cast(change(tf.cast(rows[name], tf.float32), interpolation="NEAREST"), tf.int64)
        return rows[name]

    return change(tf.cast(rows[keys.PIXELS], tf.float32)), {name: target(name) for name in targets}


def _records(files: Sequence[str]) -> tf.data.Dataset:
    paths = sorted(tf.io.gfile.glob(list(files)))
    return tf.data.TFRecordDataset(paths, compression_type="GZIP")


def _read_transformed(records, transform, targets, cfg):
    spec = {
        name: feature
        for name, feature in transform.transformed_feature_spec().items()
        if name in (keys.PIXELS, keys.IMAGE_ID, *_STATISTICS, *targets)
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
    def parsed(name, channels):
        return tf.ensure_shape(tf.io.parse_tensor(row[name], tf.uint8), (cfg.transform.height, cfg.transform.width, channels))

    maps = {name: parsed(name, 1) for name in keys.MAPS if name in row}
    return {**row, keys.PIXELS: parsed(keys.PIXELS, cfg.transform.channels), **maps}


def _statistics(images: tf.data.Dataset) -> tuple[list[float] | None, list[float] | None]:
    """The training split's mean and variance, which Transform writes into every record alike."""
    row = next(iter(images.take(1).as_numpy_iterator()), {})
    if keys.PIXEL_MEAN not in row:
        return None, None
    return row[keys.PIXEL_MEAN].tolist(), row[keys.PIXEL_VARIANCE].tolist()

"""What training reads: transformed examples as tf.data, in an order that depends on (seed, epoch) alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tensorflow as tf
import tensorflow_transform as tft

from components import inputs, keys
from components import targets as kinds
from components.inputs.base import Input
from components.trainer import by_name
from components.trainer.epochs import Decoded, Epochs, Images, held, unchanged
from components.trainer.info import DataInfo, Mix
from components.trainer.reader import Reader, records
from components.transform.augment import steps as augment
from configs import policies
from configs.errors import UsageError
from configs.schema.slices.trainer import TrainerSlice


@dataclass(frozen=True)
class Data:
    """Training and validation examples of one run.

    Datasets yield (what a model gets, of images pixels float32 [N, height, width, channels] in 0..255; {target: as its kind has it,
    components.targets}).
    Where augmentation mixes images, the targets of training batches are as the task mixes them; where it adds noise, `keys.CLEAN`
    among them is the pixels without it, and of a task that `cleans` the pixels with it may leave the range.
    """

    info: DataInfo
    steps: int  # batches an epoch
    training: Callable[[int, int], tf.data.Dataset]  # (first epoch, epochs) -> all batches of those epochs, augmented
    plain: tf.data.Dataset  # the training split once, neither shuffled nor augmented: for closed forms and baselines
    validation: tf.data.Dataset
    sample: Callable[[int], tuple | None] | None = None  # how many -> a batch of the first training ones, augmented; None of none
    labelled: Callable[[int], tf.data.Dataset] | None = None  # one batch of validation, as it is, with all labels that it has


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
    reads: str = inputs.DEFAULT,
    decoded: Decoded | None = None,
) -> Data:
    """Open both splits.

    Args:
        train_files, validation_files: GZIP TFRecords: transformed examples when `materialized`, else raw ones.
        mix, copies, clips_noise: see Epochs.
        reads: the kind of input; see components.inputs.
        decoded: where the rows are that were read before from the same files, chosen and labelled alike; it takes in others.

    Raises:
        UsageError: where the config mixes images and the task cannot mix their targets, or asks for random labels of no classes.
    """
    kind, decoded = inputs.input_of(reads), decoded or Decoded()
    labels = [name for name in transform.transformed_feature_spec() if name in kinds.KINDS and kinds.of(name).is_label]
    reader = Reader(transform, kind, list(dict.fromkeys([*targets, *labels])), cfg.transform, materialized)
    train = records(train_files)
    if cfg.transfer is not None and cfg.transfer.shots is not None:
        train = by_name.part(by_name.SHOTS).chosen(train, cfg.transfer.shots, cfg.seed)
    info = _info_of(transform, kind, class_names, _count(train), cfg)
    relabel = _relabelling(cfg, targets, info)

    def rows(serialized):
        return relabel(reader.rows(serialized))

    epochs = Epochs(train, info.train_images, rows, kind, targets, info, cfg, mix, copies, clips_noise, decoded)
    validation = records(validation_files)
    judged, count = reader.rows(validation), _count(validation)
    images = decoded.of(keys.VALIDATION, judged, count) if 0 < count <= held(kind, cfg) else Images(judged)
    batches = unchanged(images.elements.batch(cfg.train.batch_size), kind, targets, images.rows)

    def labelled(many: int) -> tf.data.Dataset:
        return unchanged(images.elements.take(many).batch(many), kind, labels, images.rows)

    return Data(info, epochs.steps, epochs.training, epochs.plain(), batches, epochs.sample, labelled)


def _count(serialized: tf.data.Dataset) -> int:
    return sum(1 for _ in serialized)


def _info_of(transform: tft.TFTransformOutput, kind: Input, class_names: list[str], count: int, cfg: TrainerSlice) -> DataInfo:
    """Of `count` training examples, with what Transform's analyzers learned from them."""
    steps = policies.expand(cfg.augment, cfg.transform.channels)
    return DataInfo(
        kind.shape(cfg.transform),
        class_names,
        train_images=count,
        noise=tuple(step for step in steps if augment.NOISE in augment.kinds([step])),
        **kind.learned(transform, cfg.transform),
    )


def _relabelling(cfg: TrainerSlice, targets: Sequence[str], info: DataInfo) -> Callable[[tf.data.Dataset], tf.data.Dataset]:
    """Training rows -> the same, a share of them with a class that has nothing to do with the image: Zhang et al. 2017, section
    2.1. A function of seed and image alone, so that every epoch, copy and resumed training has the same labels."""
    share = cfg.train.random_labels
    if share and (keys.LABEL not in targets or not info.class_names):
        raise UsageError("train.random_labels draws classes anew, and this task has none.", "Take it out.")

    def relabelled(row):
        stream = tf.stack([tf.constant(cfg.seed, tf.int64), tf.strings.to_hash_bucket_fast(row[keys.EXAMPLE_ID], 2**62)])
        chance, place = tf.unstack(tf.random.stateless_uniform([2], ~stream))  # ~: not the numbers that augmentation draws
        drawn = tf.cast(place * len(info.class_names), tf.int64)
        return {**row, keys.LABEL: tf.where(chance < share, drawn, row[keys.LABEL])}

    return lambda images: images.map(relabelled, num_parallel_calls=tf.data.AUTOTUNE) if share else images

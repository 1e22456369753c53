"""Reading back what ExampleGen and Transform wrote: tf.Examples in GZIP TFRecords, whole or a feature of them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from components import keys
from configs.errors import HubelError

BATCH = 1024  # records of which ids are read at one go


class NoSplit(HubelError):
    """Examples without a split that something needs; `split` is its name."""

    def __init__(self, split: str):
        super().__init__(f"There are no examples of the {split} split.")
        self.split = split


def files_of(examples, split: str) -> list[str]:
    """Paths of a split's files, in the order in which every stage reads them.

    Args:
        examples: an Examples artifact, or a list of one.

    Raises:
        NoSplit: where the artifact has no such split.
    """
    from tfx.types import artifact_utils

    held = examples if isinstance(examples, Sequence) else [examples]
    if split not in artifact_utils.decode_split_names(held[0].split_names):
        raise NoSplit(split)
    return sorted(str(path) for path in Path(artifact_utils.get_split_uri(held, split)).iterdir() if path.is_file())


def records_of(files):
    """tf.data of serialized tf.Examples, in order.

    Args:
        files: paths, or a string tensor of them.
    """
    import tensorflow as tf

    return tf.data.TFRecordDataset(files if tf.is_tensor(files) else list(files), compression_type="GZIP")


def parsed(records: Iterable[bytes]) -> Iterator[Any]:
    """tf.train.Examples of serialized ones."""
    import tensorflow as tf

    return map(tf.train.Example.FromString, records)


def values(example, name: str | None) -> Sequence[bytes] | Sequence[int] | Sequence[float]:
    """The values of a feature of a tf.train.Example; empty where it is not there, or is None."""
    feature = example.features.feature
    kind = feature[name].WhichOneof("kind") if name and name in feature else None  # asking for a name would add it
    return getattr(feature[name], kind).value if kind else ()


def ids_of(files: Iterable[str]) -> Iterator[bytes]:
    """The id of each image in files, in order; empty where it has none. Nothing else is unpacked."""
    import tensorflow as tf

    feature = {keys.EXAMPLE_ID: tf.io.FixedLenFeature([], tf.string, default_value="")}
    batches = (tf.io.parse_example(batch, feature)[keys.EXAMPLE_ID] for batch in records_of(files).batch(BATCH))
    return (image_id for batch in batches for image_id in batch.numpy())  # a graph would be traced for longer than most files take

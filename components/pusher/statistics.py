"""What a pushed model carries of its training, so that what it is asked in service can be held against that: `hubel drift`."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics

from components import keys
from components.examples import NoSplit, files_of, records_of
from configs.errors import first_line
from serving.server.servable import Servable
from serving.server.status import ServingError
from serving.statistics import proto, written
from serving.statistics.measures import INPUTS, MAX_ROWS, About, Measured

MOST = 1024  # test examples whose answers are looked at
WITHOUT = "the model is pushed without statistics of its training, so `hubel drift` cannot judge it"


def carry(saved: Path, of: types.Artifact, examples: Sequence[types.Artifact], into: Path) -> str:
    """As `write`, of what artifacts hold; what cannot be carried holds up no push.

    Args:
        of: ExampleStatistics. examples: raw Examples, of which the test split is asked.

    Returns:
        Why nothing is carried, as a sentence without its stop; "" where it is.
    """
    import tensorflow as tf

    try:
        write(saved, load_statistics(of, keys.TRAIN).proto(), files_of(examples, keys.TEST), into)
    except (NoSplit, ServingError, tf.errors.OpError, ValueError, KeyError, OSError) as error:
        return f"{WITHOUT}: {first_line(error)}"
    return ""


def write(saved: Path, train: statistics_pb2.DatasetFeatureStatisticsList, test: Sequence[str], into: Path | None = None) -> None:
    """Write written.OF_TRAINING into a SavedModel's folder: the data set `train`, of what is measured of inputs, as StatisticsGen
    has it, and `test`, of what the model answers to the first MOST test examples, by the signature that `hubel predict` asks.

    Args:
        saved: folder of the SavedModel. train: of the training split. test: files of the test split.
        into: the folder to write into; None: `saved`.

    Raises:
        ServingError: where the model does not answer. KeyError: where it has no such signature.
    """
    [dataset] = train.datasets
    of_train = statistics_pb2.DatasetFeatureStatistics(name=written.TRAIN, num_examples=dataset.num_examples)
    of_train.features.extend(feature for feature in dataset.features if "/".join(feature.path.step) in INPUTS)
    of_test = proto.dataset_of(answered(saved, test), written.TEST)
    path = (into or saved) / written.OF_TRAINING
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(
        statistics_pb2.DatasetFeatureStatisticsList(datasets=[of_train, of_test]).SerializeToString(deterministic=True)
    )


def answered(saved: Path, files: Sequence[str]) -> Measured:
    """Measures of what a SavedModel answers to serialized tf.Examples."""
    card, measured = written.card_of(saved), Measured()
    about, name = About.of(card), card.get("predicts") or keys.SERVING_DEFAULT
    servable = Servable("pushed", 1, saved)
    try:
        [alias] = servable.signatures[name].inputs
        records = islice(records_of(files).as_numpy_iterator(), MOST)
        while batch := list(islice(records, MAX_ROWS)):
            examples = np.empty(len(batch), object)
            examples[:] = batch
            measured.add(about, name, {}, servable.run(name, {alias: examples}))
    finally:
        servable.close()
    return measured

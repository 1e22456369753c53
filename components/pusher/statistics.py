"""What a pushed model carries of its training, so that what it is asked in service can be held against that: `hubel drift`."""

from collections.abc import Sequence
from pathlib import Path

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx import types
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics

from components import answered, keys
from components.examples import NoSplit, files_of
from configs.errors import first_line
from serving.server.servable import Servable
from serving.server.status import ServingError
from serving.statistics import written
from serving.statistics.measures import INPUTS

WITHOUT = "the model is pushed without statistics of its training, so `hubel drift` cannot judge it"


def carry(
    saved: Path,
    of: types.Artifact,
    examples: Sequence[types.Artifact],
    into: Path,
    gate: types.Artifact | None = None,
) -> str:
    """As `write`, of what artifacts hold; what cannot be carried holds up no push.

    Args:
        of: ExampleStatistics. examples: raw Examples, of which the test split is asked.
        gate: InfraBlessing, which may hold the answers; None, or one without: the model is loaded and asked here.

    Returns:
        Why nothing is carried, as a sentence without its stop; "" where it is.
    """
    import tensorflow as tf

    try:
        answers = Path(gate.uri, keys.ANSWERS) if gate is not None else None
        known = answers.read_bytes() if answers is not None and answers.is_file() else None
        write(saved, load_statistics(of, keys.TRAIN).proto(), files_of(examples, keys.TEST), into, known)
    except (NoSplit, ServingError, tf.errors.OpError, DecodeError, ValueError, KeyError, OSError) as error:
        return f"{WITHOUT}: {first_line(error)}"
    return ""


def write(
    saved: Path,
    train: statistics_pb2.DatasetFeatureStatisticsList,
    test: Sequence[str],
    into: Path | None = None,
    answers: bytes | None = None,
) -> None:
    """Write written.OF_TRAINING into a SavedModel's folder: the data set `train`, of what is measured of inputs, as StatisticsGen
    has it, and `test`, of what the model answers to the first test examples, as components.answered measures it.

    Args:
        saved: folder of the SavedModel. train: of the training split. test: files of the test split.
        into: the folder to write into; None: `saved`.
        answers: the data set `test`, serialized, of whoever has had the model answer already; None: it is loaded and asked here.

    Raises:
        ServingError: where the model does not answer. KeyError: where it has no such signature.
    """
    [dataset] = train.datasets
    of_train = statistics_pb2.DatasetFeatureStatistics(name=written.TRAIN, num_examples=dataset.num_examples)
    of_train.features.extend(feature for feature in dataset.features if "/".join(feature.path.step) in INPUTS)
    of_test = _asked(saved, test) if answers is None else statistics_pb2.DatasetFeatureStatistics.FromString(answers)
    path = (into or saved) / written.OF_TRAINING
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(
        statistics_pb2.DatasetFeatureStatisticsList(datasets=[of_train, of_test]).SerializeToString(deterministic=True)
    )


def _asked(saved: Path, test: Sequence[str]) -> statistics_pb2.DatasetFeatureStatistics:
    servable = Servable("pushed", 1, saved)
    try:
        return answered.dataset(servable, test)
    finally:
        servable.close()

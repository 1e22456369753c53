"""What a model answers to test examples, measured as a server measures what it answers: what `hubel drift` compares with."""

from collections.abc import Sequence
from itertools import islice

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from components import keys
from components.examples import records_of
from serving.server.servable import Servable
from serving.statistics import proto, written
from serving.statistics.measures import MAX_ROWS, About, Measured

MOST = 1024  # test examples whose answers are looked at


def dataset(servable: Servable, files: Sequence[str]) -> statistics_pb2.DatasetFeatureStatistics:
    """The data set written.TEST, of what a model answers to the first MOST tf.Examples of `files`, by the signature that
    `hubel predict` asks.

    Raises:
        ServingError: where it does not answer. KeyError: where it has no such signature. ValueError: where that takes more than
            examples. tf.errors.OpError: where a file cannot be read.
    """
    card, measured = written.card_of(servable.folder), Measured()
    about, name = About.of(card), card.get("predicts") or keys.SERVING_DEFAULT
    [alias] = servable.signatures[name].inputs
    records = islice(records_of(files).as_numpy_iterator(), MOST)
    while batch := list(islice(records, MAX_ROWS)):
        examples = np.empty(len(batch), object)
        examples[:] = batch
        measured.add(about, name, {}, servable.run(name, {alias: examples}))
    return proto.dataset_of(measured, written.TEST)

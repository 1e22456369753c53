"""Reading back the images of a split as a model that is served gets them."""

import functools
from collections.abc import Callable

import tensorflow as tf

from components import given, inputs, keys
from components.examples import files_of, records_of
from components.tasks.base import Task
from components.trainer.card import Card

BATCH = 256
HELD_BYTES = 2**29  # of decoded images that stay in memory between the readings of a split, if they are no more than that


def images_of(examples, card: Card, task: Task) -> Callable[[str], tf.data.Dataset]:
    """split -> batches of what the model gets, by the graph that is served, labels, and the task's targets.

    Pixels are of the size that the model sees or, with export.crops, of that which crops are cut from.
    """
    kind = inputs.input_of(card.reads)
    names = list(dict.fromkeys([keys.LABEL, keys.ANOMALY, *task.targets]))
    features = {kind.feature: tf.io.FixedLenFeature([], tf.string), **given.spec(names)}

    @functools.cache  # a data set can be read again, and its graph takes longer to build than small images to read
    def images(split: str) -> tf.data.Dataset:
        def decode(batch):
            parsed = tf.io.parse_example(batch, features)
            seen = kind.seen(parsed[kind.feature], card)
            return seen, given.resized(parsed, names, card.transform, tf.shape(seen)[0])

        decoded = records_of(files_of(examples, split)).batch(BATCH).map(decode)
        decoded = decoded.cache() if card.train_images * kind.bytes_of(card.seen) <= HELD_BYTES else decoded
        return decoded.map(lambda seen, known: (kind.given(seen), given.ready(known)))

    return images

"""A few images of each class: what one-shot and few-shot learning train on."""

from collections import Counter, defaultdict

import numpy as np
import tensorflow as tf

from components import examples, keys, progress
from components.example_gen.records import share
from configs import words


def chosen(records: tf.data.Dataset, shots: int, seed: int) -> tf.data.Dataset:
    """The records of so many images of each class, in their order; of a class that has fewer, all.

    Which ones depends on seed and id alone, and those of fewer shots are among those of more.

    Args:
        records: serialized tf.Examples with id and label, raw or transformed.
    """
    by_label = defaultdict(list)
    for place, example in enumerate(examples.parsed(records.as_numpy_iterator())):
        [image_id], label = examples.values(example, keys.EXAMPLE_ID), tuple(examples.values(example, keys.LABEL))
        by_label[label].append((share(image_id, f"shots {seed}".encode()), place))
    taken = np.zeros(sum(map(len, by_label.values())), bool)
    for drawn in by_label.values():
        taken[[place for _, place in sorted(drawn)[:shots]]] = True
    if scarce := Counter({label: len(drawn) for label, drawn in by_label.items() if len(drawn) < shots}):
        fewest = min(scarce.values())
        have, images = "has" if len(scarce) == 1 else "have", words.count(shots, "image")
        text = f"{len(scarce)} of {words.classes(len(by_label))} {have} fewer than {images}, down to {fewest}"
        progress.emit("warning", text=text)
    mask = tf.constant(taken)
    return records.enumerate().filter(lambda place, _: mask[place]).map(lambda _, record: record)

"""A few images of each class: always the same, and more of them hold the fewer."""

from collections import Counter

import pytest
import tensorflow as tf

from components import keys, progress
from components.trainer import shots
from tests.components import digits


def records():
    return tf.data.Dataset.from_tensor_slices(digits.examples(keys.TRAIN))


def drawn(count, seed=0, of=None):
    """Ids and labels, in order."""
    rows = [
        tf.train.Example.FromString(row).features.feature for row in shots.chosen(of or records(), count, seed).as_numpy_iterator()
    ]
    return [(row[keys.EXAMPLE_ID].bytes_list.value[0], row[keys.LABEL].int64_list.value[0]) for row in rows]


@pytest.mark.parametrize("count", [1, 5])
def test_each_class_has_so_many(count):
    assert Counter(label for _, label in drawn(count)) == dict.fromkeys(range(10), count)


def test_they_depend_on_seed_and_id_alone():
    assert drawn(3) == drawn(3)
    assert set(drawn(3)) == set(drawn(3, of=records().shuffle(240, seed=1, reshuffle_each_iteration=False)))
    assert set(drawn(1)) < set(drawn(3)) < set(drawn(8))
    assert drawn(3) != drawn(3, seed=1)
    assert [image for image, _ in drawn(300)] == [f"digit-{i}".encode() for i in digits.rows(keys.TRAIN)]


def test_a_class_that_has_fewer_gives_all_and_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(progress, "_listeners", [said.append])
    drawn(1)
    assert said == []
    by_label = Counter(label for _, label in drawn(25))
    everything = Counter(digits.images()[1][:240].tolist())
    assert by_label == {label: min(count, 25) for label, count in everything.items()}
    [warning] = said
    few = [count for count in everything.values() if count < 25]
    assert warning["text"] == f"{len(few)} of 10 classes have fewer than 25 images, down to {min(few)}"

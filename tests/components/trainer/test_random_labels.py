"""Random labels: a share of the training split's, a function of seed and image, and nobody else's."""

import numpy as np
import pytest

from components.tasks.by_name import task_of
from components.trainer import training
from configs.errors import UsageError
from tests.components import digits
from tests.components.trainer.test_data import batches, labels, opened

COUNT = digits.COUNTS["train"]


def data(artifacts, share, **changes):
    materialized = changes.pop("materialized", True)
    train = {"epochs": 4, "batch_size": 32, "random_labels": share}
    return opened(artifacts, materialized, train=train, **changes)


def by_image(dataset) -> dict[bytes, int]:
    """Label of each image, by its pixels."""
    return {image.tobytes(): int(label) for images, t in dataset for image, label in zip(images, t["label"], strict=True)}


@pytest.fixture(scope="module")
def true(artifacts):
    return by_image(batches(data(artifacts, 0.0).plain))


def replaced(true, drawn):
    assert drawn.keys() == true.keys()
    return sum(drawn[image] != true[image] for image in true) / len(true)


def test_about_the_share_is_replaced_and_one_in_ten_of_that_hits_the_truth(artifacts, true):
    for share in (0.25, 1.0):
        drawn = by_image(batches(data(artifacts, share).plain))
        expected = 0.9 * share
        assert replaced(true, drawn) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / COUNT))
    counts = np.bincount(list(drawn.values()), minlength=10)
    assert (len(counts), counts.sum()) == (10, len(true))
    assert counts.min() > 0.3 * COUNT / 10


def test_a_larger_share_replaces_more_of_the_same(artifacts, true):
    some, more = (by_image(batches(data(artifacts, share).plain)) for share in (0.2, 0.6))
    assert {image for image in true if some[image] != true[image]} <= {image for image in true if more[image] != true[image]}


def test_every_epoch_and_every_resumed_training_has_the_same_labels(artifacts):
    made = data(artifacts, 1.0)
    drawn = by_image(batches(made.plain))
    assert by_image(batches(made.training(0, 1))) == drawn
    assert by_image(batches(made.training(3, 4))) == drawn
    assert by_image(batches(data(artifacts, 1.0, materialized=False).plain)) == drawn
    assert by_image(batches(data(artifacts, 1.0, seed=1).plain)) != drawn


def test_validation_keeps_its_labels(artifacts):
    np.testing.assert_array_equal(
        labels(batches(data(artifacts, 1.0).validation)), labels(batches(data(artifacts, 0.0).validation))
    )


def test_a_task_without_classes_refuses(artifacts, tmp_path):
    cfg = digits.trainer_slice({**digits.AUTOENCODER, "train": {"random_labels": 0.1}})
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg)
    with pytest.raises(UsageError, match=r"train.random_labels draws classes anew, and this task has none\."):
        training.data_of(args, cfg, task_of("reconstruction"), "image")

"""Tasks are found by their name, and each answers every question a component asks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import components.tasks
from components.tasks.base import Comparison, Task
from components.tasks.by_name import modules_of, task_of
from components.tasks.reconstruction import pca
from components.trainer.card import Card
from components.trainer.data import Facts
from configs.errors import HubelError, UsageError
from tests.components import digits

ROOT = Path(components.tasks.__file__).parent
FILES = [path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py") if "class Task(" in path.read_text()]
NAMES = sorted({".".join(part for part in file.parts if part != "task") for file in FILES} - {"base"})
NO_TASKS = ["no_such_task", "", "Classification", "../classification", "class ification", "base", "by_name", "classification.x"]


@pytest.mark.parametrize("name", [*NO_TASKS, "reconstruction.x", "reconstruction.task", "reconstruction.figures"])
def test_an_unknown_task_is_refused(name):
    with pytest.raises(UsageError, match="There is no task"):
        task_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_is_found(name):
    task = task_of(name)
    assert isinstance(task, Task)
    assert task.metrics
    assert modules_of(name) == [type(task).__module__]
    assert all(metric.better in ("more", "less") for metric in task.metrics.values())


def test_classification_refuses_data_without_labels():
    facts = Facts((8, 8, 1), digits.NAMES, None, None, 3)
    assert task_of("classification").check(facts) is None
    with pytest.raises(HubelError, match="labels"):
        task_of("classification").check(replace(facts, class_names=[]))


def test_pairs_are_what_keras_fits():
    pixels, labels = tf.constant([[[[255.0]]], [[[51.0]]]]), {"label": tf.constant([3, 4], tf.int64)}
    inputs, targets = task_of("classification").pair(pixels, labels)
    assert inputs is pixels
    assert targets.numpy().tolist() == [3, 4]
    inputs, targets = task_of("reconstruction").pair(pixels, {})
    assert np.allclose(np.ravel(targets), [1, 0.2])


def test_a_comparison_cannot_be_changed():
    with pytest.raises(AttributeError):
        Comparison("mse", 1.0, "x").value = 2.0


def test_reconstruction_is_compared_with_pca_of_its_own_code_size(autoencoder):
    card = Card.read(str(autoencoder))
    parts = {"train": digits.images()[0][:240].astype(np.float32), "test": digits.images()[0][300:360].astype(np.float32)}

    def images(split):
        rows = tf.data.Dataset.from_tensor_slices((parts[split], {"label": np.zeros(len(parts[split]), np.int64)}))
        return rows.batch(50)

    [found] = task_of("reconstruction").compare(autoencoder / "Format-Serving", card, images)
    expected = pca.fit([parts["train"] / 255], 4).mean_squared_error([parts["test"] / 255])
    assert (found.metric, found.value) == ("mse", pytest.approx(expected, rel=1e-6))
    assert "code size of 4" in found.words
    assert task_of("classification").compare(autoencoder, card, images) == []

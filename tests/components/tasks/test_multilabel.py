"""Which of several classes an image has: thresholds, targets under mixing and smoothing, and what is served."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score

from components import keys
from components.tasks import multilabel
from components.tasks.by_name import of_data, task_of
from components.trainer.facts import Facts
from configs.errors import HubelError
from tests.components import digits

TASK = multilabel.Task()
NAMES = ["red", "round", "loud"]


def facts(names=NAMES):
    return Facts((2, 2, 1), names, 3)


def test_classifiers_learn_it_where_the_data_names_labels():
    assert of_data("classification", {"labels": ["a", "b"]}) == "multilabel"
    assert of_data("classification", {"label": "a"}) == "classification"
    assert of_data("reconstruction", {"labels": ["a", "b"]}) == "reconstruction"
    assert of_data("ensemble", {"labels": ["a", "b"]}) == "ensemble"
    assert isinstance(task_of("multilabel"), multilabel.Task)


def test_a_threshold_has_the_largest_f1_that_any_has():
    generator = np.random.default_rng(1)
    for _ in range(20):
        labels = generator.random(60) < 0.3
        scores = np.round(np.clip(0.25 * labels + generator.random(60), 0, 1), 2)
        chosen = multilabel.threshold(labels, scores)
        best = max(f1_score(labels, scores > cut) for cut in np.arange(-0.005, 1, 0.01))
        assert f1_score(labels, scores > chosen) == pytest.approx(best)
        assert chosen not in scores or chosen == 0, "between two of them"
    assert multilabel.threshold(np.zeros(3), np.ones(3)) is None


def test_data_without_such_labels_is_refused():
    assert TASK.check(facts()) is None
    with pytest.raises(HubelError, match="several classes") as refused:
        TASK.check(facts([]))
    assert "data.features: {labels:" in refused.value.hint


def test_mixed_and_smoothed_labels_are_probabilities_of_each_class():
    own, other = {keys.LABELS: tf.constant([[1, 0, 1]])}, {keys.LABELS: tf.constant([[1, 1, 0]])}
    mixed = TASK.mix(own, other, tf.constant([0.75]), facts())
    np.testing.assert_allclose(mixed[keys.LABELS], [[1, 0.25, 0.75]])
    twice = TASK.mix(mixed, other, tf.constant([0.5]), facts())
    np.testing.assert_allclose(twice[keys.LABELS], [[1, 0.625, 0.375]])
    np.testing.assert_allclose(TASK.smooth(own, 0.2, facts())[keys.LABELS], [[0.9, 0.1, 0.9]], rtol=1e-6)
    _, labels = TASK.pair(tf.zeros([1, 2, 2, 1]), own)
    assert labels.dtype == tf.float32


def fixed(logits):
    """A network that always answers the same."""
    image = keras.Input((8, 8, 1))
    out = keras.layers.Dense(len(logits), kernel_initializer="zeros", name="logits")
    model = keras.Model(image, out(keras.layers.Flatten()(image)))
    out.bias.assign(logits)
    return model


def card(thresholds):
    return digits.card().model_copy(update={"class_names": NAMES, "calibrated": {multilabel.THRESHOLDS: thresholds}})


def test_all_classes_are_served_by_their_scores_with_those_that_the_image_has():
    logits = [0.0, 2.0, -2.0]
    answer = TASK.signatures(fixed(logits), card([0.6, 0.5, 0.1]))["serving_default"].function(tf.zeros([2, 8, 8, 1]))
    expected = 1 / (1 + np.exp(-np.array(logits)))
    np.testing.assert_allclose(answer["probabilities"], [expected] * 2, rtol=1e-6)
    assert answer["classes"].numpy()[0].tolist() == [b"round", b"red", b"loud"]
    np.testing.assert_allclose(answer["scores"], [expected[[1, 0, 2]]] * 2, rtol=1e-6)
    assert answer["on"].numpy()[0].tolist() == [True, False, True]
    assert answer["decisions"].numpy()[0].tolist() == [False, True, True]
    classify = TASK.signatures(fixed(logits), card([0.5] * 3))["classify"].function(tf.zeros([1, 8, 8, 1]))
    assert classify["classes"].numpy()[0].tolist() == [b"red", b"round", b"loud"]


def test_a_class_that_validation_has_no_image_of_is_said(monkeypatch):
    told = []
    monkeypatch.setattr(multilabel.progress, "emit", lambda event, **values: told.append(values["text"]))
    labels = tf.constant([[1, 0, 0], [0, 1, 0]], tf.int64)
    data = SimpleNamespace(validation=tf.data.Dataset.from_tensors((tf.zeros([2, 8, 8, 1]), {keys.LABELS: labels})))
    found = TASK.calibrate(fixed([0.0, 1.0, 2.0]), data, card([]))[multilabel.THRESHOLDS]
    assert found[2] == multilabel.UNKNOWN
    assert found[0] < 0.5
    assert len(told) == 1
    assert "loud" in told[0]

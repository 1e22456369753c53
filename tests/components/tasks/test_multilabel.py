"""Which of several classes an image has: thresholds, targets under mixing and smoothing, and what is served."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight

from components import keys
from components.tasks import multilabel
from components.tasks.by_name import of_data, task_of
from components.trainer.info import DataInfo
from configs.errors import HubelError
from configs.schema.train import TrainConfig
from tests.components import digits

TASK = multilabel.Task()
NAMES = ["red", "round", "loud"]


def info(names=NAMES):
    return DataInfo((2, 2, 1), names, 3)


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
    assert TASK.check(info()) is None
    with pytest.raises(HubelError, match="several classes") as refused:
        TASK.check(info([]))
    assert "data.features: {labels:" in refused.value.hint


def test_mixed_and_smoothed_labels_are_probabilities_of_each_class():
    own, other = {keys.LABELS: tf.constant([[1, 0, 1]])}, {keys.LABELS: tf.constant([[1, 1, 0]])}
    mixed = TASK.mix(own, other, tf.constant([0.75]), info())
    np.testing.assert_allclose(mixed[keys.LABELS], [[1, 0.25, 0.75]])
    twice = TASK.mix(mixed, other, tf.constant([0.5]), info())
    np.testing.assert_allclose(twice[keys.LABELS], [[1, 0.625, 0.375]])
    np.testing.assert_allclose(TASK.smooth(own, 0.2, info())[keys.LABELS], [[0.9, 0.1, 0.9]], rtol=1e-6)
    _, labels = TASK.pair(tf.zeros([1, 2, 2, 1]), own)
    assert labels.dtype == tf.float32


def batches(labels, size=8):
    pixels = np.random.default_rng(2).random((len(labels), 8, 8, 1), np.float32)
    return tf.data.Dataset.from_tensor_slices((pixels, {keys.LABELS: np.asarray(labels, np.int64)})).batch(size)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_balanced_weights_are_scikit_learn_s_of_each_class_and_weigh_the_training_loss_alone(smoothing):
    labels = np.stack([np.arange(24) % 2, np.arange(24) % 6 == 0, np.arange(24) < 23, np.ones(24)], 1).astype(int)
    data = SimpleNamespace(
        plain=batches(labels),
        validation=batches(labels),
        training=lambda first, epochs: batches(labels),
        steps=3,
        info=SimpleNamespace(class_names=list("abcd"), train_images=24),
    )
    task, model = multilabel.Task(), fixed([0.5, -1.0, 2.0, 0.0])
    weights = task.class_weight(data)
    for place in range(3):
        expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels[:, place])
        np.testing.assert_allclose(weights[place], expected[::-1], rtol=1e-12)
    assert weights[3] == (1.0, 1.0), "of two classes one has no image"
    train = {"epochs": 1, "batch_size": 8, "class_weight": "balanced", "label_smoothing": smoothing, "jit": False}
    asked = TrainConfig.model_validate({**train, "optimizer": {"name": "sgd", "learning_rate": 1e-12}})
    history = keras.callbacks.History()
    task.fit(model, data, asked, 0, [history])
    logits = np.array([0.5, -1.0, 2.0, 0.0])
    learned = (1 - smoothing) * labels + smoothing / 2
    losses = np.log1p(np.exp(logits)) - learned * logits
    weighed = np.where(labels, *np.array([weights[place] for place in range(4)]).T)
    assert history.history["loss"][0] == pytest.approx((weighed * losses).mean(), rel=1e-5)
    assert history.history["val_loss"][0] == pytest.approx((np.log1p(np.exp(logits)) - labels * logits).mean(), rel=1e-5)
    task.fit(model, data, asked.model_copy(update={"class_weight": None}), 0, [history])
    assert history.history["loss"][-1] == pytest.approx(losses.mean(), rel=1e-5)


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
    thresholds = TASK.calibrate(fixed([0.0, 1.0, 2.0]), data, card([]))[multilabel.THRESHOLDS]
    assert thresholds[2] == multilabel.UNKNOWN
    assert thresholds[0] < 0.5
    assert len(told) == 1
    assert "loud" in told[0]

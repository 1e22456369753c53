"""Smoothed labels: the formula of Szegedy et al. 2016, section 7, in the training loss alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.tasks.by_name import task_of
from components.trainer import training
from configs.errors import UsageError
from tests.components import digits
from tests.components.trainer.test_resume import data_of, fresh_model, slice_of

pytestmark = pytest.mark.usefixtures("eager")

CLASSES, SHARE = 10, 0.3


def logs_of(model, first, last) -> tuple[np.ndarray, np.ndarray]:
    """log p [N, K] in float64 and labels [N] of some digits."""
    images, labels = digits.images()
    logits = model(images[first:last].astype(np.float32), training=False).numpy().astype(np.float64)
    return logits - np.log(np.exp(logits).sum(1, keepdims=True)), labels[first:last]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_training_loss_is_the_paper_s_and_the_validation_loss_is_plain(weighted):
    cfg = slice_of(
        epochs=1,
        optimizer={"name": "sgd", "learning_rate": 1e-12},
        label_smoothing=SHARE,
        class_weight="balanced" if weighted else None,
    )
    data, task, model = data_of(), task_of("classification"), fresh_model()
    for layer in model.get_layer("net").layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    history = keras.callbacks.History()
    task.fit(model, data, cfg.train, 0, [history])
    logs, labels = logs_of(model, 0, 200)
    true = -logs[np.arange(200), labels]
    smoothed = (1 - SHARE) * true + SHARE * -logs.mean(1)  # H(q', p) = (1 - e) H(q, p) + e H(u, p)
    weights = np.array([task.class_weight(data)[label] if weighted else 1.0 for label in labels])
    assert history.history["loss"][0] == pytest.approx((weights * smoothed).mean(), rel=1e-5)
    assert history.history["accuracy"][0] == pytest.approx((logs.argmax(1) == labels).mean())
    logs, labels = logs_of(model, 200, 250)
    assert history.history["val_loss"][0] == pytest.approx(-logs[np.arange(50), labels].mean(), rel=1e-5)


def test_a_mixed_label_is_smoothed_as_a_whole():
    task, info = task_of("classification"), data_of().info
    own, other = ({"label": tf.constant([label], tf.int64)} for label in (2, 7))
    smoothed = task.smooth(task.mix(own, other, tf.constant([0.75]), info), SHARE, info)["label"].numpy()
    expected = np.full((1, CLASSES), SHARE / CLASSES)
    expected[0, [2, 7]] += (1 - SHARE) * np.array([0.75, 0.25])
    np.testing.assert_allclose(smoothed, expected, rtol=1e-6)
    mixed_later = [task.smooth(part, SHARE, info) for part in (own, other)]
    np.testing.assert_allclose(task.mix(*mixed_later, tf.constant([0.75]), info)["label"], expected, rtol=1e-6)


def test_a_task_without_classes_refuses(artifacts, tmp_path):
    cfg = digits.trainer_slice({**digits.AUTOENCODER, "train": {"label_smoothing": 0.1}})
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg)
    with pytest.raises(UsageError, match=r"train.label_smoothing spreads labels over classes, and this task has none\."):
        training.data_of(args, cfg, task_of("reconstruction"), "image")

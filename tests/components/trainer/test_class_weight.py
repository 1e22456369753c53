"""Weights of rare classes: those of scikit-learn, from the training split alone, in the training loss alone."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from components import keys
from components.tasks.by_name import task_of
from components.trainer import training
from configs.errors import UsageError
from tests.components import digits
from tests.components.trainer.test_data import opened

TRAIN = {"epochs": 1, "batch_size": 60, "optimizer": {"name": "sgd", "learning_rate": 1e-12}, "class_weight": "balanced"}


def labels(split) -> np.ndarray:
    return digits.images()[1][list(digits.rows(split))]


def losses(model, split) -> np.ndarray:
    pixels = digits.images()[0][list(digits.rows(split))].astype(np.float32)
    return keras.losses.sparse_categorical_crossentropy(labels(split), model(pixels), from_logits=True).numpy()


def test_balanced_is_scikit_learn_s_of_the_training_labels(artifacts):
    weights = task_of("classification").class_weight(opened(artifacts))
    expected = compute_class_weight("balanced", classes=np.arange(10), y=labels(keys.TRAIN))
    np.testing.assert_allclose([weights[c] for c in range(10)], expected, rtol=1e-12)


def test_a_class_without_images_weighs_nothing_in(artifacts):
    data = opened(artifacts)
    more = replace(data, info=replace(data.info, class_names=[*digits.NAMES, "ten"]))
    weights = task_of("classification").class_weight(more)
    expected = compute_class_weight("balanced", classes=np.arange(10), y=labels(keys.TRAIN))
    np.testing.assert_allclose([weights[c] for c in range(11)], [*expected, 1])


def test_the_training_loss_is_weighted_and_the_validation_loss_is_not(artifacts):
    cfg = digits.trainer_slice({**digits.MLP, "train": TRAIN})
    data, task = opened(artifacts), task_of("classification")
    keras.utils.set_random_seed(1)
    model = training.build(training.keras_models.get("mlp"), data, cfg)
    history = keras.callbacks.History()
    task.fit(model, data, cfg.train, 0, [history])
    weights = task.class_weight(data)
    per_image = np.array([weights[label] for label in labels(keys.TRAIN)])
    assert history.history["loss"][0] == pytest.approx((per_image * losses(model, keys.TRAIN)).mean(), rel=1e-4)
    assert history.history["val_loss"][0] == pytest.approx(losses(model, keys.VALIDATION).mean(), rel=1e-4)


@pytest.mark.parametrize(
    ("tree", "task", "sentence"),
    [
        (digits.AUTOENCODER, "reconstruction", "train.class_weight weighs classes, and this task has none"),
        ({**digits.MLP, "augment": [{"mixup": {}}]}, "classification", "mixup and cutmix give it two"),
    ],
)
def test_what_has_no_one_class_is_refused(artifacts, tmp_path, tree, task, sentence):
    cfg = digits.trainer_slice({**tree, "train": TRAIN})
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg)
    with pytest.raises(UsageError, match=sentence):
        training.data_of(args, cfg, task_of(task), "image")

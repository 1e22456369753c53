"""Auxiliary heads in Trainer: trained, resumed, and left behind."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from components import keys
from components.tasks.by_name import task_of
from components.trainer import export, training
from components.trainer.resume import Resume
from keras_models import auxiliary, normalize
from tests.components import digits
from tests.components.trainer.test_resume import CLOSE, Killed, Killing, data_of, slice_of

pytestmark = pytest.mark.usefixtures("eager")

TRAIN = {"epochs": 3, "early_stopping": None, "optimizer": {"learning_rate": 0.02}}


def fresh_model():
    keras.utils.set_random_seed(3)
    image = keras.Input((8, 8, 1))
    x = layers.Dense(16, activation="relu", name="hidden")(layers.Flatten()(image))
    net = keras.Model(image, layers.Dense(10, name="logits")(x))
    own = layers.Dense(7, activation="tanh", name="head_dense")(layers.Dropout(0.3)(x))
    auxiliary.attach(net, [layers.Dense(10, name="head_logits")(own)], 0.3)
    return normalize.with_normalization(net, "unit")


def trained(folder, train=TRAIN, task=None):
    """Model, history, Resume."""
    keras.backend.clear_session()
    cfg = slice_of(**train)
    resume = Resume(folder, cfg.train.early_stopping.patience if cfg.train.early_stopping else None)
    model = fresh_model()
    return model, training.train(task or task_of("classification"), model, data_of(), cfg, resume), resume


def weights_of(model):
    return auxiliary.learner(model).get_weights()


@pytest.fixture(scope="module")
def undisturbed(eager, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("undisturbed"))


def test_heads_are_trained_and_figures_are_the_net_s(undisturbed):
    model, history, _ = undisturbed
    fresh = weights_of(fresh_model())
    assert len(fresh) == 8
    assert all((new != old).any() for new, old in zip(weights_of(model), fresh, strict=True))
    [(pixels, targets)] = list(data_of().validation)
    loss = keras.losses.sparse_categorical_crossentropy(targets[keys.LABEL], model(pixels), from_logits=True)
    best = min(history, key=lambda figures: figures["val_loss"])
    assert best["val_loss"] == pytest.approx(float(np.mean(loss)), rel=1e-4)
    names = ("loss", "accuracy", "data_loss", "auxiliary_loss", "auxiliary_loss_weight")
    assert set(best) == {f"{split}{name}" for name in names for split in ("", "val_")}


def test_a_killed_training_goes_on_with_its_heads(undisturbed, tmp_path):
    for epoch in (0, 1):
        with pytest.raises(Killed):
            trained(tmp_path, task=Killing(task_of("classification"), epoch))
    model, history, _ = trained(tmp_path)
    for mine, theirs in zip(weights_of(model), weights_of(undisturbed[0]), strict=True):
        np.testing.assert_allclose(mine, theirs, **CLOSE)
    for mine, theirs in zip(history, undisturbed[1], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4, abs=1e-5)


def test_a_training_that_was_over_when_it_was_killed_gives_its_best_weights(tmp_path):
    stopping = {**TRAIN, "early_stopping": {"patience": 1}, "optimizer": {"learning_rate": 0.5}, "epochs": 8}
    model, history, resume = trained(tmp_path, stopping)
    assert resume.is_over
    again, history_again, _ = trained(tmp_path, stopping)
    assert history_again == history
    for mine, theirs in zip(weights_of(again), weights_of(model), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_heads_are_neither_saved_nor_served(undisturbed, tmp_path):
    model = undisturbed[0]
    folder = tmp_path / "Format-Serving"
    export.write(folder, model, task_of("classification"), digits.card(), SimpleNamespace(validation=[]))
    kept = [(64, 16), (16,), (16, 10), (10,)]
    again = keras.saving.load_model(tmp_path / keys.KERAS_FILE)
    assert [weight.shape for weight in again.weights] == kept
    pixels = digits.images()[0][:4].astype("float32")
    np.testing.assert_array_equal(again(pixels), model(pixels))
    saved = tf.train.list_variables(str(folder / "variables" / "variables"))
    assert {tuple(shape) for _, shape in saved if shape} == set(kept)
    answer = tf.saved_model.load(str(folder)).signatures[keys.PIXELS](pixels=tf.constant(pixels))
    np.testing.assert_allclose(answer["probabilities"], tf.nn.softmax(model(pixels)), atol=1e-6)

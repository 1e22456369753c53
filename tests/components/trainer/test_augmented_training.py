"""Training on augmented images: mixed labels, clean targets, warnings."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from components import keys, progress
from components.tasks.by_name import task_of
from components.tasks.classification import accuracy, cross_entropy
from components.trainer import training
from components.trainer.component import run_fn
from components.transform.augment import constant
from tests.components import digits

LOGITS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
LABELS = np.array([0, 3, 2, 1, 1, 0])


@pytest.mark.parametrize("shape", [(6,), (6, 1)], ids=str)
def test_loss_and_accuracy_of_classes_are_those_of_keras(shape):
    labels = LABELS.reshape(shape)
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, LOGITS)
    assert np.allclose(tf.reduce_mean(cross_entropy(tf.constant(labels), tf.constant(LOGITS))), expected)
    assert np.array_equal(accuracy(tf.constant(labels), tf.constant(LOGITS)), LOGITS.argmax(1) == LABELS)


def test_the_loss_of_mixed_labels_is_the_mix_of_the_losses():
    one_hot = np.eye(4, dtype=np.float32)[LABELS]
    alone = cross_entropy(tf.constant(LABELS), tf.constant(LOGITS)).numpy()
    assert np.allclose(cross_entropy(tf.constant(one_hot), tf.constant(LOGITS)), alone, atol=1e-6)
    other = cross_entropy(tf.constant(LABELS[::-1].copy()), tf.constant(LOGITS)).numpy()
    mixed = cross_entropy(tf.constant(0.7 * one_hot + 0.3 * one_hot[::-1]), tf.constant(LOGITS))
    assert np.allclose(mixed, 0.7 * alone + 0.3 * other, atol=1e-5)
    assert np.array_equal(
        accuracy(tf.constant(0.7 * one_hot + 0.3 * one_hot[::-1]), tf.constant(LOGITS)), LOGITS.argmax(1) == LABELS
    )


def trained(folder, artifacts, tree, **changes) -> list[dict]:
    """Figures by epoch of a Trainer run."""
    config = digits.trainer_slice(tree, **changes)
    run_fn(digits.fn_args(folder, artifacts.examples, artifacts.transform, artifacts.schema, config))
    return json.loads((folder / "model_run" / "history.json").read_text())


LONGER = {"epochs": 12, "batch_size": 32, "optimizer": {"learning_rate": 0.01}}


@pytest.mark.usefixtures("no_saved_model")
@pytest.mark.parametrize("name", ["mixup", pytest.param("cutmix", marks=pytest.mark.whole)])  # test_data.py has the batches of both
def test_mixing_trains_and_is_validated_on_plain_images(artifacts, tmp_path, name):
    history = trained(tmp_path / "mixed", artifacts, digits.MLP, augment=[{name: {}}], train=LONGER)
    assert history[-1]["val_accuracy"] > 0.8
    assert history[-1]["val_loss"] < history[-1]["loss"]  # labels of two classes leave a loss that no model can get rid of
    model = keras.saving.load_model(tmp_path / "mixed" / "model" / keys.KERAS_FILE)
    answered = model.predict(digits.images()[0][240:300], verbose=0).argmax(-1)
    assert np.mean(answered == digits.images()[1][240:300]) > 0.8


def test_a_denoising_autoencoder_aims_at_the_clean_image():
    noisy, clean = tf.fill([2, 3, 3, 1], 51.0), tf.fill([2, 3, 3, 1], 255.0)
    inputs, wanted = task_of("reconstruction").pair(noisy, {keys.CLEAN: clean})
    assert inputs is noisy
    assert np.allclose(wanted, 1)
    assert np.allclose(task_of("reconstruction").pair(noisy, {})[1], 0.2)


@pytest.mark.whole
@pytest.mark.usefixtures("no_saved_model")
def test_noise_does_not_get_into_what_an_autoencoder_learns_to_give(artifacts, tmp_path):
    black = [{"mask": {"share": 1.0}}]
    config = {"train": {"epochs": 15, "batch_size": 32, "early_stopping": None}}
    trained(tmp_path, artifacts, digits.AUTOENCODER, augment=black, **config)
    model = keras.saving.load_model(tmp_path / "model" / keys.KERAS_FILE)
    images = digits.images()[0][:240]
    given = model.predict(np.zeros((1, 8, 8, 1)), verbose=0)
    mean = images.mean(0) / 255  # of black input alone, the best guess
    assert np.corrcoef(given.ravel(), mean.ravel())[0, 1] > 0.8
    assert given.mean() == pytest.approx(mean.mean(), rel=0.4)


@pytest.mark.parametrize(("task", "tree"), [("reconstruction.denoising", digits.AUTOENCODER), ("classification", digits.MLP)])
def test_noise_leaves_the_range_where_it_is_to_be_taken_away_again(artifacts, tmp_path, task, tree):
    """As strong in training as the constant noise that the validation and test images get; a classifier sees images."""
    stddev = 0.4
    cfg = digits.trainer_slice(tree, augment=[{"gaussian_noise": {"stddev": stddev}}])
    args = digits.fn_args(tmp_path, artifacts.examples, artifacts.transform, artifacts.schema, cfg)
    data = training.data_of(args, cfg, task_of(task), "image")
    pairs = [(pixels, targets[keys.CLEAN]) for pixels, targets in data.training(0, 1)]
    seen, clean = (np.concatenate(part) for part in zip(*pairs, strict=True))
    assert (clean.min(), clean.max()) == (0, 255)
    black = (seen - clean)[clean == 0]
    if task == "classification":
        assert (seen.min(), seen.max()) == (0, 255)
        assert black.std() < 0.7 * 255 * stddev
        return
    judged = constant.noise(data.info.noise, data.info.input_shape)(tf.constant(clean)).numpy() - clean
    for added in (black, judged[clean == 0]):
        assert added.std() == pytest.approx(255 * stddev, rel=0.03)
        assert added.mean() == pytest.approx(0, abs=3)


@pytest.mark.usefixtures("no_saved_model")
def test_a_person_is_told_that_digits_are_flipped_and_mirrored_when_they_are_judged(artifacts, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(progress, "_listeners", [said.append])
    export = {**digits.MLP["export"], "crops": {}}
    trained(tmp_path, artifacts, digits.MLP, augment=[{"flip": {"horizontal": True}}], export=export)
    texts = [event["text"] for event in said if event["event"] == "warning"]
    assert any("flips digits" in text for text in texts)
    assert any("export.crops mirrors digits" in text for text in texts)

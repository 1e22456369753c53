"""Denoising: judged with noise that is constant, the score of a density, and refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from components import keys
from components.evaluator import kernel_pca
from components.tasks.by_name import task_of
from components.tasks.reconstruction import pca
from components.tasks.reconstruction.figures import ssim
from components.transform.augment import constant
from configs.errors import UsageError
from configs.schema.augment import AugmentStep
from keras_models import normalize
from tests.components import digits
from tests.components.tasks.reconstruction.verdict import SHAPE, images, pixels_of, shuffle, trained
from tests.components.trainer.graphs import random_ops

NOISE = [{"gaussian_noise": {"stddev": 0.3}}]  # more, and even an answer that is always the same is nearer than it


@pytest.fixture(scope="module")
def denoiser():
    options = {"code_size": 16, "hidden": [64], "code_activation": "linear", "activation": "elu", "loss": "squared_error"}
    return trained("denoising_autoencoder", options, {"epochs": 8, "optimizer": {"learning_rate": 0.005}}, NOISE)


def test_it_is_blessed_for_what_it_takes_away_and_a_crippled_one_is_not(denoiser, tmp_path):
    saved = denoiser.saved(tmp_path, "encode", "figures_pixels")
    assert random_ops(saved) == set()
    untouched, principal = comparisons = denoiser.judge.compare(saved, denoiser.card, images)
    figures = denoiser.figures()
    assert untouched.value == pytest.approx(figures["psnr_noisy"], rel=1e-5)
    assert [denoiser.holds(comparison, figures) for comparison in comparisons] == [True, True]
    assert "code size of 16" in principal.words
    noisy = constant.noise([AugmentStep(**step) for step in NOISE], SHAPE)(pixels_of(keys.TEST)).numpy().reshape(-1, 64) / 255
    fitted = pca.fit([pixels_of(keys.TRAIN) / 255], 16)
    given = fitted.mean + (noisy - fitted.mean) @ fitted.components.T @ fitted.components
    errors = np.square(given - pixels_of(keys.TEST).reshape(-1, 64) / 255).mean(1)
    assert principal.value == pytest.approx(-10 * np.log10(errors).mean(), rel=1e-5)
    kept = denoiser.model.get_weights()
    shuffle(denoiser.model)
    assert [denoiser.holds(comparison, denoiser.figures()) for comparison in comparisons] == [False, False]
    denoiser.model.set_weights(kept)


def test_the_noisy_images_are_as_far_from_the_clean_ones_as_the_noise_is_strong(denoiser):
    """A deviation of s leaves -20 log10(s) dB, whatever the image; but for the sample of 64 patterns of 64 pixels."""
    assert denoiser.figures()["psnr_noisy"] == pytest.approx(-20 * np.log10(0.3), abs=0.4)


def test_pca_beside_it_is_of_the_same_noisy_images(denoiser, tmp_path):
    """And stands once: the comparison has the name, and the value, that it is measured under."""
    saved = denoiser.saved(tmp_path, "encode", "encode_pixels")
    measured = denoiser.judge.measure(saved, denoiser.card, images)
    clean = pixels_of(keys.TEST) / 255
    noisy = constant.noise([AugmentStep(**step) for step in NOISE], SHAPE)(pixels_of(keys.TEST)).numpy() / 255
    fitted = pca.fit([pixels_of(keys.TRAIN) / 255], 16)
    given = fitted.images(fitted.codes(noisy)).reshape(clean.shape).astype(np.float32)
    errors = np.square(clean - given).mean((1, 2, 3))
    assert measured["pca_mse"] == pytest.approx(errors.mean(), rel=1e-5)
    assert measured["pca_psnr"] == pytest.approx(-10 * np.log10(errors).mean(), rel=1e-5)
    assert measured["pca_ssim"] == pytest.approx(float(np.mean(ssim(tf.constant(clean), given))), rel=1e-4)
    assert measured["pca_mse"] > 2 * fitted.mean_squared_error([clean]), "of images without noise"
    kernel = kernel_pca.fit([pixels_of(keys.TRAIN) / 255], 16)
    assert measured["kernel_pca_mse"] == pytest.approx(kernel.mean_squared_error([(clean, noisy)]), rel=1e-5)
    assert denoiser.figures()["psnr"] > measured["pca_psnr"]
    [named] = [comparison for comparison in denoiser.judge.compare(saved, denoiser.card, images) if comparison.name]
    assert (named.name, named.value) == ("pca_psnr", pytest.approx(measured["pca_psnr"], rel=1e-5))


def test_the_best_epoch_is_the_one_that_denoises_best(denoiser):
    seen = []

    class Seen(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_loss"])

    denoiser.task.fit(denoiser.model, denoiser.data, digits.trainer_slice(digits.AUTOENCODER).train, 0, [Seen()])
    clean = pixels_of(keys.VALIDATION)
    given = denoiser.model(constant.noise(denoiser.data.info.noise, SHAPE)(clean))
    assert seen[-1] == pytest.approx(np.square(given - clean / 255).sum((1, 2, 3)).mean(), rel=1e-4)


def test_what_is_served(denoiser):
    served = denoiser.task.signatures(denoiser.model, denoiser.card)
    assert served["denoise"] is served["reconstruct"]
    pixels = tf.constant(pixels_of(keys.TEST)[:3])
    field = denoiser.model(pixels) - pixels / 255
    np.testing.assert_allclose(served["score"].function(pixels)["score"], field / 0.09, rtol=1e-5, atol=1e-6)
    masked = denoiser.card.model_copy(update={"calibrated": {"noise": [{"mask": {"share": 0.2}}]}})
    assert "score" not in denoiser.task.signatures(denoiser.model, masked)


@pytest.mark.parametrize("stddev", [0.1, 0.03, 0.01])
def test_the_score_of_gaussian_data_is_that_of_its_density(stddev):
    """Of N(m, S), the best denoiser is linear and the score at x is -(S + s^2 I)^-1 (x - m), which nears -S^-1 (x - m)."""
    random = np.random.default_rng(0)
    mean, spread = np.full(3, 0.5), np.array([[0.1, 0, 0], [0.05, 0.08, 0], [0, -0.04, 0.1]])
    clean = random.normal(size=(200_000, 3)) @ spread.T
    noisy = clean + random.normal(0, stddev, clean.shape)
    kernel = np.linalg.lstsq(noisy, clean, rcond=None)[0]
    task, model = task_of("reconstruction.denoising"), linear_denoiser(kernel, mean - mean @ kernel)
    card = digits.card(calibrated={"noise": [{"gaussian_noise": {"stddev": stddev}}]})
    card = card.model_copy(update={"input_shape": (1, 3, 1)})
    points = mean + random.normal(size=(20, 3)) @ spread.T
    score = task.signatures(model, card)["score"].function(tf.constant(255 * points.reshape(-1, 1, 3, 1), tf.float32))["score"]
    inverse = np.linalg.inv(spread @ spread.T)
    exact = -(points - mean) @ inverse
    smoothed = -(points - mean) @ np.linalg.inv(spread @ spread.T + stddev**2 * np.eye(3))
    off = [np.linalg.norm(score.numpy().reshape(-1, 3) - wanted) / np.linalg.norm(wanted) for wanted in (smoothed, exact)]
    assert off[0] < 0.06
    assert off[1] < {0.1: 1.0, 0.03: 0.5, 0.01: 0.15}[stddev]


def linear_denoiser(kernel, bias):
    image, code = keras.Input((1, 3, 1)), keras.Input((3,))
    encoder = keras.Model(image, layers.Flatten()(image), name="encoder")
    dense = layers.Dense(3)
    decoder = keras.Model(code, layers.Reshape((1, 3, 1))(dense(code)), name="decoder")
    dense.set_weights([kernel, bias])
    image = keras.Input((1, 3, 1))
    return normalize.with_normalization(keras.Model(image, decoder(encoder(image))), "unit")


def test_a_config_without_noise_is_refused():
    with pytest.raises(UsageError, match="puts none on") as caught:
        task_of("reconstruction.denoising").check_config("unit", ["geometry"])
    assert "gaussian_noise" in caught.value.hint

"""Photometric operations against their formulas: NumPy, tf.image and the standard library's colorsys."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.transform.augment import color
from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep

PHOTOS = np.random.default_rng(3).integers(0, 256, (4, 5, 6, 3)).astype(np.float32)
DRAWN = np.array([-1.0, -0.3, 0.4, 0.99], np.float32)


def applied(name, tree, drawn, images=PHOTOS, covariance=None) -> np.ndarray:
    steps = [AugmentStep.model_validate({name: tree})]
    return augment.apply(steps, tf.constant(images), tf.constant(drawn, tf.float32), covariance).numpy()


def column(numbers):
    return np.asarray(numbers)[:, None]


def images_by(numbers):
    return np.asarray(numbers)[:, None, None, None]


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_adds(channels):
    changed = applied("brightness", {"share": 0.2}, column(DRAWN), PHOTOS[..., :channels])
    assert np.allclose(changed, np.clip(PHOTOS[..., :channels] + images_by(DRAWN) * 51, 0, 255), atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_stretches_around_the_mean_of_each_channel(channels):
    images = PHOTOS[..., :channels]
    changed = applied("contrast", {"factor": 0.5}, column(DRAWN), images)
    for image, number, stretched in zip(images, DRAWN, changed, strict=True):
        assert np.allclose(stretched, np.clip(tf.image.adjust_contrast(image, 1 + 0.5 * number), 0, 255), atol=1e-2)


def test_saturation_is_that_of_tf_image():
    changed = applied("saturation", {"factor": 0.8}, column(DRAWN))
    for image, number, saturated in zip(PHOTOS, DRAWN, changed, strict=True):
        assert np.allclose(saturated, 255 * tf.image.adjust_saturation(image / 255, 1 + 0.8 * number).numpy(), atol=0.02)


def test_hue_is_that_of_tf_image():
    changed = applied("hue", {"degrees": 90}, column(DRAWN))
    for image, number, turned in zip(PHOTOS, DRAWN, changed, strict=True):
        assert np.allclose(turned, 255 * tf.image.adjust_hue(image / 255, number * 90 / 360).numpy(), atol=0.05)


BYTES = st.tuples(*[st.integers(0, 255)] * 3)


@settings(max_examples=60)
@given(BYTES, st.floats(-1, 1, width=32))
def test_colours_turn_and_fade_as_colorsys_says(rgb, number):
    pixel = np.array(rgb, np.float32).reshape(1, 1, 1, 3)
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in rgb))
    turned = colorsys.hsv_to_rgb((hue + number / 2) % 1, saturation, value)
    assert np.allclose(applied("hue", {"degrees": 180}, [[number]], pixel).ravel(), 255 * np.array(turned), atol=0.1)
    faded = colorsys.hsv_to_rgb(hue, min(saturation * (1 + number), 1), value)
    assert np.allclose(applied("saturation", {"factor": 1}, [[number]], pixel).ravel(), 255 * np.array(faded), atol=0.1)


def test_grey_pixels_have_no_hue_and_no_saturation():
    grey = np.tile(PHOTOS[..., :1], 3)
    assert np.allclose(applied("hue", {"degrees": 180}, column(DRAWN), grey), grey, atol=1e-3)
    assert np.array_equal(applied("saturation", {"factor": 1}, column(DRAWN), grey), grey)


def test_a_colour_shift_adds_to_each_channel_by_itself():
    numbers = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)
    changed = applied("color_shift", {"share": 0.1}, numbers)
    assert np.allclose(changed, np.clip(PHOTOS + 25.5 * numbers[:, None, None], 0, 255), atol=1e-3)


def shifts(covariance, count, stddev=0.1) -> np.ndarray:
    """What pca_color adds to a grey pixel of each of many images."""
    steps = [AugmentStep.model_validate({"pca_color": {"stddev": stddev}})]
    numbers = tf.random.stateless_uniform([count, 3], [1, 2], -1, 1)
    grey = np.full((count, 1, 1, 3), 127.0, np.float32)
    return augment.apply(steps, tf.constant(grey), numbers, covariance).numpy().reshape(-1, 3) - 127


def test_pca_colour_varies_as_the_colours_of_the_training_split_do():
    colours = np.random.default_rng(0).normal(0, 1, (5000, 3)) @ [[60, 50, 40], [0, 20, 25], [0, 0, 9]]
    covariance = np.cov(colours.T)
    drawn = shifts(covariance.ravel().tolist(), 20_000)
    assert np.allclose(np.cov(drawn.T), 0.01 * covariance, atol=4 * 0.01 * covariance.max() * np.sqrt(2 / 20_000))
    assert np.abs(drawn.mean(0)).max() < 4 * np.sqrt(0.01 * covariance.max() / 20_000)


def test_pca_colour_multiplies_each_component_by_its_own_draw():
    covariance = np.diag([100.0, 400.0, 900.0])
    drawn = shifts(covariance, 200)
    normals = color.normal(tf.random.stateless_uniform([200, 3], [1, 2], -1, 1)).numpy()
    assert np.allclose(np.abs(drawn), np.abs(0.1 * normals * [10, 20, 30]), atol=1e-3)


def test_pca_colour_moves_all_pixels_of_an_image_alike():
    images = np.random.default_rng(3).integers(100, 156, (4, 5, 6, 3)).astype(np.float32)
    numbers = np.random.default_rng(0).uniform(-1, 1, (4, 3)).astype(np.float32)
    moved = applied("pca_color", {}, numbers, images, np.full((3, 3), 400.0)) - images
    assert np.allclose(moved, moved[:, :1, :1], atol=1e-3)
    assert np.allclose(moved, moved[..., :1], atol=1e-3)  # the one component of this covariance is brightness


def test_normal_numbers_are_normal_and_finite_at_the_ends():
    numbers = color.normal(tf.random.stateless_uniform([100_000], [5, 6], -1, 1)).numpy()
    assert abs(numbers.mean()) < 4 / np.sqrt(1e5)
    assert abs(numbers.var() - 1) < 4 * np.sqrt(2 / 1e5)
    assert abs((np.abs(numbers) < 1.959964).mean() - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 1e5)
    assert np.isfinite(color.normal(tf.constant([-1.0, 1.0 - 2**-22]))).all()

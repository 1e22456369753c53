"""With the same numbers, each operation that Keras has too does what Keras's layer does: keras.layers.*.transform_images."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from components.transform.augment import mixing, noise
from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep

IMAGES = tf.constant(np.random.default_rng(3).integers(0, 256, (4, 9, 12, 3)), tf.float32)
COUNT, HEIGHT, WIDTH, CHANNELS = IMAGES.shape
HALVES = np.array([-0.9, -0.3, 0.4, 0.8], np.float32)  # what four images draw
OTHERS = HALVES[::-1] * 0.7


def ours(trees: dict, *drawn) -> np.ndarray:
    """Steps in order, and a column of drawn numbers for each number that they need."""
    steps = [AugmentStep.model_validate({name: tree}) for name, tree in trees.items()]
    return augment.apply(steps, IMAGES, tf.constant(np.stack(drawn, 1), tf.float32)).numpy()


def theirs(layer: keras.Layer, **transformation) -> np.ndarray:
    return np.asarray(layer.transform_images(IMAGES, transformation, training=True))


def column(numbers) -> np.ndarray:
    return np.reshape(numbers, (-1, 1, 1, 1)).astype(np.float32)


def same(images, expected, atol=1e-2):
    assert np.abs(expected - IMAGES).max() > 10  # of 255: something was done
    np.testing.assert_allclose(images, expected, atol=atol)


@pytest.mark.parametrize(("mode", "drawn"), [("horizontal", (HALVES, OTHERS)), ("vertical", (OTHERS, HALVES))])
def test_flip(mode, drawn):
    tree = {name: name == mode for name in ("horizontal", "vertical")}
    same(ours({"flip": tree}, *drawn), theirs(layers.RandomFlip(mode), flips=column(HALVES) < 0))


def test_both_flips_where_both_are_drawn():
    expected = theirs(layers.RandomFlip(), flips=column(HALVES) < 0)  # Keras's draws one number for both
    same(ours({"flip": {"horizontal": True, "vertical": True}}, HALVES, HALVES), expected)


def test_translate():
    shifts = -np.stack([0.2 * WIDTH * OTHERS, 0.3 * HEIGHT * HALVES], 1).astype(np.float32)  # px; theirs say where pixels go
    expected = theirs(layers.RandomTranslation(0.3, 0.2, fill_mode="reflect"), translations=shifts, input_shape=IMAGES.shape)
    same(ours({"translate": {"height": 0.3, "width": 0.2}}, OTHERS, HALVES), expected)


@pytest.mark.parametrize("turn", [-0.8, 0.5])
def test_rotate(turn):
    layer = layers.RandomRotation(
        (30 * turn / 360,) * 2, fill_mode="reflect"
    )  # it makes the matrix itself, of all that it may draw
    expected = theirs(layer, **layer.get_random_transformation(IMAGES))
    same(ours({"rotate": {"degrees": 30}}, np.full(COUNT, turn)), expected)


def test_zoom():
    factors = (1 / (1 + 0.4 * HALVES))[:, None]  # theirs multiply the visible part
    layer = layers.RandomZoom(0.4, fill_mode="reflect")
    same(ours({"zoom": {"factor": 0.4}}, HALVES), theirs(layer, height_zoom=factors, width_zoom=factors, input_shape=IMAGES.shape))


def test_shear():
    """Theirs holds the upper row in its place, ours the middle: a shift is between them."""
    slant = np.tan(HALVES * math.radians(30))
    middle = slant * (HEIGHT - 1) / 2 / WIDTH  # shares of the width
    shift = {"height": 0, "width": 0.5}
    expected = theirs(layers.RandomShear(0.5, fill_mode="reflect"), shear_factor=np.stack([slant, 0 * slant], 1))
    same(ours({"shear": {"degrees": 30}, "translate": shift}, HALVES, middle / shift["width"], 0 * HALVES), expected)


def test_brightness():
    expected = theirs(layers.RandomBrightness(0.3), rgb_delta=255 * 0.3 * column(HALVES))
    same(ours({"brightness": {"share": 0.3}}, HALVES), expected, atol=1e-4)


def test_contrast():
    expected = theirs(layers.RandomContrast(0.5), contrast_factor=1 + 0.5 * column(HALVES))
    same(ours({"contrast": {"factor": 0.5}}, HALVES), expected, atol=1e-3)


def test_saturation():
    layer = layers.RandomSaturation(0.5, value_range=(0, 1))  # HSV's S; with its default, 0 to 255, S grows beyond 1
    same(ours({"saturation": {"factor": 0.5}}, HALVES), theirs(layer, factor=1 + 0.5 * HALVES))


def test_hue():
    same(ours({"hue": {"degrees": 60}}, HALVES), theirs(layers.RandomHue(0.5), factor=60 / 360 * HALVES))


def test_mixup():
    weight = mixing.beta(1.0, tf.constant(HALVES)).numpy()
    expected = theirs(layers.MixUp(), mix_weight=weight, permutation_order=np.roll(np.arange(COUNT), 1))
    same(ours({"mixup": {"alpha": 1.0}}, HALVES), expected, atol=1e-3)


def test_cutmix():
    step = AugmentStep(cutmix={"alpha": 1.0}).cutmix
    kept, weight = mixing.cutmix(step, tf.constant(np.stack([HALVES, OTHERS, HALVES], 1)), HEIGHT, WIDTH)
    order = np.roll(np.arange(COUNT), 1)
    cut = np.repeat(kept.numpy() == 0, CHANNELS, -1)
    expected = theirs(layers.CutMix(), batch_masks=cut, mix_weight=weight, permutation_order=order)
    same(ours({"cutmix": {"alpha": 1.0}}, HALVES, OTHERS, HALVES), expected, atol=0)


def test_cutout():
    box = noise.box(tf.constant(np.stack([HALVES, OTHERS], 1)), HEIGHT, WIDTH, *(tf.constant(5.0),) * 2)
    expected = theirs(
        layers.RandomErasing(),
        batch_masks=box,
        apply_erasing=np.ones(COUNT, bool),
        fill_value=tf.reduce_mean(IMAGES, axis=[1, 2], keepdims=True),
    )
    same(ours({"cutout": {"size": 5 / 9}}, HALVES, OTHERS), expected, atol=0)

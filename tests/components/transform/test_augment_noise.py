"""Noise: how much of an image it takes, and that what it takes is drawn as the formula says."""

import numpy as np
import pytest
import tensorflow as tf

from components.transform.augment import noise
from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep

SHAPE = (20, 30)


def noisy(name, tree, images=40, channels=3, level=127.0, **how) -> np.ndarray:
    """What becomes of images of one grey level."""
    steps = [AugmentStep.model_validate({name: tree})]
    shape = (*SHAPE, channels)
    drawn = tf.random.stateless_uniform([images, augment.draws(steps, shape)], [7, 8], -1, 1)
    return augment.apply(steps, tf.fill([images, *shape], level), drawn, **how).numpy()


def near(measured, share, count):
    assert abs(measured - share) <= 4 * np.sqrt(share * (1 - share) / count)


@pytest.mark.parametrize("stddev", [0.02, 0.1])
def test_gaussian_noise_has_its_deviation_and_no_mean(stddev):
    noise = noisy("gaussian_noise", {"stddev": stddev}) - 127
    assert abs(noise.mean()) < 4 * 255 * stddev / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(255 * stddev, rel=4 / np.sqrt(2 * noise.size))
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 4 / np.sqrt(noise[..., 0].size)


@pytest.mark.parametrize("level", [0.0, 255.0, 127.0])
@pytest.mark.parametrize("stddev", [0.1, 0.5])
def test_noise_that_is_not_clipped_is_as_strong_on_black_and_white_as_between(level, stddev):
    noise = noisy("gaussian_noise", {"stddev": stddev}, level=level, clips_noise=False) - level
    assert abs(noise.mean()) < 4 * 255 * stddev / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(255 * stddev, rel=4 / np.sqrt(2 * noise.size))


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_half_of_a_share_is_salt_and_half_is_pepper(share):
    images = noisy("salt_and_pepper", {"share": share})
    assert set(np.unique(images)) <= {0, 127, 255}
    assert np.array_equal(images, np.tile(images[..., :1], 3))
    for value in (0, 255):
        near((images[..., 0] == value).mean(), share / 2, images[..., 0].size)


@pytest.mark.parametrize("share", [0.1, 0.25, 1.0])
def test_a_mask_makes_a_share_of_the_pixels_black(share):
    images = noisy("mask", {"share": share})
    assert set(np.unique(images)) <= {0, 127}
    assert np.array_equal(images, np.tile(images[..., :1], 3))
    near((images[..., 0] == 0).mean(), share, images[..., 0].size)


def test_noise_of_one_pixel_says_nothing_of_the_next():
    is_masked = noisy("mask", {"share": 0.5}, images=100)[..., 0] == 0
    near((is_masked[:, :, 1:] & is_masked[:, :, :-1]).mean(), 0.25, is_masked.size / 2)


def cut(centre, size=0.5) -> np.ndarray:
    image = tf.constant(np.arange(100, dtype=np.float32).reshape(1, 10, 10, 1))
    steps = [AugmentStep(cutout={"size": size})]
    return augment.apply(steps, image, tf.constant([centre], tf.float32)).numpy()[0, ..., 0]


def test_a_square_is_cut_out_and_filled_with_the_mean():
    filled = cut((0.1, -0.1))
    changed = filled != np.arange(100).reshape(10, 10)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 7, 2, 6)
    assert np.allclose(filled[changed], 49.5)
    assert changed.sum() == 25


@pytest.mark.parametrize(("centre", "area"), [((-1.0, -1.0), 9), ((0.99, 0.99), 9), ((-1.0, 0.0), 15)])
def test_a_square_at_the_border_sticks_out(centre, area):
    assert (cut(centre) != np.arange(100).reshape(10, 10)).sum() == area


@pytest.mark.parametrize("size", [0.0, 0.3, 1.0])
def test_the_largest_square_has_its_side(size):
    inside = noise.box(tf.zeros([1, 2]), 20, 30, tf.constant(round(20 * size) * 1.0), tf.constant(round(20 * size) * 1.0))
    assert int(tf.reduce_sum(tf.cast(inside, tf.int32))) == round(20 * size) ** 2


def test_squares_are_centred_on_every_pixel_alike():
    drawn = tf.random.stateless_uniform([20_000, 2], [1, 2], -1, 1)
    inside = noise.box(drawn, 4, 5, tf.constant(1.0), tf.constant(1.0)).numpy()[..., 0]
    assert (inside.sum((1, 2)) == 1).all()
    assert np.abs(inside.sum(0) - 1000).max() < 4 * np.sqrt(1000)

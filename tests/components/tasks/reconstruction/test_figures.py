"""Figures of single images and codes, as the served graph computes them."""

import numpy as np
import pytest
import tensorflow as tf

from components.tasks.reconstruction import figures


def hoyer(code) -> float:
    """Written as in the paper."""
    root = np.sqrt(len(code))
    return (root - np.abs(code).sum() / np.sqrt(np.square(code).sum())) / (root - 1)


def test_sparsity_is_hoyer_s():
    codes = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    np.testing.assert_allclose(figures.sparsity(codes), [hoyer(code) for code in codes], rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])  # the squares are out of float32's range
def test_sparsity_is_0_where_all_is_equal_and_1_where_one_number_is_all(scale):
    codes = scale * np.float32([[1, -1, 1, 1], [0, 0, -3, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(figures.sparsity(codes), [0, 1, 0], atol=1e-6)


@pytest.fixture(scope="module")
def large():
    """A smooth image of 176 px, twice; in one pair with fine noise, in one with its shades moved."""
    ramp = tf.image.resize(np.random.default_rng(0).random((1, 6, 6, 1)), (176, 176), "bicubic")
    images = tf.clip_by_value(tf.concat([ramp] * 3, 0), 0, 1)
    noise = np.random.default_rng(1).normal(0, 0.1, images.shape[1:]).astype(np.float32)
    return images, tf.stack([images[0], images[1] + noise, 0.5 * images[2]])


def test_ms_ssim_looks_past_fine_noise_that_ssim_sees(large):
    fine, coarse = figures.ssim(*large).numpy(), figures.ms_ssim(*large).numpy()
    assert figures.MULTISCALE == 176
    assert coarse[0] == pytest.approx(1, abs=1e-6)
    assert fine[1] < coarse[1] < 1
    assert coarse[2] < 1


def test_both_are_tensorflow_s(large):
    np.testing.assert_allclose(figures.ssim(*large), tf.image.ssim(*large, 1.0), atol=1e-4)
    np.testing.assert_allclose(figures.ms_ssim(*large), tf.image.ssim_multiscale(*large, 1.0), atol=1e-4)
    odd = [image[:, :9, :6] for image in large]
    np.testing.assert_allclose(figures.ssim(*odd), tf.image.ssim(*odd, 1.0, filter_size=5), atol=1e-4)
    wide = [tf.concat([image[:, :177, :176]] * 3, -1) for image in large]  # colours
    np.testing.assert_allclose(figures.ms_ssim(*wide), tf.image.ssim_multiscale(*wide, 1.0), atol=1e-4)


def test_a_flat_image_is_judged_exactly():
    flat, other = tf.fill([1, 12, 12, 1], 0.5), tf.fill([1, 12, 12, 1], 0.7)
    luminance = (2 * 0.35 + 1e-4) / (0.25 + 0.49 + 1e-4)
    assert figures.ssim(flat, other).numpy()[0] == pytest.approx(luminance, abs=1e-6)

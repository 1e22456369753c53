"""Figures of single images and codes, as the served graph computes them."""

import numpy as np
import pytest
import tensorflow as tf

from components.evaluator import figures


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


def test_a_smaller_image_has_no_ms_ssim():
    with pytest.raises(tf.errors.InvalidArgumentError):
        figures.ms_ssim(tf.zeros([1, 100, 100, 1]), tf.zeros([1, 100, 100, 1]))

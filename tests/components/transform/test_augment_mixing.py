"""MixUp and CutMix: the weights, the pixels, and that targets get the same share as pixels."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from components import keys
from components.tasks.by_name import task_of
from components.trainer.data import DataInfo
from components.transform.augment import mixing
from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep

FACTS = DataInfo((8, 10, 3), ["a", "b", "c"], 4)
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 10, 3)).astype(np.float32)


def changed(name, drawn, images=IMAGES, alpha=1.0):
    return augment.change(
        [AugmentStep.model_validate({name: {"alpha": alpha}})], tf.constant(images), tf.constant(drawn, tf.float32)
    )


def uniform(count, k=1):
    return tf.random.stateless_uniform([count, k], [3, 4], -1, 1).numpy()


@pytest.mark.parametrize("alpha", [0.1, 0.2, 1.0, 4.0, 100.0])
def test_weights_are_the_quantiles_of_a_beta_distribution(alpha):
    numbers = np.linspace(-0.99, 0.99, 67).astype(np.float32)
    expected = stats.beta.ppf((numbers.astype(np.float64) + 1) / 2, alpha, alpha)
    assert np.allclose(mixing.beta(alpha, tf.constant(numbers)), expected, atol=1e-6)


def test_weights_at_the_ends_are_numbers_of_the_range():
    for alpha in (0.01, 1.0):
        ends = mixing.beta(alpha, tf.constant([-1.0, 1 - 2**-22])).numpy()
        assert (ends >= 0).all()
        assert (ends <= 1).all()


def test_mixup_is_a_weighted_mean_with_the_image_before():
    numbers = uniform(4)
    mixed = changed("mixup", numbers)
    [kept] = mixed.kept
    assert np.allclose(kept, (numbers[:, 0] + 1) / 2, atol=1e-6)  # Beta(1, 1) is uniform
    weight = kept.numpy()[:, None, None, None]
    assert np.allclose(mixed.images, weight * IMAGES + (1 - weight) * np.roll(IMAGES, 1, 0), atol=1e-3)


def test_cutmix_puts_in_a_rectangle_of_the_image_before_and_counts_its_pixels():
    mixed = changed("cutmix", uniform(4, 3))
    before = np.roll(IMAGES, 1, 0)
    for image, own, other, kept in zip(mixed.images.numpy(), IMAGES, before, mixed.kept[0].numpy(), strict=True):
        taken = (image == other).all(-1) & (own != other).any(-1)
        assert np.array_equal(image, np.where(taken[..., None], other, own))
        assert taken.mean() == pytest.approx(1 - kept, abs=1e-6)
        rows, columns = np.nonzero(taken)
        assert taken.sum() == 0 or taken[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()


def test_the_rectangle_has_the_share_that_was_drawn_where_it_fits():
    shares = np.linspace(-0.9, 0.9, 9)
    drawn = np.stack([shares, np.zeros(9), np.zeros(9)], 1)  # around the middle
    mixed = changed("cutmix", drawn, np.zeros((9, 100, 100, 1), np.float32))
    assert np.allclose(mixed.kept[0], (shares + 1) / 2, atol=0.02)


def test_labels_become_probabilities_with_the_share_of_the_pixels():
    labels = tf.constant([0, 1, 2, 1], tf.int64)
    [kept] = changed("mixup", uniform(4)).kept
    mix = task_of("classification").mix
    mixed = mix({keys.LABEL: labels}, {keys.LABEL: augment.partner(labels)}, kept, FACTS)[keys.LABEL]
    ones = np.eye(3, dtype=np.float32)
    expected = kept.numpy()[:, None] * ones[[0, 1, 2, 1]] + (1 - kept.numpy()[:, None]) * ones[[1, 0, 1, 2]]
    assert mixed.dtype == tf.float32
    assert np.allclose(mixed, expected, atol=1e-6)
    assert np.allclose(tf.reduce_sum(mixed, 1), 1, atol=1e-6)
    again = mix({keys.LABEL: mixed}, {keys.LABEL: augment.partner(mixed)}, kept, FACTS)[keys.LABEL]
    assert np.allclose(tf.reduce_sum(again, 1), 1, atol=1e-6)
    assert np.allclose(again, kept.numpy()[:, None] * expected + (1 - kept.numpy()[:, None]) * np.roll(expected, 1, 0), atol=1e-6)

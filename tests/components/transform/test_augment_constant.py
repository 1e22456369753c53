"""Noise whose draws are constants: a function of the image, as strong as augmentation's, and nothing random in its graph."""

import numpy as np
import pytest
import tensorflow as tf

from components.transform.augment import constant
from configs.schema.augment import AugmentStep
from tests.components import digits

SHAPE = (8, 8, 1)
GAUSSIAN = AugmentStep(gaussian_noise={"stddev": 0.1})
PIXELS = digits.images()[0][:300].astype(np.float32)


def test_an_image_gets_the_same_noise_whatever_stands_beside_it():
    noisy = constant.noise([GAUSSIAN], SHAPE)
    together = noisy(PIXELS).numpy()
    np.testing.assert_array_equal(noisy(PIXELS[7:9]), together[7:9])
    np.testing.assert_array_equal(constant.noise([GAUSSIAN], SHAPE)(PIXELS[::-1])[::-1], together)


def test_images_differ_in_their_noise():
    grey = np.full((300, *SHAPE), 100, np.float32)
    grey[:, 0, 0, 0] = np.arange(300) % 256
    added = (constant.noise([GAUSSIAN], SHAPE)(grey).numpy() - grey)[:, 1:]
    patterns, counts = np.unique(added, axis=0, return_counts=True)
    assert len(patterns) > 50  # of 64
    assert counts.max() < 20  # of 300
    assert np.std(patterns) == pytest.approx(25.5, rel=0.05)
    assert np.mean(patterns) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize(
    ("step", "low", "high"),
    [({"salt_and_pepper": {"share": 0.4}}, 0.2, 0.2), ({"mask": {"share": 0.3}}, 0.3, 0.0)],
    ids=["salt_and_pepper", "mask"],
)
def test_as_many_pixels_are_lost_as_the_config_says(step, low, high):
    grey = np.full((500, *SHAPE), 100, np.float32) + np.arange(500).reshape(-1, 1, 1, 1) % 50
    given = constant.noise([AugmentStep(**step)], SHAPE)(grey)
    assert np.mean(given == 0) == pytest.approx(low, abs=0.03)
    assert np.mean(given == 255) == pytest.approx(high, abs=0.03)


def test_steps_follow_each_other():
    given = constant.noise([GAUSSIAN, AugmentStep(mask={"share": 0.5})], SHAPE)(PIXELS).numpy()
    assert np.mean(given == 0) == pytest.approx(0.5, abs=0.02)
    assert given.min() < 0, "noise on black is noise both ways"


@pytest.mark.parametrize("stddev", [0.1, 0.5])
def test_it_is_as_strong_where_images_are_black(stddev):
    """Nearly half of a digit's pixels are: clipped, they would have half of it."""
    added = constant.noise([AugmentStep(gaussian_noise={"stddev": stddev})], SHAPE)(PIXELS).numpy() - PIXELS
    for where in (PIXELS == 0, PIXELS == 255, PIXELS > -1):
        assert added[where].std() == pytest.approx(255 * stddev, rel=0.05)
        assert added[where].mean() == pytest.approx(0, abs=0.05 * 255 * stddev)


def test_large_images_share_fewer_patterns():
    shape = (256, 256, 3)
    graph = tf.function(constant.noise([GAUSSIAN], shape)).get_concrete_function(tf.TensorSpec([None, *shape])).graph
    held = [
        np.prod(op.outputs[0].shape) for op in graph.get_operations() if op.type == "Const" and op.outputs[0].dtype == tf.float32
    ]
    assert max(held) == 5 * np.prod(shape)
    assert not any("Random" in op.type or "Stateless" in op.type for op in graph.get_operations())

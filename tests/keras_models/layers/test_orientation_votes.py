"""Votes for orientations, against NumPy; the nearest map also through test_hand_made's HOG, against scikit-image."""

import numpy as np
import pytest
import tensorflow as tf

from keras_models.layers.orientation_votes import OrientationVotes

RANDOM = np.random.default_rng(0)


def gradients(image):
    """Right and down, (height, width), of the channel whose gradient is the longest."""
    right, down = np.zeros_like(image), np.zeros_like(image)
    right[:, 1:-1] = image[:, 2:] - image[:, :-2]
    down[1:-1] = image[2:] - image[:-2]
    longest = np.hypot(right, down).argmax(-1)[..., None]
    return (np.take_along_axis(along, longest, -1)[..., 0] for along in (right, down))


def expected(image, orientations, signed, interpolate, origin):
    """Pixel by pixel."""
    out = np.zeros((*image.shape[:2], orientations))
    right, down = gradients(image.astype("float64"))
    turn = 360 if signed else 180
    for place in np.ndindex(right.shape):
        angle = np.degrees(np.arctan2(down[place], right[place])) % turn
        step = angle / turn * orientations - origin
        shares = {np.floor(step): 1 - step % 1, np.floor(step) + 1: step % 1} if interpolate else {np.floor(step + 0.5): 1}
        for map_, share in shares.items():
            out[place][int(map_) % orientations] += share * np.hypot(right[place], down[place])
    return out


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("interpolate", [False, True])
@pytest.mark.parametrize(("orientations", "origin"), [(9, 0.5), (8, 0), (3, 0.5)])
def test_against_numpy(orientations, origin, interpolate, signed, channels):
    images = RANDOM.normal(size=(2, 7, 9, channels)).astype("float32")
    layer = OrientationVotes(orientations, signed, interpolate, origin)
    out = layer(images)
    np.testing.assert_allclose(out, [expected(i, orientations, signed, interpolate, origin) for i in images], atol=1e-4)
    assert layer.compute_output_shape(images.shape) == tuple(out.shape)


@pytest.mark.parametrize("interpolate", [False, True])
def test_every_gradient_has_one_vote(interpolate):
    """Also at the limits between maps, where gradients of whole numbers lie."""
    image = RANDOM.integers(0, 4, (1, 40, 40, 1)).astype("float32")
    votes = np.asarray(OrientationVotes(8, True, interpolate)(image))
    right, down = gradients(image[0])
    np.testing.assert_allclose(votes[0].sum(-1), np.hypot(right, down), rtol=1e-6)


def test_opposite_directions_are_one_unless_signed():
    steps = np.float32([[0, 0, 0, 1, 1, 1, 0, 0, 0]] * 3)[None, :, :, None]  # up, then down
    for interpolate in (False, True):
        plain, signed = (np.asarray(OrientationVotes(4, s, interpolate, origin=0)(steps))[0, 1] for s in (False, True))
        np.testing.assert_array_equal(plain[[2, 3, 5, 6]], [[1, 0, 0, 0]] * 4)
        np.testing.assert_allclose(signed[[2, 3, 5, 6]], [[1, 0, 0, 0]] * 2 + [[0, 0, 1, 0]] * 2, atol=1e-6)


@pytest.mark.parametrize("interpolate", [False, True])
def test_its_derivative_is_finite_where_nothing_changes(interpolate):
    image = tf.Variable(np.zeros((1, 5, 5, 2), "float32"))
    image[0, 2, 2, 0].assign(1.0)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(OrientationVotes(9, interpolate=interpolate)(image))
    gradient = tape.gradient(total, image).numpy()
    assert np.isfinite(gradient).all()
    assert gradient.any()


def test_config_is_complete():
    layer = OrientationVotes(7, True, True, 0.25, name="votes")
    assert OrientationVotes.from_config(layer.get_config()).get_config() == layer.get_config()


def test_refusal():
    with pytest.raises(ValueError, match=r"^orientations must be at least 3; got 2$"):
        OrientationVotes(2)

"""Grids and sampling against plain NumPy and SciPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from scipy.interpolate import RBFInterpolator

from keras_models.layers.spatial_transformer import AffineGrid, BilinearSampler, ProjectiveGrid, ThinPlateSplineGrid

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((2, 6, 9, 3)).astype("float32")
SIZE = IMAGES.shape[1:3]
GRIDS = [AffineGrid, ProjectiveGrid, ThinPlateSplineGrid]


def kernel_sum(image, positions):
    """Eq. (5) as it is printed: every pixel of the image, for every pixel of the output."""
    height, width, channels = image.shape
    out = np.zeros((*positions.shape[:2], channels))
    for at in np.ndindex(positions.shape[:2]):
        x, y = (positions[at] + 1) / 2 * (width - 1, height - 1)
        for n in range(height):
            for m in range(width):
                out[at] += image[n, m] * max(0, 1 - abs(x - m)) * max(0, 1 - abs(y - n))
    return out


def pixels(positions, size):
    """(rows, columns) of positions (..., 2), as SciPy takes coordinates."""
    return np.stack([(positions[..., 1] + 1) / 2 * (size[0] - 1), (positions[..., 0] + 1) / 2 * (size[1] - 1)])


def read(theta, grid, images=IMAGES):
    thetas = np.broadcast_to(np.ravel(theta), (len(images), np.size(theta))).astype("float32")
    return np.asarray(BilinearSampler()([images, grid(thetas)]))


def test_sampler_is_the_paper_s_sum():
    positions = RANDOM.uniform(-1.6, 1.6, (2, 4, 5, 2)).astype("float32")
    sampled = BilinearSampler()([IMAGES, positions])
    for image, at, out in zip(IMAGES, positions, sampled, strict=True):
        np.testing.assert_allclose(out, kernel_sum(image, at), atol=1e-5)


def test_sampler_at_the_border_and_far_outside():
    image = np.ones((1, 3, 3, 1), "float32")
    x = np.array([-1e30, -3, -2, -1.5, -1, 1, 1.5, 2, 1e30, -np.inf, np.inf], "float32")
    sampled = BilinearSampler()([image, np.stack([x, np.zeros_like(x)], axis=-1)[None, None]])
    np.testing.assert_allclose(np.ravel(sampled), [0, 0, 0, 0.5, 1, 1, 0.5, 0, 0, 0, 0], atol=1e-6)
    lost = BilinearSampler()([image, np.full((1, 1, 1, 2), np.nan, "float32")])
    assert np.isnan(lost).all(), "a training that diverged must not look well"


@pytest.mark.parametrize("ground", [(0.0, 0.0, 0.0), (0.5, -2.0, 40.0)])
def test_around_the_image_is_the_ground(ground):
    positions = RANDOM.uniform(-1.6, 1.6, (2, 4, 5, 2)).astype("float32")
    sampled = np.asarray(BilinearSampler(ground=ground)([IMAGES, positions]))
    for image, at, out in zip(IMAGES, positions, sampled, strict=True):
        each = [
            ndimage.map_coordinates(image[..., channel], pixels(at, SIZE), order=1, mode="grid-constant", cval=value)
            for channel, value in enumerate(ground)
        ]
        np.testing.assert_allclose(out, np.stack(each, -1), atol=1e-4)
    again = BilinearSampler.from_config(BilinearSampler(ground=ground).get_config())
    np.testing.assert_array_equal(again([IMAGES, positions]), sampled)


def test_sampler_s_gradients_are_finite_differences():
    positions = RANDOM.uniform(-0.9, 0.9, (1, 2, 3, 2)).astype("float32")
    image, weights = IMAGES[:1], RANDOM.random((1, 2, 3, 3))
    variables = tf.Variable(image), tf.Variable(positions)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(BilinearSampler()(list(variables)) * weights.astype("float32"))
    of_image, of_positions = (np.asarray(gradient) for gradient in tape.gradient(total, variables))

    def value(image, positions):
        return (kernel_sum(image[0].astype("float64"), positions[0].astype("float64")) * weights).sum()

    step = 1e-4
    for slope, at, change in (
        (of_positions, (0, 1, 2, 0), lambda d: (image, positions + d)),
        (of_positions, (0, 0, 1, 1), lambda d: (image, positions + d)),
        (of_image, (0, 2, 4, 1), lambda d: (image + d, positions)),
    ):
        moved = np.zeros(slope.shape)
        moved[at] = step
        difference = (value(*change(moved)) - value(*change(-moved))) / (2 * step)
        assert slope[at] == pytest.approx(difference, abs=2e-3)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("size", [(6, 9), (1, 5), (7, 7)])
def test_identity_gives_the_image_back(grid, size):
    images = RANDOM.random((2, *size, 2)).astype("float32")
    made = grid(size)
    np.testing.assert_allclose(read(made.identity, made, images), images, atol=1e-5)


def test_affine_is_scipy_s():
    theta = np.array([[0.8, 0.5, 0.1], [-0.4, 1.1, -0.2]])
    # the same map of (row, column) in pixels: out of (-1, 1), through theta with x and y exchanged, and back
    half = (np.array(SIZE) - 1) / 2
    matrix = np.diag(half) @ theta[::-1, 1::-1] @ np.diag(1 / half)
    offset = half * (theta[::-1, 2] + 1) - matrix @ half
    sampled = read(theta, AffineGrid(SIZE))
    for image, out in zip(IMAGES, sampled, strict=True):
        for channel in range(3):
            expected = ndimage.affine_transform(image[..., channel], matrix, offset, order=1, mode="grid-constant")
            np.testing.assert_allclose(out[..., channel], expected, atol=1e-5)


def test_a_crop_is_the_image_s_quarter():
    sampled = read([[0.5, 0, -0.5], [0, 0.5, -0.5]], AffineGrid((3, 3)), IMAGES[:, :5, :5])
    np.testing.assert_allclose(sampled, IMAGES[:, :3, :3], atol=1e-5)


def test_projective_divides_by_the_third():
    theta = [1.1, 0.2, -0.1, -0.3, 0.9, 0.2, 0.25, -0.15]
    grid = ProjectiveGrid((4, 5))
    y, x = np.meshgrid(np.linspace(-1, 1, 4), np.linspace(-1, 1, 5), indexing="ij")
    u, v, w = np.einsum("ij,jrc->irc", np.reshape([*theta, 1], (3, 3)), np.stack([x, y, np.ones_like(x)]))
    expected = np.stack([u / w, v / w], axis=-1)
    np.testing.assert_allclose(grid(np.float32([theta]))[0], expected, atol=1e-5)
    coordinates = pixels(expected, SIZE)
    seen = ndimage.map_coordinates(IMAGES[0, ..., 1], coordinates, order=1, mode="grid-constant")
    np.testing.assert_allclose(read(theta, grid)[0, ..., 1], seen, atol=1e-5)


@pytest.mark.parametrize("points_per_side", [2, 4])
def test_spline_is_scipy_s(points_per_side):
    grid = ThinPlateSplineGrid((5, 7), points_per_side)
    rest = grid.identity.reshape(-1, 2)
    moved = rest + RANDOM.normal(0, 0.2, rest.shape)
    y, x = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 7), indexing="ij")
    expected = RBFInterpolator(rest, moved, kernel="thin_plate_spline", degree=1)(np.stack([x.ravel(), y.ravel()], axis=-1))
    np.testing.assert_allclose(grid(np.float32([moved.ravel()]))[0], expected.reshape(5, 7, 2), atol=1e-4)


def test_spline_of_an_affine_map_is_that_map():
    matrix = np.array([[0.9, 0.3, 0.1], [-0.2, 1.2, -0.3]])
    spline = ThinPlateSplineGrid(SIZE)
    rest = spline.identity.reshape(-1, 2)
    theta = np.concatenate([rest, np.ones_like(rest[:, :1])], axis=1) @ matrix.T
    np.testing.assert_allclose(spline(np.float32([theta.ravel()])), AffineGrid(SIZE)(np.float32([matrix.ravel()])), atol=1e-5)


@pytest.mark.parametrize("layer", [AffineGrid((3, 4), name="g"), ProjectiveGrid((3, 4)), ThinPlateSplineGrid((3, 4), 3)])
def test_config_is_complete(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    theta = RANDOM.random((2, len(layer.identity))).astype("float32")
    np.testing.assert_array_equal(again(theta), layer(theta))
    assert layer.compute_output_shape(theta.shape) == (2, 3, 4, 2) == again(theta).shape


def test_a_spline_of_one_point():
    with pytest.raises(ValueError, match=r"^a thin-plate spline needs at least 2 control points a side; got 1$"):
        ThinPlateSplineGrid((3, 3), 1)


@pytest.mark.parametrize("last", [1.0, 1.0 + 1e-7, 1 - 2e-5])
def test_a_horizon_within_the_image_reads_nothing_and_leaves_gradients_finite(last):
    """theta with x in the denominator: 0 along a column of the output, or next to it."""
    grid, sampler = ProjectiveGrid((3, 3)), BilinearSampler()
    theta = tf.Variable(np.array([[1, 0.1, 0.2, 0, 1, 0.3, last, 0]], "float32"))
    with tf.GradientTape() as tape:
        read_at = grid(theta)
        out = sampler([IMAGES[:1], read_at])
        total = tf.reduce_sum(tf.square(out))
    gradient = np.asarray(tape.gradient(total, theta))
    assert np.isfinite(read_at).all()
    assert np.isfinite(gradient).all()
    assert gradient.any()
    np.testing.assert_array_equal(out[0, :, 0], 0)  # the column x = -1, where x + 1 is 0

    def value(at):
        mapped = np.append(at, 1).reshape(3, 3) @ np.stack([*np.meshgrid([-1.0, 0, 1], [-1.0, 0, 1]), np.ones((3, 3))]).reshape(
            3, 9
        )
        positions = (mapped[:2] / np.where(np.abs(mapped[2]) < 1e-4, 1e-30, mapped[2])).T.reshape(3, 3, 2)
        return np.square(kernel_sum(IMAGES[0].astype("float64"), positions)).sum()

    for place in range(8):
        step = 1e-5 * np.eye(8)[place]
        if place != 6:  # which moves the horizon itself
            near = np.asarray(theta)[0].astype("float64")
            assert gradient[0, place] == pytest.approx((value(near + step) - value(near - step)) / 2e-5, abs=2e-2), place


def test_a_theta_that_is_no_number_stays_seen():
    assert np.isnan(ProjectiveGrid((2, 2))(np.full((1, 8), np.nan, "float32"))).all()

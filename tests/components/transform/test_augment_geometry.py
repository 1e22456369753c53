"""Crops, elastic distortions and those of a coarse grid, and the sampler that elastic ones need, against NumPy and SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage
from scipy.interpolate import CubicHermiteSpline
from scipy.stats import norm

from components.targets import VOID
from components.transform.augment import geometry
from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep, Elastic, ElasticGrid
from tests.components import digits


def step(name, **tree) -> list[AugmentStep]:
    return [AugmentStep.model_validate({name: tree})]


def applied(steps, image, *drawn) -> np.ndarray:
    return augment.apply(steps, tf.constant(image, tf.float32)[None, ..., None], tf.constant([drawn], tf.float32))[
        0, ..., 0
    ].numpy()


IMAGE = np.random.default_rng(0).integers(0, 256, (8, 10)).astype(np.float32)


@pytest.mark.parametrize(("drawn", "places"), [((-1.0, -1.0), (-2, -2)), ((-0.01, 0.01), (0, 0)), ((0.99, -0.5), (2, -1))])
def test_a_padded_crop_is_a_patch_of_the_mirrored_image(drawn, places):
    padded = np.pad(IMAGE, 2, "symmetric")
    right, down = (2 + place for place in places)
    assert np.array_equal(applied(step("crop", pad=2), IMAGE, *drawn), padded[down : down + 8, right : right + 10])


def test_every_patch_of_a_padded_crop_is_as_likely():
    draws = tf.random.stateless_uniform([5000, 2], [3, 4], -1, 1)
    way = geometry.way([(geometry.crop, step("crop", pad=2)[0].crop, draws)], tf.constant(5000), 8, 10).numpy()
    shifts, counts = np.unique(way[:, :2, 2], axis=0, return_counts=True)
    assert shifts.tolist() == [[x, y] for x in range(-2, 3) for y in range(-2, 3)]
    assert np.abs(counts - 200).max() < 4 * np.sqrt(200)


@pytest.mark.parametrize("drawn", [(-1.0, -1.0), (1.0, 1.0), (0.0, 0.0)])
def test_a_patch_of_a_share_is_enlarged_and_stays_inside(drawn):
    across = np.tile(np.arange(100.0), (100, 1))
    patch = applied(step("crop", share=0.25), across, *drawn)[50]
    assert np.allclose(np.diff(patch[1:-1]), 0.75, atol=1e-3)
    assert patch[50] - 0.375 == pytest.approx(49.5 + drawn[0] * 12.5, abs=1e-3)


SIZE = (40, 48)


def field(alpha=0.03, sigma=0.1, images=16, seed=0) -> np.ndarray:
    draws = np.random.default_rng(seed).uniform(-1, 1, (images, 2 * SIZE[0] * SIZE[1])).astype(np.float32)
    return geometry.elastic(Elastic(alpha=alpha, sigma=sigma), tf.constant(draws), *SIZE).numpy(), draws.reshape(images, *SIZE, 2)


def test_displacements_are_uniform_noise_under_a_gaussian():
    ways, noise = field()
    smooth = ndimage.gaussian_filter(noise[..., 0], (0, 4, 4), mode="constant", truncate=12)
    middle = (slice(None), slice(15, -15), slice(15, -15))
    scale = ways[..., 0][middle] / smooth[middle]
    assert np.allclose(scale, np.median(scale), rtol=1e-2)


@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_alpha_is_the_root_mean_square_of_the_ways_everywhere(alpha):
    ways, _ = field(alpha, images=400)
    by_pixel = np.sqrt((ways**2).mean((0, 3)))
    assert np.sqrt((ways**2).mean()) == pytest.approx(alpha * 40, rel=0.05)
    assert np.abs(by_pixel / (alpha * 40) - 1).max() < 5 / np.sqrt(2 * 2 * 400)


def test_simards_numbers_are_those_of_the_docstring():
    noise = np.random.default_rng(0).uniform(-1, 1, (500, 29, 29))
    ways = 34 * ndimage.gaussian_filter(noise, (0, 4, 4), mode="wrap")
    assert ways.std() / 29 == pytest.approx(0.048, rel=0.05)


def test_neighbours_go_nearly_the_same_way_and_the_more_so_the_larger_sigma():
    rough = [np.abs(np.diff(field(sigma=sigma)[0], axis=2)).mean() for sigma in (0.05, 0.1, 0.2)]
    assert rough[0] > 1.8 * rough[1] > 1.8 * 1.8 * rough[2]
    assert rough[1] < 0.5  # px; no pixel overtakes its neighbour


def grid_field(sigma, points, images=16, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """Ways, and the uniform draws of them, [images, points, points, 2]."""
    draws = np.random.default_rng(seed).uniform(-1, 1, (images, 2 * points**2)).astype(np.float32)
    ways = geometry.elastic_grid(ElasticGrid(sigma=sigma, points=points), tf.constant(draws), *SIZE).numpy()
    return ways, draws.reshape(images, points, points, 2)


@pytest.mark.parametrize("points", [2, 3, 5])
def test_a_coarse_grid_s_ways_are_normal_and_bicubic_between_its_points(points):
    """Keys's interpolation is the cubic Hermite spline whose slopes are half the way from the point before to the one behind."""
    ways, draws = grid_field(10.0, points)
    expected = 10 * norm.ppf((draws.astype(float) + 1) / 2)
    for axis, length in ((1, SIZE[0]), (2, SIZE[1])):
        ends = np.concatenate([expected.take([0], axis), expected, expected.take([-1], axis)], axis)
        slopes = (ends.take(range(2, points + 2), axis) - ends.take(range(points), axis)) / 2
        spline = CubicHermiteSpline(np.arange(points), expected, slopes, axis)
        expected = spline(np.linspace(0, points - 1, length))
    np.testing.assert_allclose(ways, expected, rtol=1e-3, atol=2e-3)


def test_sigma_is_the_deviation_at_the_points_and_images_draw_apart():
    ways, _ = grid_field(10.0, 3, images=2000)
    corners = ways[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.std() == pytest.approx(10, rel=0.03)
    assert np.abs(np.corrcoef(corners[:, 0, 0], corners[:, 3, 0])[0, 1]) < 0.1
    assert np.abs(np.corrcoef(ways[:, 0, 0, 0], ways[:, 0, 0, 1])[0, 1]) < 0.1


def test_a_mask_goes_the_grid_s_way_by_the_nearest_value():
    image = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 1)).astype(np.float32)
    mask = np.random.default_rng(1).choice([0, 1, 7, VOID], (1, *SIZE, 1))
    draws = np.random.default_rng(2).uniform(-1, 1, (1, 18)).astype(np.float32)
    asked = step("elastic_grid", sigma=4.0)
    changed = augment.change(asked, tf.constant(image), tf.constant(draws), targets={"mask": tf.constant(mask)})
    ways = geometry.elastic_grid(ElasticGrid(sigma=4.0), tf.constant(draws), *SIZE)[0].numpy()
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    places = [rows + ways[..., 1], columns + ways[..., 0]]
    expected = ndimage.map_coordinates(mask[0, ..., 0], places, order=0, mode="reflect")
    moved = changed.targets["mask"][0, ..., 0].numpy()
    assert set(np.unique(moved)) <= {0, 1, 7, VOID}
    assert (moved == expected).mean() > 0.999  # what lies half way is rounded either way
    assert (moved != mask[0, ..., 0]).mean() > 0.3
    np.testing.assert_allclose(
        changed.images[0, ..., 0], ndimage.map_coordinates(image[0, ..., 0], places, order=1, mode="reflect"), atol=2e-2
    )


def test_an_image_is_sampled_where_the_displacements_say():
    image = digits.images()[0][0][..., 0].astype(np.float32)
    draws = np.random.default_rng(4).uniform(-1, 1, 128).astype(np.float32)
    sampled = applied(step("elastic", alpha=0.1), image, *draws)
    ways = geometry.elastic(Elastic(alpha=0.1), tf.constant(draws[None]), 8, 8)[0].numpy()
    rows, columns = np.mgrid[:8, :8]
    expected = ndimage.map_coordinates(image, [rows + ways[..., 1], columns + ways[..., 0]], order=1, mode="reflect")
    assert np.allclose(sampled, expected, atol=1e-2)


@pytest.mark.parametrize("interpolation", ["BILINEAR", "NEAREST"])
@pytest.mark.parametrize("name", ["rotate", "translate", "zoom", "flip"])
def test_the_sampler_agrees_with_the_projective_one(name, interpolation):
    tree = {"rotate": {"degrees": 40}, "translate": {"height": 0.3, "width": 0.3}, "zoom": {"factor": 0.4}, "flip": {}}[name]
    moves, images = step(name, **tree), tf.constant(IMAGE)[None, ..., None]
    numbers = tf.constant([[-0.61, 0.37]])
    still = step("elastic", alpha=0)
    sampled = []
    for steps in (moves, still + moves, moves + still):
        parts = [(augment.OPERATIONS[each.operation[0]].parts[0][1], each.operation[1], numbers) for each in steps]
        parts = [(f, s, tf.zeros([1, 160]) if f is geometry.elastic else n) for f, s, n in parts]
        sampled.append(geometry.resample(images, geometry.way(parts, tf.constant(1), 8, 10), interpolation).numpy())
    assert np.allclose(sampled[0], sampled[1], atol=1e-2)
    assert np.allclose(sampled[0], sampled[2], atol=1e-2)


def test_an_elastic_step_before_a_shift_moves_along_with_it():
    smooth = (100 + 60 * np.sin(np.arange(30) / 3)[:, None] + 60 * np.cos(np.arange(30) / 4)[None]).astype(np.float32)
    shift, bend = step("translate", width=0.2), step("elastic", alpha=0.05, sigma=0.2)
    noise = np.random.default_rng(0).uniform(-1, 1, 1800).astype(np.float32)
    together = applied(bend + shift, smooth, *noise, 1.0, 0.0)
    apart = applied(shift, applied(bend, smooth, *noise), 1.0, 0.0)
    inside = (slice(5, -5), slice(5, -12))  # beyond it lies the mirror image
    assert np.abs(together - apart)[inside].max() < 3
    assert np.abs(applied(shift + bend, smooth, 1.0, 0.0, *noise) - apart)[inside].max() > 10

"""Maps against masks, in the graph: connected regions as SciPy finds them, resizing as TensorFlow's, bins as NumPy's."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from components import pixel_scores
from components.transform import placement
from configs.schema.transform import TransformConfig

GENERATOR = np.random.default_rng(0)


def spiral():
    """One region whose ends are far from each other."""
    mask = np.zeros((31, 31), bool)
    y, x, dy, dx = 1, 1, 0, 1
    mask[y, x] = True
    for length in (28, 28, 28, 26, 26, 24, 24, 22, 22, 20, 20, 18, 18, 16, 16):
        for _ in range(length):
            y, x = y + dy, x + dx
            mask[y, x] = True
        dy, dx = dx, -dy
    return mask


MASKS = {
    "nothing": np.zeros((5, 4), bool),
    "one pixel": np.eye(1, 20, 7).reshape(4, 5) > 0,
    "everything": np.ones((6, 3), bool),
    "corners": np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 1]], bool),
    "spiral": spiral(),
    "noise": GENERATOR.random((60, 47)) < 0.25,
    "dense noise": GENERATOR.random((64, 64)) < 0.4,
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_regions_are_scipy_s(mask):
    labels, regions = ndimage.label(mask, np.ones((3, 3)))
    sizes, many = pixel_scores.sizes_of_regions(tf.constant(mask))
    assert many == regions
    np.testing.assert_array_equal(sizes, np.bincount(labels.ravel())[labels[mask]])


def own_size(map_, size, **asked):
    config = TransformConfig(height=map_.shape[0], width=map_.shape[1], channels=1, **asked)
    frame = placement.frame(tf.constant(size), config)
    return pixel_scores.own_size(tf.constant(map_), frame, tf.constant(size)).numpy()


@pytest.mark.parametrize("size", [(29, 40), (7, 5), (10, 10), (3, 64)])
def test_a_map_is_resized_as_tensorflow_does(size):
    map_ = GENERATOR.random((10, 8), dtype=np.float32)
    expected = tf.image.resize(map_[..., None], size)[..., 0]
    np.testing.assert_allclose(own_size(map_, size, resize="stretch"), expected, atol=1e-5)


def test_bars_are_no_part_of_it():
    map_ = np.full((10, 10), 9, np.float32)
    map_[2:7] = GENERATOR.random((5, 10))
    made = own_size(map_, (20, 40), resize="fit")
    np.testing.assert_allclose(made, tf.image.resize(map_[2:7, :, None], (20, 40))[..., 0], atol=1e-5)


def test_what_was_cut_off_has_no_score():
    made = own_size(np.ones((10, 10), np.float32), (20, 40), resize="crop")
    np.testing.assert_array_equal(made[:, 10:30], 1)
    assert not made[:, :10].any()
    assert not made[:, 30:].any()


def test_what_is_kept_of_an_image_is_numpy_s():
    map_ = GENERATOR.random((16, 12), dtype=np.float32)
    mask = np.where(GENERATOR.random((16, 12)) < 0.2, 1, 0).astype(np.uint8)
    mask[0, :3] = 255
    at = np.array([0.1, 0.5, 0.9], np.float32)
    map_[3, 3], map_[4, 4] = 0.5, 0.1  # on an edge
    frame = placement.frame(tf.constant([16, 12]), TransformConfig(height=16, width=12, channels=1))
    kept = pixel_scores.counted(tf.constant(map_), frame, tf.io.encode_png(mask[..., None]), at)
    bins, labels = np.searchsorted(at, map_, "right"), ndimage.label(mask == 1, np.ones((3, 3)))[0]
    share = 1 / np.bincount(labels.ravel())[labels]
    for name, chosen, weights in (
        ("normal_pixels", mask == 0, None),
        ("defect_pixels", mask == 1, None),
        ("region_overlap", mask == 1, share[mask == 1]),
    ):
        np.testing.assert_allclose(kept[name], np.bincount(bins[chosen], weights, minlength=4), rtol=1e-5)
    assert kept["regions"] == labels.max()
    assert np.sum(kept["region_overlap"]) == pytest.approx(labels.max(), rel=1e-5)


def test_pixels_of_a_large_image_are_all_counted():
    """float32 stands still at 2^24 when ones are added, and gives 1.009 of a million millionths."""
    side = 4300
    mask = np.zeros((side, side), np.uint8)
    mask[:500, :2000] = 1
    frame = placement.frame(tf.constant([side, side]), TransformConfig(height=4, width=4, channels=1))
    kept = pixel_scores.counted(tf.zeros([4, 4]), frame, tf.io.encode_png(mask[..., None], 1), np.array([0.5], np.float32))
    assert kept["normal_pixels"].numpy().tolist() == [side**2 - 10**6, 0]
    assert kept["defect_pixels"].numpy().tolist() == [10**6, 0]
    assert kept["region_overlap"].numpy() == pytest.approx([1, 0], abs=1e-6)


def test_edges_are_quantiles_and_go_beyond_what_is_normal():
    maps = [GENERATOR.gamma(2, 1, (30, 40)).astype(np.float32) for _ in range(20)]
    at = pixel_scores.edges(maps)
    every = np.concatenate([map_.ravel() for map_ in maps])
    assert at.dtype == np.float32
    assert (np.diff(at) > 0).all()
    assert len(at) <= 512
    shares = np.bincount(np.searchsorted(at, every, "right"), minlength=len(at) + 1) / every.size
    assert shares.max() < 0.01, "a bin holds few of them"
    assert at[-1] == pytest.approx(1000 * every.max(), rel=1e-3)
    nothing = pixel_scores.edges([np.zeros((2, 2), np.float32)])
    assert (np.diff(nothing) > 0).all()

"""RandAugment: each of the fourteen operations against Pillow or a formula, and how they are drawn."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from components.transform.augment import rand_augment
from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep

PHOTO = np.clip(np.random.default_rng(5).normal(120, 40, (24, 24, 3)), 10, 240).astype(np.uint8)
PICTURE = Image.fromarray(PHOTO)


def drawn(name, sign) -> list[float]:
    return [2 * (rand_augment.NAMES.index(name) + 0.5) / len(rand_augment.NAMES) - 1, sign]


def changed(name, sign=1.0, magnitude=5, photo=PHOTO) -> np.ndarray:
    steps = [AugmentStep(rand_augment={"operations": 1, "magnitude": magnitude})]
    return augment.apply(steps, tf.constant(photo[None], tf.float32), tf.constant([drawn(name, sign)]))[0].numpy()


def test_identity_changes_no_bit():
    assert np.array_equal(changed("identity"), PHOTO)


@pytest.mark.parametrize("name", [n for n in rand_augment.NAMES if n not in ("auto_contrast", "equalize")])
def test_no_magnitude_changes_no_bit(name):
    assert np.array_equal(changed(name, magnitude=0), PHOTO)


@pytest.mark.parametrize(
    ("name", "tree"), [("rotate", {"degrees": 15}), ("translate_x", {"width": 0.15}), ("translate_y", {"height": 0.15})]
)
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_moves_are_those_of_the_operations_by_themselves(name, tree, sign):
    kind = name.partition("_")[0]
    numbers = {"rotate": [sign], "translate_x": [sign, 0.0], "translate_y": [0.0, sign]}[name]
    expected = augment.apply(
        [AugmentStep.model_validate({kind: tree})], tf.constant(PHOTO[None], tf.float32), tf.constant([numbers])
    )
    assert np.allclose(changed(name, sign), expected[0], atol=0.05)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_shear_moves_in_proportion_to_the_distance_from_the_middle(axis):
    ramp = np.tile(np.arange(25, dtype=np.uint8) * 10, (25, 1))[..., None]
    name, photo = (("shear_x", ramp), ("shear_y", ramp.transpose(1, 0, 2)))[axis]
    sheared = changed(name, photo=photo)[..., 0]
    line = sheared[:, 12] if axis == 0 else sheared[12]
    assert np.allclose(line[4:-4], 120 + 10 * 0.15 * (np.arange(25) - 12)[4:-4], atol=0.05)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize(("name", "enhancer"), [("brightness", ImageEnhance.Brightness), ("color", ImageEnhance.Color)])
def test_enhancements_are_pillows(name, enhancer, sign):
    expected = np.asarray(enhancer(PICTURE).enhance(1 + 0.45 * sign), np.float32)
    assert np.abs(changed(name, sign) - expected).max() <= 1.5  # Pillow rounds on the way


def test_sharpness_is_pillows_away_from_the_border():
    expected = np.asarray(ImageEnhance.Sharpness(PICTURE).enhance(0.55), np.float32)
    assert np.abs(changed("sharpness", -1.0) - expected)[1:-1, 1:-1].max() <= 1.5


def test_contrast_is_around_the_mean_of_each_channel():
    mean = PHOTO.mean((0, 1))
    assert np.allclose(changed("contrast"), np.clip(mean + 1.45 * (PHOTO - mean), 0, 255), atol=1e-2)


@pytest.mark.parametrize(("magnitude", "threshold", "bits"), [(5, 128, 6), (10, 0, 4)])
def test_solarize_and_posterize_are_pillows(magnitude, threshold, bits):
    assert np.array_equal(changed("solarize", magnitude=magnitude), np.asarray(ImageOps.solarize(PICTURE, threshold)))
    assert np.array_equal(changed("posterize", magnitude=magnitude), np.asarray(ImageOps.posterize(PICTURE, bits)))


def test_auto_contrast_is_pillows():
    assert np.abs(changed("auto_contrast") - np.asarray(ImageOps.autocontrast(PICTURE), np.float32)).max() <= 1.01


def test_equalizing_flattens_the_distribution_and_keeps_the_order():
    equalized = changed("equalize")[..., 0].ravel()
    order = np.argsort(PHOTO[..., 0].ravel(), kind="stable")
    assert (np.diff(equalized[order]) >= 0).all()
    assert (equalized.min(), equalized.max()) == (0, 255)
    assert np.abs(np.quantile(equalized, np.linspace(0.1, 0.9, 9)) - 255 * np.linspace(0.1, 0.9, 9)).max() < 8


@pytest.mark.parametrize("name", ["auto_contrast", "equalize"])
def test_an_image_of_one_value_stays(name):
    flat = np.full((6, 6, 3), 77, np.uint8)
    assert np.array_equal(changed(name, photo=flat), flat)


def test_grey_images_have_no_colour_to_change():
    grey = PHOTO[..., :1]
    assert np.array_equal(changed("color", photo=grey), grey)


def test_each_of_the_fourteen_is_as_likely():
    steps = AugmentStep(rand_augment={"operations": 2}).rand_augment
    numbers = tf.random.stateless_uniform([14_000, 4], [1, 2], -1, 1)
    for one_round in rand_augment._rounds(steps, numbers):
        counts = [int(tf.reduce_sum(tf.cast(one_round.has(name), tf.int32))) for name in rand_augment.NAMES]
        assert sum(counts) == 14_000
        assert np.abs(np.array(counts) - 1000).max() < 4 * np.sqrt(1000)


def test_rounds_follow_each_other():
    steps = [AugmentStep(rand_augment={"operations": 2, "magnitude": 5})]
    both = augment.apply(
        steps, tf.constant(PHOTO[None], tf.float32), tf.constant([drawn("solarize", 1.0) + drawn("posterize", 1.0)])
    )
    expected = ImageOps.posterize(ImageOps.solarize(PICTURE, 128), 6)
    assert np.array_equal(both[0], np.asarray(expected))

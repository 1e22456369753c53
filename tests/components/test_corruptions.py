"""Corruptions are those of Hendrycks & Dietterich 2019: each against its formula, by other libraries or written out."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage import color, data

from components import corruptions
from configs.errors import UsageError

PHOTO = np.array(Image.fromarray(data.astronaut()).resize((224, 224)))
SIDES = {"CIFAR-10-C": 32, "Tiny ImageNet-C": 64, "ImageNet-C": 120}
OF_SIZE = {name: np.array(Image.fromarray(data.astronaut()).resize((side, side))) for name, side in SIDES.items()}
GREY = np.full((200, 230, 1), 128, np.uint8)


def error(a, b) -> float:
    return float(np.square(a.astype(np.float64) - b).mean())


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
@pytest.mark.parametrize("of", corruptions.SIZES)
def test_each_severity_is_worse_than_the_one_before_and_none_is_the_image_itself(name, of):
    image = OF_SIZE[of]
    assert corruptions.corrupted(image, name, 0) is image
    made = [corruptions.corrupted(image, name, severity) for severity in corruptions.SEVERITIES]
    assert {(each.shape, each.dtype) for each in made} == {(image.shape, image.dtype)}
    errors = [error(image, each) for each in made]
    assert errors == sorted(errors)
    assert errors[0] > 0
    assert errors[-1] > errors[0]


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (1, 1, 3), (3, 50, 3), (240, 100, 1)])
def test_any_size_and_one_channel_are_corrupted_and_the_same_image_always_alike(name, shape):
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    made = corruptions.corrupted(image, name, 5)
    assert (made.shape, made.dtype) == (shape, np.uint8)
    np.testing.assert_array_equal(made, corruptions.corrupted(image.copy(), name, 5))


def test_what_is_drawn_is_of_the_image_and_the_corruption_and_not_of_the_severity():
    other = GREY.copy()
    other[0, 0] = 129
    seeds = {corruptions.seed_of(image, name) for image in (GREY, other) for name in ("gaussian_noise", "shot_noise")}
    assert len(seeds) == 4
    apart = [corruptions.corrupted(GREY, "gaussian_noise", severity) / 255.0 - 128 / 255 for severity in (1, 2)]
    assert np.corrcoef(apart[0].ravel(), apart[1].ravel())[0, 1] > 0.99


@pytest.mark.parametrize(("severity", "deviation"), [(1, 0.08), (2, 0.12)])
def test_gaussian_noise_has_the_variance_that_is_stated(severity, deviation):
    made = corruptions.corrupted(GREY, "gaussian_noise", severity) / 255.0
    assert made.var() == pytest.approx(deviation**2, rel=0.03)
    assert made.mean() == pytest.approx(128 / 255, abs=0.002)


def test_shot_noise_has_poissons_variance():
    made = corruptions.corrupted(GREY, "shot_noise", 1) / 255.0
    value = 128 / 255
    assert made.var() == pytest.approx(value / 60, rel=0.03)
    assert made.mean() == pytest.approx(value, abs=0.002)


def test_impulse_noise_is_salt_and_pepper_of_the_stated_share():
    made = corruptions.corrupted(GREY, "impulse_noise", 5)
    assert (made != 128).mean() == pytest.approx(0.27, abs=0.01)
    assert set(np.unique(made)) == {0, 128, 255}
    assert (made == 255).mean() == pytest.approx((made == 0).mean(), abs=0.01)


@pytest.mark.parametrize(("severity", "more"), [(1, 0.1), (3, 0.3), (5, 0.5)])
def test_brightness_is_added_to_v_of_hsv(severity, more):
    hsv = color.rgb2hsv(PHOTO / 255.0)
    hsv[:, :, 2] = np.clip(hsv[:, :, 2] + more, 0, 1)
    np.testing.assert_allclose(corruptions.corrupted(PHOTO, "brightness", severity), color.hsv2rgb(hsv) * 255, atol=0.51)
    grey = corruptions.corrupted(GREY, "brightness", severity)
    assert set(np.unique(grey)) == {min(255, round(128 + 255 * more))}


def test_contrast_is_the_formula_of_the_paper():
    whole = PHOTO / 255.0
    mean = whole.mean((0, 1))
    np.testing.assert_allclose(corruptions.corrupted(PHOTO, "contrast", 4), ((whole - mean) * 0.1 + mean) * 255, atol=0.51)


@pytest.mark.parametrize(("of", "quality"), [("CIFAR-10-C", 40), ("Tiny ImageNet-C", 25), ("ImageNet-C", 7)])
def test_jpeg_is_pillow_s_at_the_stated_quality(of, quality):
    image, written = OF_SIZE[of], io.BytesIO()
    Image.fromarray(image).save(written, "JPEG", quality=quality)
    np.testing.assert_array_equal(corruptions.corrupted(image, "jpeg_compression", 5), np.array(Image.open(written)))


def test_pixels_are_pillow_s_boxes():
    small = Image.fromarray(PHOTO).resize((56, 56), Image.Resampling.BOX)
    wanted = np.array(small.resize((224, 224), Image.Resampling.BOX))
    np.testing.assert_array_equal(corruptions.corrupted(PHOTO, "pixelate", 5), wanted)
    blocks = PHOTO.reshape(56, 4, 56, 4, 3).mean((1, 3))
    np.testing.assert_allclose(wanted[::4, ::4], blocks, atol=1.01)  # it rounds twice


def test_gaussian_blur_is_scikit_image_s():
    from skimage.filters import gaussian

    wanted = gaussian(PHOTO / 255.0, sigma=3, channel_axis=-1) * 255
    np.testing.assert_allclose(corruptions.corrupted(PHOTO, "gaussian_blur", 3), wanted, atol=0.51)


def test_defocus_is_a_disk_and_reflects_at_the_edge():
    kernel = corruptions.disk(3, 0.1)  # of so little blur the disk alone is left
    held = np.hypot(*np.mgrid[-8:9, -8:9]) <= 3
    np.testing.assert_allclose(kernel, held / held.sum(), atol=1e-12)
    wanted = ndimage.correlate(PHOTO / 255.0, kernel[:, :, None], mode="mirror") * 255
    np.testing.assert_allclose(corruptions.corrupted(PHOTO, "defocus_blur", 1), wanted, atol=0.51)
    soft = corruptions.disk(0.3, 0.4)[7:10, 7:10]  # of no radius the blur alone is left
    taps = np.exp(-np.array([1, 0, 1]) / 0.32)
    np.testing.assert_allclose(soft, np.outer(taps, taps) / taps.sum() ** 2, atol=1e-12)


def test_motion_smears_a_dot_along_one_line_by_half_a_gaussian():
    dot = np.zeros((33, 33, 1), np.uint8)
    dot[16, 24] = 255
    made = corruptions.corrupted(dot, "motion_blur", 3)[..., 0] / 255.0
    assert made.sum() == pytest.approx(1, abs=0.02)
    rows, columns = np.nonzero(made)
    order = np.argsort(np.hypot(rows - 16, columns - 24))
    rows, columns = rows[order], columns[order]
    assert (rows[0], columns[0]) == (16, 24)
    weights = np.exp(-(np.arange(13) ** 2) / 8)
    np.testing.assert_allclose(made[rows, columns][:4], (weights / weights.sum())[:4], atol=1 / 255)
    slope = np.polyfit(columns - 24, rows - 16, 1)[0]
    assert abs(slope) <= 1
    assert np.abs((rows - 16) - slope * (columns - 24)).max() <= 1


@pytest.mark.parametrize(
    ("sides", "of"),
    [((8, 8), "CIFAR-10-C"), ((45, 45), "CIFAR-10-C"), ((46, 46), "Tiny ImageNet-C"), ((119, 119), "Tiny ImageNet-C"),
     ((120, 120), "ImageNet-C"), ((3000, 4000), "ImageNet-C"), ((16, 100), "CIFAR-10-C")],
)  # fmt: skip
def test_an_image_gets_the_constants_of_the_nearest_published_size(sides, of):
    assert corruptions.size_of(*sides) == of


def test_words_stand_for_all_that_have_them_and_unknown_ones_list_what_there_is():
    assert corruptions.named("all") == list(corruptions.CORRUPTIONS)
    assert corruptions.named("jpeg, noise") == ["gaussian_noise", "shot_noise", "impulse_noise", "jpeg_compression"]
    assert corruptions.named("Shot-Noise") == ["shot_noise"]
    for wrong in ("fog", "", "noise,digits_lenet5"):
        with pytest.raises(UsageError, match="There is no corruption") as raised:
            corruptions.named(wrong)
        assert "gaussian_noise, shot_noise" in raised.value.hint
    with pytest.raises(IndexError, match="severity 6"):
        corruptions.corrupted(GREY, "contrast", 6)

"""Common corruptions of images, at five severities: Hendrycks & Dietterich 2019, Benchmarking Neural Network Robustness to Common
Corruptions and Perturbations (ICLR), section 3 and appendix. NumPy, SciPy and Pillow alone.

Names and constants are theirs, of the scripts that made their data sets (github.com/hendrycks/robustness, ImageNet-C/create_c):
make_cifar_c.py for images of 32 px, make_tinyimagenet_c.py for 64 px, make_imagenet_c.py for 224 px. `gaussian_blur` is one of the
four that they hold back; the other nine are of their fifteen. Not here: glass_blur, zoom_blur and elastic_transform, and snow,
frost and fog, which paint with photographs and fractals.

An image of another size gets the constants of the size that is nearest on a logarithmic scale, by the root of height times width:
up to 45 px those of 32, up to 119 px those of 64, and above those of 224. They are never scaled. An image of one channel gets the
same as each channel of a coloured one, with one draw a pixel; its brightness in HSV is its value. Unlike theirs, values are rounded
to whole ones, not cut off, which darkened by half a level.

What is drawn depends on the image and the corruption alone, not on the severity: a further severity is more of the same noise.
"""

import functools
import hashlib
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from configs.errors import UsageError

SEVERITIES = (1, 2, 3, 4, 5)
SIZES = {"CIFAR-10-C": 32, "Tiny ImageNet-C": 64, "ImageNet-C": 224}  # data set -> px of a side
ALL = "all"
HALF = 8  # px of a kernel of defocus on either side of its middle, at least


@dataclass(frozen=True)
class Corruption:
    """One kind.

    Args:
        function: (image float64 [h, w, c] in 0..1, constant, generator) -> the same, corrupted; what leaves 0..1 is cut off after.
        constants: data set of SIZES -> the constant of each severity.
    """

    function: Callable[[np.ndarray, Any, np.random.Generator], np.ndarray]
    constants: Mapping[str, Sequence[Any]]


def corrupted(pixels: np.ndarray, name: str, severity: int) -> np.ndarray:
    """An image with a corruption, the same whenever it is asked for.

    Args:
        pixels: uint8 [h, w, 1 or 3].
        name: of CORRUPTIONS. severity: 0, which is the image itself, to 5.

    Returns:
        uint8 [h, w, 1 or 3].

    Raises:
        KeyError, IndexError: for a name or a severity that there is none of.
    """
    kind = CORRUPTIONS[name]
    if severity == 0:
        return pixels
    if severity not in SEVERITIES:
        raise IndexError(f"severity {severity} is none of 0 to {SEVERITIES[-1]}")
    constant = kind.constants[size_of(*pixels.shape[:2])][severity - 1]
    made = kind.function(pixels / 255.0, constant, np.random.default_rng(seed_of(pixels, name)))
    return np.clip(np.round(made * 255.0), 0, 255).astype(np.uint8)


def seed_of(pixels: np.ndarray, name: str) -> int:
    """What is drawn from: SHA-256 of the image's size and pixels and of the corruption's name."""
    digest = hashlib.sha256(f"{name} {'x'.join(map(str, pixels.shape))}\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return int.from_bytes(digest.digest(), "little")


def size_of(height: int, width: int) -> str:
    """The data set of SIZES whose constants an image of so many px gets."""
    side = math.sqrt(height * width)
    return min(SIZES, key=lambda name: abs(math.log(SIZES[name] / side)))


def named(asked: str) -> list[str]:
    """The corruptions that words stand for, in the order of CORRUPTIONS.

    Args:
        asked: names of CORRUPTIONS, or words of such names, which stand for all that have them (`noise`, `blur`, `jpeg`), with
            commas between; ALL: all.

    Raises:
        UsageError: for a word that is in no name, with those that there are.
    """
    chosen: set[str] = set()
    for word in asked.replace("-", "_").split(","):
        word = word.strip().lower()
        having = [name for name in CORRUPTIONS if word in (ALL, name) or word in name.split("_")]
        if not having:
            raise UsageError(
                f"There is no corruption {word!r}.",
                f"There are {', '.join(CORRUPTIONS)}, and words of these: noise, blur, jpeg. After --corruptions alone, or "
                "--corruptions=all, come all; what stands behind it is taken for such names, so MODEL stands before it.",
            )
        chosen.update(having)
    return [name for name in CORRUPTIONS if name in chosen]


def gaussian_noise(image, deviation, generator):
    """Added to each value, of that standard deviation."""
    return image + generator.normal(scale=deviation, size=image.shape)


def shot_noise(image, photons, generator):
    """Poisson's: so many photons for a value of 1."""
    return generator.poisson(image * photons) / photons


def impulse_noise(image, share, generator):
    """Salt and pepper: so many of all values become 0 or 1, as often the one as the other."""
    drawn = generator.random(image.shape)
    return np.where(drawn < share / 2, 0.0, np.where(drawn < share, 1.0, image))


def gaussian_blur(image, deviation, generator):
    """By a kernel of that standard deviation, px, up to four of them; beyond its edge an image goes on as it ends."""
    from scipy import ndimage

    return ndimage.gaussian_filter(image, (deviation, deviation, 0), mode="nearest", truncate=4.0)


def defocus_blur(image, constant, generator):
    """By a disk of a radius, px, itself blurred a little against aliasing: (radius, standard deviation)."""
    from scipy import signal

    kernel = disk(*constant)
    reach = len(kernel) // 2
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), "reflect" if min(image.shape[:2]) > 1 else "edge")
    return signal.fftconvolve(padded, kernel[:, :, None], "valid", axes=(0, 1))


def disk(radius: float, deviation: float) -> np.ndarray:
    """float64 [k, k], its sum 1: the disk, blurred by a Gaussian kernel of 3 px, or of 5 px where the radius is above 8 px."""
    from scipy import ndimage

    reach, around = (HALF, 1) if radius <= HALF else (math.ceil(radius), 2)
    places = np.arange(-reach, reach + 1)
    held = (places[:, None] ** 2 + places**2 <= radius**2).astype(np.float64)
    taps = np.exp(-(np.arange(-around, around + 1) ** 2) / (2 * deviation**2))
    smooth = functools.reduce(lambda of, axis: ndimage.correlate1d(of, taps / taps.sum(), axis, mode="mirror"), (0, 1), held)
    return smooth / smooth.sum()


def motion_blur(image, constant, generator):
    """Along a line at an angle between -45 and 45 degrees, by half a Gaussian kernel: (its length - 1 by two, its standard
    deviation), px. As ImageMagick does it (MotionBlurImage), whose offsets are whole px."""
    radius, deviation = constant
    angle = math.radians(generator.uniform(-45, 45))
    steps = np.arange(2 * math.ceil(radius) + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2))
    across, down = (np.ceil(steps * part - 0.5).astype(int) for part in (math.cos(angle), math.sin(angle)))
    height, width = image.shape[:2]
    made = np.zeros_like(image)
    for weight, x, y in zip(weights / weights.sum(), across, down, strict=True):
        rows, columns = np.clip(np.arange(height) + y, 0, height - 1), np.clip(np.arange(width) + x, 0, width - 1)
        made += weight * image[rows[:, None], columns]
    return made


def brightness(image, more, generator):
    """V of HSV, the largest of a pixel's values, gets that much more, up to 1; hue and saturation stay. Black becomes grey."""
    value = image.max(2, keepdims=True)
    brighter = np.minimum(value + more, 1.0)
    return np.where(value > 0, image * (brighter / np.where(value > 0, value, 1.0)), brighter)


def contrast(image, share, generator):
    """That much is left of each value's distance from the mean of its channel."""
    mean = image.mean((0, 1), keepdims=True)
    return mean + share * (image - mean)


def pixelate(image, share, generator):
    """Reduced to that share of its sides, and enlarged again, each px the mean of what it covers."""
    from PIL import Image

    from serving import formats

    small = formats.pillow(_whole(image))
    sides = small.size
    reduced = small.resize(tuple(max(1, int(side * share)) for side in sides), Image.Resampling.BOX)
    return _array(reduced.resize(sides, Image.Resampling.BOX), image.shape)


def jpeg_compression(image, quality, generator):
    """Written and read again as a JPEG of that quality of Pillow's."""
    from PIL import Image

    from serving import formats

    written = io.BytesIO()
    formats.pillow(_whole(image)).save(written, "JPEG", quality=quality)
    with Image.open(written) as opened:
        return _array(opened, image.shape)


def _whole(image: np.ndarray) -> np.ndarray:
    return np.round(image * 255.0).astype(np.uint8)


def _array(image, shape: Sequence[int]) -> np.ndarray:
    return np.asarray(image, np.float64).reshape(shape) / 255.0


def _constants(small: Sequence[Any], middle: Sequence[Any], large: Sequence[Any]) -> dict[str, Sequence[Any]]:
    return dict(zip(SIZES, (small, middle, large), strict=True))


CORRUPTIONS: Mapping[str, Corruption] = {
    "gaussian_noise": Corruption(
        gaussian_noise, _constants((0.04, 0.06, 0.08, 0.09, 0.10), (0.04, 0.08, 0.12, 0.15, 0.18), (0.08, 0.12, 0.18, 0.26, 0.38))
    ),
    "shot_noise": Corruption(shot_noise, _constants((500, 250, 100, 75, 50), (250, 100, 50, 30, 15), (60, 25, 12, 5, 3))),
    "impulse_noise": Corruption(
        impulse_noise, _constants((0.01, 0.02, 0.03, 0.05, 0.07), (0.01, 0.02, 0.05, 0.08, 0.14), (0.03, 0.06, 0.09, 0.17, 0.27))
    ),
    "defocus_blur": Corruption(
        defocus_blur,
        _constants(
            ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
            ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
            ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        ),
    ),
    "gaussian_blur": Corruption(gaussian_blur, _constants((0.4, 0.6, 0.7, 0.8, 1), (0.5, 0.75, 1, 1.25, 1.5), (1, 2, 3, 4, 6))),
    "motion_blur": Corruption(
        motion_blur,
        _constants(
            ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
            ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
            ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        ),
    ),
    "brightness": Corruption(
        brightness, _constants((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5), (0.1, 0.2, 0.3, 0.4, 0.5))
    ),
    "contrast": Corruption(
        contrast, _constants((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05), (0.4, 0.3, 0.2, 0.1, 0.05))
    ),
    "pixelate": Corruption(
        pixelate, _constants((0.95, 0.9, 0.85, 0.75, 0.65), (0.9, 0.8, 0.7, 0.6, 0.5), (0.6, 0.5, 0.4, 0.3, 0.25))
    ),
    "jpeg_compression": Corruption(jpeg_compression, _constants((80, 65, 58, 50, 40), (65, 58, 50, 40, 25), (25, 18, 15, 10, 7))),
}

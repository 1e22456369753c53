"""Augmentation of training batches. Drawing is apart from applying, and each draw is a function of (seed, epoch, image id) alone,
so that a resumed run and an undisturbed one see the same images.

Keras's preprocessing layers keep drawing and applying apart too (`transform_images` takes what was drawn), and with the same
numbers they give what the operations here give: tests/components/transform/test_augment_keras.py. The operations are nevertheless
written here, in plain TensorFlow on whole batches (geometry.py, color.py, noise.py, mixing.py, rand_augment.py), because

- moves that follow each other are one resampling, where each layer of Keras blurs once more, and a map follows on the same way;
- a strength of 0 changes no bit: Keras's saturation and hue go to HSV and back;
- an image may draw each flip by itself, and slants around its middle, which Keras's layers of these names do not do;
- a clean twin goes along without the noise.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import tensorflow as tf

from components import targets as kinds_of_targets
from components.transform.augment import color, geometry, mixing, noise, rand_augment
from components.transform.augment.geometry import Border, Move
from components.transform.augment.mixing import partner
from configs.errors import UsageError
from configs.schema.augment import AugmentStep

__all__ = [
    "COLOR",
    "GEOMETRY",
    "MIXING",
    "NOISE",
    "Changed",
    "apply",
    "change",
    "check",
    "doubts",
    "draw",
    "draws",
    "kinds",
    "partner",
]

NOTHING = MappingProxyType({})
GEOMETRY, COLOR, NOISE, MIXING = "geometry", "color", "noise", "mixing"


class Operation(NamedTuple):
    """`needs` maps (parameters, (height, width, channels)) to how many numbers an image draws; `parts` are (kind, function)."""

    needs: Callable[[Any, tuple[int, int, int]], int]
    parts: tuple[tuple[str, Callable], ...]


def _numbers(count, kind, function):
    return Operation(lambda step, shape: count, ((kind, function),))


OPERATIONS = {
    "translate": _numbers(2, GEOMETRY, geometry.translate),
    "rotate": _numbers(1, GEOMETRY, geometry.rotate),
    "zoom": _numbers(1, GEOMETRY, geometry.zoom),
    "shear": _numbers(1, GEOMETRY, geometry.shear),
    "flip": _numbers(2, GEOMETRY, geometry.flip),
    "crop": _numbers(2, GEOMETRY, geometry.crop),
    "elastic": Operation(lambda step, shape: 2 * shape[0] * shape[1], ((GEOMETRY, geometry.elastic),)),
    "elastic_grid": Operation(lambda step, shape: 2 * step.points**2, ((GEOMETRY, geometry.elastic_grid),)),
    "brightness": _numbers(1, COLOR, color.brightness),
    "contrast": _numbers(1, COLOR, color.contrast),
    "saturation": _numbers(1, COLOR, color.saturation),
    "hue": _numbers(1, COLOR, color.hue),
    "color_shift": _numbers(3, COLOR, color.color_shift),
    "pca_color": _numbers(3, COLOR, color.pca_color),
    "cutout": _numbers(2, NOISE, noise.cutout),
    "gaussian_noise": Operation(lambda step, shape: shape[0] * shape[1] * shape[2], ((NOISE, noise.gaussian_noise),)),
    "salt_and_pepper": Operation(lambda step, shape: shape[0] * shape[1], ((NOISE, noise.salt_and_pepper),)),
    "mask": Operation(lambda step, shape: shape[0] * shape[1], ((NOISE, noise.mask),)),
    "rand_augment": Operation(
        lambda step, shape: 2 * step.operations, ((GEOMETRY, rand_augment.moves), (COLOR, rand_augment.colors))
    ),
    "mixup": _numbers(1, MIXING, mixing.mixup),
    "cutmix": _numbers(3, MIXING, mixing.cutmix),
    "copies": Operation(lambda step, shape: 0, ()),
}


FIELDS = ("elastic", "elastic_grid")  # those whose way is no matrix, and so has no inverse


class Changed(NamedTuple):
    """A batch after augmentation.

    images: float32 [N, height, width, channels], 0..255; with noise that is not clipped any number.
    clean: the same without the operations of noise.py, 0..255.
    targets: moved as the images are, each as its kind is (components.targets).
    kept: for each mixing step float32 [N], what of an image is its own; the rest is of its `partner`.
    """

    images: tf.Tensor
    clean: tf.Tensor
    targets: dict[str, tf.Tensor]
    kept: list[tf.Tensor]


def kinds(steps: Sequence[AugmentStep]) -> set[str]:
    """Which of GEOMETRY, COLOR, NOISE and MIXING are done."""
    return {kind for step in steps for kind, _ in OPERATIONS[step.operation[0]].parts}


def check(steps: Sequence[AugmentStep], targets: Sequence[str]) -> None:
    """Raise UsageError for a step that a task's targets cannot follow."""
    fields = [name for name, _ in (step.operation for step in steps) if name in FIELDS]
    if fields and any(kinds_of_targets.of(name).has_corners for name in targets):
        raise UsageError(
            f"{fields[0]} moves each pixel its own way, which boxes cannot follow: a rectangle does not stay one.",
            f"Take {fields[0]} out of augment; rotate, shear, zoom, crop, translate and flip move boxes with their images.",
        )


def doubts(steps: Sequence[AugmentStep], targets: Sequence[str]) -> list[str]:
    """Sentences on what targets do not follow and a person should know of, mostly none."""
    if not any(kinds_of_targets.of(name).has_corners for name in targets):
        return []
    mirrored = [name for name, parameters in (step.operation for step in steps) if getattr(parameters, "border", "") == "mirror"]
    if not mirrored:
        return []
    return [
        f"augment: {', '.join(mirrored)} with border: mirror brings mirrored objects in that have no box; border: constant has none"
    ]


def draws(steps: Sequence[AugmentStep], shape: tuple[int, int, int]) -> int:
    """How many numbers one image of (height px, width px, channels) needs."""
    return sum(OPERATIONS[name].needs(parameters, shape) for name, parameters in (step.operation for step in steps))


def draw(steps: Sequence[AugmentStep], seed: int, epoch: tf.Tensor, image_id: tf.Tensor, shape: tuple[int, int, int]) -> tf.Tensor:
    """Uniform float32 [draws(steps, shape)] in [-1, 1) for one image.

    Args:
        epoch: int64 scalar, from 0.
        image_id: string scalar.
        shape: (height px, width px, channels) of the image.
    """
    stream = tf.stack([tf.constant(seed, tf.int64) + epoch * 2**32, tf.strings.to_hash_bucket_fast(image_id, 2**62)])
    return tf.random.stateless_uniform([draws(steps, shape)], stream, minval=-1.0, maxval=1.0)


def apply(
    steps: Sequence[AugmentStep], images: tf.Tensor, drawn: tf.Tensor, covariance=None, clips_noise: bool = True
) -> tf.Tensor:
    """The images of `change`."""
    return change(steps, images, drawn, covariance, clips_noise=clips_noise).images


def change(
    steps: Sequence[AugmentStep],
    images: tf.Tensor,
    drawn: tf.Tensor,
    covariance=None,
    targets: Mapping[str, tf.Tensor] = NOTHING,
    clips_noise: bool = True,
) -> Changed:
    """Apply what was drawn, in the order of the steps; moves of one border that follow each other are one resampling.

    Args:
        steps: without policies, which `configs.policies.expand` resolves.
        images: float32 [N, height, width, channels], 0..255; all but N known.
        drawn: float32 [N, draws(steps, shape)], as `draw` gives.
        covariance: [channels * channels] numbers, of the training split's pixels over 0..255; for pca_color alone.
        targets: by name, as tasks get them; those without places in the image stay as they are.
        clips_noise: whether noise is cut to 0..255. Half of what is put on black or white pixels is lost by that, so a task that
            learns to take it away (`Task.cleans`) leaves it whole. A colour clips in any case, and noise before it too.

    Raises:
        UsageError: for pca_color without a covariance.
    """
    clean, targets, kept = images, dict(targets), []
    limited = _clipped if clips_noise else _as_they_are
    _, height, width, _ = images.shape
    for kind, group in itertools.groupby(_parts(steps, drawn, tuple(images.shape[1:])), key=lambda part: part[0]):
        parts = [part[1:] for part in group]
        if kind == GEOMETRY:
            for border, moves in _by_border(parts):
                way = geometry.way(moves, tf.shape(images)[0], height, width)
                images, clean = _both(images, clean, lambda x, w=way, b=border: geometry.resample(x, w, "BILINEAR", b))
                move = Move(way, border, height, width)
                targets = {name: kinds_of_targets.of(name).moved(values, move) for name, values in targets.items()}
            continue
        for function, step, numbers in parts:
            if kind == COLOR:
                made = lambda x, f=function, s=step, n=numbers: _clipped(f(s, n, x, covariance))  # noqa: E731
                images, clean = _both(images, clean, made)
            elif kind == NOISE:
                images = limited(function(step, numbers, images))
            else:
                own, weight = function(step, numbers, height, width)
                images, clean = _both(images, clean, lambda x, own=own: limited(mixing.mix(x, own)))
                kept.append(weight)
    return Changed(images, clean, targets, kept)


def _parts(steps, drawn, shape):
    """(kind, function, parameters, the function's numbers) one after the other."""
    used = 0
    for step in steps:
        name, parameters = step.operation
        operation = OPERATIONS[name]
        needs = operation.needs(parameters, shape)
        for kind, function in operation.parts:
            yield kind, function, parameters, drawn[:, used : used + needs]
        used += needs


def _by_border(parts):
    """(border, moves that follow each other and share it); a flip brings nothing in, so that any border is its own."""
    groups = []
    for part in parts:
        step = part[1]
        border = Border(step.border, step.value) if hasattr(step, "border") else None
        if groups and (border is None or groups[-1][0] in (None, border)):
            groups[-1] = (groups[-1][0] or border, [*groups[-1][1], part])
        else:
            groups.append((border, [part]))
    return [(border or Border(), moves) for border, moves in groups]


def _both(images, clean, made):
    """Images and clean ones changed alike, once where they are still the same."""
    changed = made(images)
    return changed, changed if clean is images else made(clean)


def _clipped(images):
    return tf.clip_by_value(images, 0.0, 255.0)


def _as_they_are(images):
    return images

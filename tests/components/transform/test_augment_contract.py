"""What holds for every operation of the schema: shape, type, range, identity, who depends on what."""

from typing import get_args

import numpy as np
import pytest
import tensorflow as tf

from components import keys
from components.transform.augment import steps as augment
from configs import policies
from configs.errors import UsageError
from configs.schema.augment import BATCH_ONLY, COLOR_ONLY, AugmentStep, Policy
from tests.configs.test_schema import ONE_OF_EACH

NAMES = [name for name in ONE_OF_EACH if name not in ("policy", "copies")]
MIXING = ("mixup", "cutmix")
NOTHING = {  # parameters at which an operation does nothing
    **{
        name: dict.fromkeys(ONE_OF_EACH[name], 0)
        for name in NAMES
        if name not in ("elastic", "elastic_grid", "rand_augment", *MIXING)
    },
    "elastic": {"alpha": 0, "sigma": 0.1},
    "elastic_grid": {"sigma": 0},
}
COVARIANCE = [900.0, 500.0, 300.0, 500.0, 800.0, 400.0, 300.0, 400.0, 700.0]
IMAGES = 6


def photos(channels=3, height=9, width=12) -> tf.Tensor:
    return tf.constant(np.random.default_rng(1).integers(0, 256, (IMAGES, height, width, channels)), tf.float32)


def drawn(steps, images, seed=0, epoch=0, names=None) -> tf.Tensor:
    names = names or [f"image-{i}" for i in range(images.shape[0])]
    shape = tuple(images.shape[1:])
    return tf.stack([augment.draw(steps, seed, tf.constant(epoch, tf.int64), tf.constant(name), shape) for name in names])


def step(name, tree=None) -> list[AugmentStep]:
    return [AugmentStep.model_validate({name: ONE_OF_EACH[name] if tree is None else tree})]


def applied(steps, images, **chosen) -> np.ndarray:
    return augment.apply(steps, images, drawn(steps, images, **chosen), COVARIANCE).numpy()


def test_every_operation_of_the_schema_is_implemented():
    assert set(augment.OPERATIONS) | {"policy"} == set(AugmentStep.model_fields)


def test_what_needs_its_batch_is_what_mixes_or_has_a_clean_twin():
    assert set(BATCH_ONLY) == {name for name in NAMES if augment.kinds(step(name)) & {augment.NOISE, augment.MIXING}}


@pytest.mark.parametrize(("name", "channels"), [(n, c) for n in NAMES for c in (1, 3) if c == 3 or n not in COLOR_ONLY])
def test_shape_type_and_range_stay(name, channels):
    images = photos(channels)
    changed = applied(step(name), images)
    assert (changed.shape, changed.dtype) == (tuple(images.shape), np.float32)
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert not np.array_equal(changed, images)


@pytest.mark.parametrize("name", NOTHING)
def test_no_strength_changes_no_bit(name):
    images = photos()
    tree = {**NOTHING[name], **({"horizontal": False, "vertical": False} if name == "flip" else {})}
    assert np.array_equal(applied(step(name, tree), images), images)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_done_depends_on_seed_epoch_and_id_alone(name):
    images, steps = photos(), step(name)
    first = applied(steps, images)
    assert np.array_equal(first, applied(steps, images))
    if name == "flip":  # has few outcomes, of which two draws may share one
        return
    assert not np.array_equal(first, applied(steps, images, seed=1))
    assert not np.array_equal(first, applied(steps, images, epoch=1))
    assert not np.array_equal(first, applied(steps, images, names=[f"other-{i}" for i in range(IMAGES)]))


@pytest.mark.parametrize("name", NAMES)
def test_images_do_not_depend_on_their_batch(name):
    images, steps = photos(), step(name)
    numbers = drawn(steps, images)
    together = augment.apply(steps, images, numbers, COVARIANCE).numpy()
    apart = np.concatenate([augment.apply(steps, images[i : i + 1], numbers[i : i + 1], COVARIANCE) for i in range(IMAGES)])
    if name in MIXING:
        assert np.allclose(apart, images, atol=1e-3)  # alone, an image is its own partner
    else:
        assert np.allclose(together, apart, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_does_what_eager_execution_does(name):
    images, steps = photos(), step(name)
    numbers = drawn(steps, images)
    batches = tf.data.Dataset.from_tensor_slices((images, numbers)).batch(4)
    piped = batches.map(tf.autograph.experimental.do_not_convert(lambda x, n: augment.apply(steps, x, n, COVARIANCE)))
    eager = [augment.apply(steps, images[at : at + 4], numbers[at : at + 4], COVARIANCE) for at in (0, 4)]
    for at_once, in_graph in zip(eager, piped, strict=True):
        assert np.allclose(at_once, in_graph, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_map_follows_moves_alone_and_keeps_its_values(name):
    images, steps = photos(height=24, width=32), step(name)
    marks = tf.constant(np.random.default_rng(2).integers(0, 3, (IMAGES, 24, 32, 1)) * 7, tf.float32)
    mask = augment.change(steps, images, drawn(steps, images), COVARIANCE, {keys.MASK: marks}).targets[keys.MASK]
    assert set(np.unique(mask)) <= {0, 7, 14}
    assert np.array_equal(mask, marks) == (augment.GEOMETRY not in augment.kinds(steps))


@pytest.mark.parametrize("name", NAMES)
def test_noise_alone_leaves_the_clean_image_as_it_is(name):
    images, steps = photos(), step(name)
    changed = augment.change(steps, images, drawn(steps, images), COVARIANCE)
    if augment.NOISE in augment.kinds(steps):
        assert np.array_equal(changed.clean, images)
    else:
        assert changed.clean is changed.images


@pytest.mark.parametrize("name", NAMES)
def test_noise_alone_may_leave_the_range_where_it_is_not_clipped(name):
    """And what moves or colours it after that knows no other noise."""
    images = photos()
    steps = [*step(name), *step("rotate", {"degrees": 20})]
    numbers = drawn(steps, images)
    whole = augment.change(steps, images, numbers, COVARIANCE, clips_noise=False)
    clipped = augment.change(steps, images, numbers, COVARIANCE)
    assert np.allclose(whole.clean, clipped.clean, atol=1e-3)
    assert np.allclose(whole.images, clipped.images, atol=1e-3) == (name != "gaussian_noise")
    assert (whole.images.numpy().min() < -10 and whole.images.numpy().max() > 265) == (name == "gaussian_noise")


@pytest.mark.parametrize("order", [("rotate", "gaussian_noise", "brightness"), ("mask", "translate"), ("brightness", "cutout")])
def test_the_clean_image_has_everything_but_the_noise(order):
    images = photos()
    steps = [AugmentStep.model_validate({name: ONE_OF_EACH[name]}) for name in order]
    shape = tuple(images.shape[1:])
    numbers = drawn(steps, images)
    changed = augment.change(steps, images, numbers)
    expected, used = images, 0
    for each in steps:
        needs = augment.draws([each], shape)
        if augment.NOISE not in augment.kinds([each]):
            expected = augment.apply([each], expected, numbers[:, used : used + needs])
        used += needs
    assert np.allclose(changed.clean, expected, atol=1e-3)
    assert not np.allclose(changed.images, expected, atol=1)


def test_steps_of_all_kinds_are_done_in_their_order():
    images = photos()
    names = ["rotate", "brightness", "elastic", "flip", "gaussian_noise", "translate", "mixup"]
    steps = [AugmentStep.model_validate({name: ONE_OF_EACH[name]}) for name in names]
    numbers = drawn(steps, images)
    expected, used = images, 0
    for group in (steps[:1], steps[1:2], steps[2:4], steps[4:5], steps[5:6], steps[6:]):
        needs = augment.draws(group, tuple(images.shape[1:]))
        expected = augment.apply(group, expected, numbers[:, used : used + needs])
        used += needs
    assert used == numbers.shape[1]
    assert np.allclose(augment.apply(steps, images, numbers), expected, atol=1e-2)


def test_pca_needs_a_covariance():
    images, steps = photos(), step("pca_color")
    with pytest.raises(UsageError, match="covariance"):
        augment.apply(steps, images, drawn(steps, images))


@pytest.mark.parametrize("name", policies.POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_policy_runs(name, channels):
    steps = policies.expand(step("policy", name), channels)
    images = photos(channels)
    assert np.array_equal(applied(steps, images), images) == (name == "none")
    assert not any(
        each.operation[0] in (*MIXING, "policy", "pca_color") for each in steps
    )  # Transform is asked for a covariance by step


def test_the_schema_names_every_policy():
    assert set(get_args(Policy.model_fields["name"].annotation)) == set(policies.POLICIES)

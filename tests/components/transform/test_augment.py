"""Augmentation: what is drawn depends on (seed, epoch, id) alone; moves are done in order, and literally."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.transform.augment import steps as augment
from configs.schema.augment import AugmentStep
from tests.components import digits


def steps(*trees) -> list[AugmentStep]:
    return [AugmentStep.model_validate(tree) for tree in trees]


def applied(made, image, *drawn) -> np.ndarray:
    """One grey image and its drawn numbers."""
    return augment.apply(made, tf.constant(image, tf.float32)[None, ..., None], tf.constant([drawn], tf.float32))[0, ..., 0].numpy()


ROWS = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]]  # 3 x 4
SHAPE = (8, 8, 1)
EACH = {
    "translate": {"height": 0.3, "width": 0.2},
    "rotate": {"degrees": 40},
    "zoom": {"factor": 0.4},
    "shear": {"degrees": 30},
    "flip": {"horizontal": True, "vertical": True},
}


def test_no_step_changes_nothing():
    images = tf.random.uniform([2, 3, 4, 1])
    assert augment.apply([], images, tf.zeros([2, 0])) is images
    assert augment.draw([], 0, tf.constant(0, tf.int64), tf.constant("a"), SHAPE).shape == (0,)


@pytest.mark.parametrize(
    ("tree", "drawn", "expected"),
    [
        ({"horizontal": True, "vertical": False}, (-0.5, -0.5), [row[::-1] for row in ROWS]),
        ({"horizontal": True, "vertical": False}, (0.5, -0.5), ROWS),
        ({"horizontal": False, "vertical": True}, (-0.5, -0.5), ROWS[::-1]),
        ({"horizontal": True, "vertical": True}, (-0.1, -0.9), [row[::-1] for row in ROWS[::-1]]),
        ({"horizontal": True, "vertical": True}, (0.0, 0.0), ROWS),
        ({"horizontal": False, "vertical": False}, (-1.0, -1.0), ROWS),
    ],
)
def test_a_flip_gives_literal_pixels(tree, drawn, expected):
    assert np.allclose(applied(steps({"flip": tree}), ROWS, *drawn), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ((1.0, 0.0), [[2, 3, 4, 4], [6, 7, 8, 8], [10, 11, 12, 12]]),  # one column to the left; what comes in is mirrored
        ((-1.0, 0.0), [[1, 1, 2, 3], [5, 5, 6, 7], [9, 9, 10, 11]]),
        ((0.0, 1.0), [[5, 6, 7, 8], [9, 10, 11, 12], [9, 10, 11, 12]]),
        ((0.5, 0.0), [[1.5, 2.5, 3.5, 4], [5.5, 6.5, 7.5, 8], [9.5, 10.5, 11.5, 12]]),
        ((1.0, -1.0), [[2, 3, 4, 4], [2, 3, 4, 4], [6, 7, 8, 8]]),
    ],
)
def test_a_translation_of_whole_and_half_pixels_gives_literal_pixels(drawn, expected):
    moved = applied(steps({"translate": {"height": 1 / 3, "width": 1 / 4}}), ROWS, *drawn)
    assert np.allclose(moved, expected, atol=1e-4)


def test_a_quarter_turn_gives_literal_pixels():
    square = np.arange(9.0).reshape(3, 3)
    turned = applied(steps({"rotate": {"degrees": 90}}), square, 1.0)
    assert np.allclose(turned, np.rot90(square), atol=1e-4) or np.allclose(turned, np.rot90(square, -1), atol=1e-4)
    assert np.allclose(applied(steps({"rotate": {"degrees": 90}}), turned, -1.0), square, atol=1e-4)


def test_zooming_to_twice_the_size_keeps_the_centre():
    image = np.zeros((5, 5))
    image[2, 2] = 8.0
    zoomed = applied(steps({"zoom": {"factor": 0.5}}), image, 1.0)  # scale 1.5
    assert zoomed[2, 2] == pytest.approx(8.0, abs=1e-3)
    assert zoomed[2, 1] == pytest.approx(8.0 / 3, abs=1e-3)


def test_a_shear_moves_rows_in_proportion_to_their_distance_from_the_middle():
    sheared = applied(steps({"shear": {"degrees": 45}}), np.tile(np.arange(5.0), (3, 1)), 1.0)
    assert np.allclose(sheared[:, 2], [1, 2, 3], atol=1e-4)


@pytest.mark.parametrize("name", ["translate", "rotate", "zoom", "shear"])
@pytest.mark.parametrize("drawn", [-1.0, 0.7])
def test_parameters_of_zero_change_nothing(name, drawn):
    made = steps({name: dict.fromkeys(EACH[name], 0)})
    image = digits.images()[0][3][..., 0]
    assert np.allclose(applied(made, image, *[drawn] * augment.draws(made, SHAPE)), image, atol=1e-3)


@settings(max_examples=25)
@given(st.sampled_from(sorted(EACH)), st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=2))
def test_values_stay_in_the_range_of_the_image(name, drawn):
    made = steps({name: EACH[name]})
    image = digits.images()[0][7][..., 0].astype(np.float32)
    changed = applied(made, image, *drawn[: augment.draws(made, SHAPE)])
    assert image.min() - 1e-3 <= changed.min()
    assert changed.max() <= image.max() + 1e-3
    assert math.isclose(changed.size, image.size)


def test_steps_are_done_in_the_order_they_are_written():
    corner = np.zeros((4, 4))
    corner[0, 0] = 1.0
    shift, flip = {"translate": {"height": 0, "width": 0.25}}, {"flip": {"horizontal": True}}
    shifted_first = applied(steps(shift, flip), corner, -1.0, 0.0, -1.0, 1.0)  # one to the right, then mirrored
    flipped_first = applied(steps(flip, shift), corner, -1.0, 1.0, 1.0, 0.0)  # mirrored, then one to the left
    one_by_one = applied(steps(flip), applied(steps(shift), corner, -1.0, 0.0), -1.0, 1.0)
    assert np.allclose(shifted_first, one_by_one, atol=1e-4)
    assert np.argmax(flipped_first[0]) == 2
    mixed = applied(steps(flip, shift), corner, -1.0, 1.0, -1.0, 0.0)
    assert not np.allclose(mixed, shifted_first, atol=1e-2)


@pytest.mark.parametrize("pair", [("rotate", "flip"), ("zoom", "translate"), ("shear", "flip")])
def test_the_first_step_of_a_list_is_the_first_one_done(pair):
    size = 64
    rows, columns = np.mgrid[:size, :size]
    smooth = 100 + 50 * np.sin(rows / 9) + 40 * np.cos(columns / 7)
    first, second = ({name: EACH[name]} for name in pair)
    numbers = {"rotate": (0.5,), "flip": (-1.0, 1.0), "zoom": (0.6,), "translate": (0.3, -0.4), "shear": (0.5,)}
    together = applied(steps(first, second), smooth, *numbers[pair[0]], *numbers[pair[1]])
    apart = applied(steps(second), applied(steps(first), smooth, *numbers[pair[0]]), *numbers[pair[1]])
    swapped = applied(steps(second, first), smooth, *numbers[pair[1]], *numbers[pair[0]])
    inside = (slice(size // 3, -size // 3),) * 2
    assert np.abs(together - apart)[inside].max() < 1.0
    assert np.abs(swapped - apart)[inside].max() > 5.0


def draw(seed=0, epoch=0, image_id="a", made=None):
    made = made or steps({"translate": {"height": 1}}, {"rotate": {"degrees": 1}})
    return augment.draw(made, seed, tf.constant(epoch, tf.int64), tf.constant(image_id), SHAPE).numpy()


def test_what_is_drawn_depends_on_seed_epoch_and_id_alone():
    assert np.array_equal(draw(), draw())
    seen = [draw(), draw(seed=1), draw(epoch=1), draw(image_id="b"), draw(seed=2**31 - 1), draw(epoch=10**6)]
    assert len({numbers.tobytes() for numbers in seen}) == len(seen)
    assert draw().shape == (3,)


def test_draws_are_uniform_over_images_and_epochs():
    made = steps({"rotate": {"degrees": 1}})
    ids = tf.constant([f"image-{i}" for i in range(2000)])
    rows = tf.data.Dataset.from_tensor_slices(ids).map(lambda i: augment.draw(made, 5, tf.constant(3, tf.int64), i, SHAPE))
    numbers = np.stack(list(rows.as_numpy_iterator()))
    assert numbers.min() >= -1
    assert numbers.max() < 1
    assert abs(numbers.mean()) < 4 / math.sqrt(3 * 2000)
    assert abs(numbers.var() - 1 / 3) < 0.04


def test_eager_and_tf_data_do_the_same():
    made = steps(*({name: tree} for name, tree in EACH.items()))
    images = tf.constant(digits.images()[0][:6], tf.float32)
    ids = tf.constant([f"digit-{i}" for i in range(6)])
    drawn = tf.stack([augment.draw(made, 1, tf.constant(2, tf.int64), i, SHAPE) for i in ids])
    eager = augment.apply(made, images, drawn)
    rows = tf.data.Dataset.from_tensor_slices((images, ids)).map(
        lambda image, i: (image, augment.draw(made, 1, tf.constant(2, tf.int64), i, SHAPE))
    )
    [piped] = rows.batch(6).map(lambda image, numbers: augment.apply(made, image, numbers))
    assert np.allclose(eager, piped, atol=1e-3)
    one_by_one = tf.concat([augment.apply(made, images[i : i + 1], drawn[i : i + 1]) for i in range(6)], 0)
    assert np.allclose(eager, one_by_one, atol=1e-3)


def test_three_channels_move_together():
    made = steps({"rotate": {"degrees": 30}})
    grey = tf.constant(digits.images()[0][:1], tf.float32)
    colour = augment.apply(made, tf.tile(grey, [1, 1, 1, 3]), tf.constant([[0.7]]))
    assert np.allclose(colour, np.tile(augment.apply(made, grey, tf.constant([[0.7]])), (1, 1, 1, 3)))

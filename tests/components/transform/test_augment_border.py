"""What moves in from outside of an image: as before unless a config says otherwise, and as SciPy has it."""

import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from components import keys
from components.transform.augment import geometry, rand_augment
from components.transform.augment import steps as augment
from configs import policies
from configs.schema.augment import AugmentStep, Elastic
from tests.components import digits
from tests.configs.test_schema import ONE_OF_EACH

SCIPY = {"mirror": "reflect", "constant": "grid-constant", "edge": "nearest"}
IMAGE = np.random.default_rng(0).integers(0, 256, (9, 12)).astype(np.float32)
HEIGHT, WIDTH = IMAGE.shape
DRAWN = (0.83, -0.67)

BEFORE = np.load(
    Path(__file__).with_name("augmented.npz")
)  # drawn and changed before there was another border than the mirror's, nor a coarse grid
COVARIANCE = [900.0, 500.0, 300.0, 500.0, 800.0, 400.0, 300.0, 400.0, 700.0]
LISTS = {
    **{name: [{name: tree}] for name, tree in ONE_OF_EACH.items() if name not in ("policy", "copies", "elastic_grid")},
    **{name: [{"policy": name}] for name in policies.POLICIES if name != "none"},
    "mnist_lenet5": [{"translate": {"height": 0.08, "width": 0.08}}, {"rotate": {"degrees": 8}}],
    "elastic_among_moves": [{"rotate": {"degrees": 30}}, {"elastic": {"alpha": 0.05}}, {"flip": {}}, {"crop": {"pad": 3}}],
}


def steps(*trees) -> list[AugmentStep]:
    return [AugmentStep.model_validate(tree) for tree in trees]


def applied(made, image, *drawn) -> np.ndarray:
    """One grey image and its drawn numbers."""
    return augment.apply(made, tf.constant(image, tf.float32)[None, ..., None], tf.constant([drawn], tf.float32))[0, ..., 0].numpy()


@pytest.mark.parametrize("name", LISTS)
def test_a_config_that_says_nothing_of_borders_has_the_images_it_had(name):
    images = tf.constant(np.random.default_rng(1).integers(0, 256, (2, 5, 7, 3)), tf.float32)
    made = policies.expand(steps(*LISTS[name]), 3)
    drawn = tf.stack([augment.draw(made, 3, tf.constant(5, tf.int64), tf.constant(image_id), (5, 7, 3)) for image_id in "ab"])
    np.testing.assert_allclose(augment.apply(made, images, drawn, COVARIANCE), BEFORE[name], rtol=0, atol=1e-4)


def moved(matrix, shift) -> tuple[np.ndarray, np.ndarray]:
    """(matrix, offset) from places of the output to places of the input, (row, column), given around the image's centre."""
    centre = (np.array(IMAGE.shape) - 1) / 2
    matrix = np.asarray(matrix, float)
    return matrix, centre + np.asarray(shift, float) - matrix @ centre


ANGLE, SLANT = math.radians(40) * DRAWN[0], math.tan(math.radians(30) * DRAWN[0])
SCALE = 1 / (1 + 0.4 * DRAWN[0])
AFFINE = {
    "translate": ({"height": 0.3, "width": 0.2}, moved(np.eye(2), (0.3 * HEIGHT * DRAWN[1], 0.2 * WIDTH * DRAWN[0]))),
    "rotate": (
        {"degrees": 40},
        moved([[math.cos(ANGLE), math.sin(ANGLE)], [-math.sin(ANGLE), math.cos(ANGLE)]], (0, 0)),
    ),
    "zoom": ({"factor": 0.4}, moved(SCALE * np.eye(2), (0, 0))),
    "zoom_out": ({"factor": 0.4}, moved(np.eye(2) / (1 + 0.4 * DRAWN[1]), (0, 0))),
    "shear": ({"degrees": 30}, moved([[1, 0], [SLANT, 1]], (0, 0))),
    "crop": (
        {"share": 0.25, "pad": 4},
        moved(
            0.75 * np.eye(2),
            [0.125 * side * at + math.floor((at + 1) / 2 * 9) - 4 for at, side in ((DRAWN[1], HEIGHT), (DRAWN[0], WIDTH))],
        ),
    ),
}
BORDERS = [("mirror", 0), ("edge", 0), ("constant", 0), ("constant", 255), ("constant", 41)]


@pytest.mark.parametrize(("border", "value"), BORDERS)
@pytest.mark.parametrize("case", AFFINE)
def test_moves_bring_in_what_scipy_has_there(case, border, value):
    tree, (matrix, offset) = AFFINE[case]
    made = steps({case.removesuffix("_out"): {**tree, "border": border, "value": value}})
    drawn = (DRAWN[1],) if case == "zoom_out" else DRAWN[: augment.draws(made, (HEIGHT, WIDTH, 1))]
    expected = ndimage.affine_transform(IMAGE, matrix, offset, order=1, mode=SCIPY[border], cval=value)
    np.testing.assert_allclose(applied(made, IMAGE, *drawn), expected, atol=0.05)  # float32 places against float64


@pytest.mark.parametrize(("border", "value"), BORDERS)
def test_an_elastic_distortion_brings_in_what_scipy_has_there(border, value):
    made = steps({"elastic": {"alpha": 0.2, "border": border, "value": value}})
    drawn = np.random.default_rng(4).uniform(-1, 1, 2 * IMAGE.size).astype(np.float32)
    ways = geometry.elastic(Elastic(alpha=0.2), tf.constant(drawn[None]), HEIGHT, WIDTH)[0].numpy()
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    places = [rows + ways[..., 1], columns + ways[..., 0]]
    assert min(places[0].min(), places[1].min()) < -0.5, "some come from outside"
    expected = ndimage.map_coordinates(IMAGE, places, order=1, mode=SCIPY[border], cval=value)
    np.testing.assert_allclose(applied(made, IMAGE, *drawn), expected, atol=0.05)


@pytest.mark.parametrize(("border", "value"), BORDERS)
@pytest.mark.parametrize("after", [[], [{"elastic": {"alpha": 0}}]], ids=["projective", "field"])
def test_both_samplers_and_a_mask_have_the_same_border(after, border, value):
    """A mask holds classes: beside a constant stands class 0, whatever the colour."""
    around = {"border": border, "value": value}
    made = steps(
        {"rotate": {"degrees": 40, **around}}, *({name: {**tree, **around}} for tree_of in after for name, tree in tree_of.items())
    )
    drawn = tf.constant([[DRAWN[0], *[0.0] * (2 * IMAGE.size if after else 0)]])
    mask = np.random.default_rng(5).integers(1, 4, IMAGE.shape).astype(np.float32)
    changed = augment.change(
        made, tf.constant(IMAGE)[None, ..., None], drawn, targets={keys.MASK: tf.constant(mask)[None, ..., None]}
    )
    matrix, offset = AFFINE["rotate"][1]
    expected = ndimage.affine_transform(IMAGE, matrix, offset, order=1, mode=SCIPY[border], cval=value)
    np.testing.assert_allclose(changed.images[0, ..., 0], expected, atol=0.05)
    expected = ndimage.affine_transform(mask, matrix, offset, order=0, mode=SCIPY[border], cval=0)
    np.testing.assert_array_equal(changed.targets[keys.MASK][0, ..., 0], expected)
    assert (changed.targets[keys.MASK].numpy() == 0).any() == (border == "constant")


@pytest.mark.parametrize("after", [[], [{"elastic": {"alpha": 0, "border": "constant", "value": [10, 200, 90]}}]], ids=str)
def test_a_constant_may_have_a_value_for_each_channel(after):
    image = np.random.default_rng(0).integers(0, 256, (1, 6, 8, 3)).astype(np.float32)
    made = steps({"translate": {"width": 0.5, "border": "constant", "value": [10, 200, 90]}}, *after)
    shifted = augment.apply(made, tf.constant(image), tf.constant([[1.0, 0.0, *[0.0] * (96 if after else 0)]])).numpy()
    np.testing.assert_allclose(shifted[:, :, :4], image[:, :, 4:], atol=1e-3)
    np.testing.assert_allclose(shifted[:, :, 4:], np.broadcast_to(np.float32([10, 200, 90]), (1, 6, 4, 3)), atol=1e-4)


@pytest.mark.parametrize(("border", "value"), BORDERS)
def test_rand_augment_s_moves_have_its_border(border, value):
    place = 2 * (rand_augment.NAMES.index("translate_x") + 0.5) / len(rand_augment.NAMES) - 1
    made = steps({"rand_augment": {"operations": 1, "magnitude": 10, "border": border, "value": value}})
    shift = rand_augment.SHIFT * WIDTH
    expected = ndimage.shift(IMAGE, (0, -shift), order=1, mode=SCIPY[border], cval=value)
    np.testing.assert_allclose(applied(made, IMAGE, place, 0.5), expected, atol=0.05)


def test_moves_of_different_borders_are_done_one_after_the_other():
    rotate = {"rotate": {"degrees": 40, "border": "constant", "value": 255}}
    shift = {"translate": {"width": 0.3}}
    together = applied(steps(rotate, shift), IMAGE, 0.8, 0.9, 0.0)
    apart = applied(steps(shift), applied(steps(rotate), IMAGE, 0.8), 0.9, 0.0)
    np.testing.assert_allclose(together, apart, atol=1e-3)


@pytest.mark.parametrize(
    "order", [("flip", "rotate", "translate"), ("rotate", "flip", "translate"), ("rotate", "translate", "flip")]
)
def test_a_flip_among_moves_of_one_border_blurs_nothing_and_breaks_none_of_it(order):
    """A turn and the turn back leave the middle as it is only where they are one resampling."""
    around = {"border": "constant", "value": 9}
    trees = {"flip": {}, "rotate": {"degrees": 30, **around}, "translate": {"width": 0, **around}}
    numbers = {"flip": (-1.0, 1.0), "rotate": (1.0,), "translate": (0.0, 0.0)}
    made = steps(*({name: trees[name]} for name in order), {"rotate": {"degrees": 30, **around}})
    drawn = [number for name in order for number in numbers[name]]
    turned = order.index("rotate") < order.index("flip")
    back = 1.0 if turned else -1.0  # a mirrored turn goes the other way
    flipped = applied(made, IMAGE, *drawn, back)
    np.testing.assert_allclose(flipped[2:-2, 3:-3], IMAGE[:, ::-1][2:-2, 3:-3], atol=0.05)


def test_shifted_and_turned_digits_have_no_ghosts_on_a_constant_ground():
    """Ink at the border comes back in the mirror; on a constant ground, what comes in has none."""
    images = tf.constant(digits.images()[0][:200], tf.float32)
    drawn = tf.tile([[0.0, 1.0]], [200, 1])  # three of eight rows up: ink is at the upper and lower border of most digits
    ghosts = {}
    for border in ("mirror", "constant"):
        made = steps({"translate": {"height": 3 / 8, "border": border}})
        ghosts[border] = np.mean(augment.apply(made, images, drawn).numpy()[:, 5:].max((1, 2, 3)) > 64)
    assert ghosts["mirror"] > 0.9
    assert ghosts["constant"] == 0

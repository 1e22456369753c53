"""Sides of volumes and the smallest image, against Keras's own shapes and by trying every size."""

import re

import keras
import pytest

from keras_models.room import Window, least_side, need_room

CHAIN = (Window("conv1", 7, 2, 1), Window("pool1", 3, 2, "same"), Window("conv2", 5, 2), Window("pool2", 3, 2))


@pytest.mark.parametrize(
    ("side", "window", "places"),
    [  # floor((N - F + 2P) / S) + 1
        (32, Window("", 5, 1, 2), 32),
        (7, Window("", 3, 1, 1), 7),
        (28, Window("", 5), 24),
        (227, Window("", 11, 4), 55),
        (4, Window("", 5), 0),
        (1, Window("", 5, 4), 0),
    ],
)
def test_places(side, window, places):
    assert window.places(side) == places


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 2), (3, 2), (5, 1), (5, 3)])
def test_places_are_keras_s(size, stride, padding):
    window, pool = Window("pool", size, stride, padding), keras.layers.MaxPooling2D(size, stride, padding)
    for side in range(size, 20):
        assert window.places(side) == pool.compute_output_shape((None, side, side, 1))[1]


@pytest.mark.parametrize("padding", ["valid", "same", 1])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 2), (3, 2), (5, 1), (5, 3), (11, 4)])
def test_least_is_the_first_that_has_the_places(size, stride, padding):
    window = Window("conv", size, stride, padding)
    for places in range(1, 6):
        assert window.least(places) == next(side for side in range(1, 100) if window.places(side) >= places)


def test_smallest_image_by_trying_all():
    def fits(side):
        for window in CHAIN:
            side = window.places(side)
        return side > 0

    least = least_side(CHAIN)
    assert [side for side in range(1, 2 * least) if fits(side)] == list(range(least, 2 * least))


def test_names_the_first_layer_that_leaves_nothing():
    least = least_side(CHAIN)
    need_room((least, 99, 3), CHAIN)
    too_small = (
        f"an image of 99 x {least - 1} px is too small: pool2 leaves nothing of it; the smallest that works is {least} x {least} px"
    )
    with pytest.raises(ValueError, match=f"^{too_small}$"):
        need_room((99, least - 1, 3), CHAIN)
    with pytest.raises(ValueError, match="conv1 leaves nothing of it"):
        need_room((4, 4, 3), CHAIN)
    with pytest.raises(ValueError, match=re.escape(f"{least} x {least} px, and less is more") + "$"):
        need_room((4, 4, 3), CHAIN, "less is more")

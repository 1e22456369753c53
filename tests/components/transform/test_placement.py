"""Where an image lies among the bars that `fit` puts around it, beside what the pixels themselves show."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.example_gen import pictures
from components.transform import pixels, placement
from configs.errors import HubelError
from configs.schema.transform import TransformConfig

SIZES = [(8, 8), (5, 40), (40, 5), (1, 30), (30, 1), (7, 9), (100, 63), (33, 32), (16, 12)]  # height, width


def config(resize="fit", height=16, width=12):
    return TransformConfig(height=height, width=width, channels=1, resize=resize)


def white(size) -> bytes:
    encoded = io.BytesIO()
    Image.new("L", size[::-1], 255).save(encoded, "PNG")
    return encoded.getvalue()


@pytest.mark.parametrize("resize", ["fit", "crop", "stretch"])
def test_it_is_where_a_white_image_is_white(resize):
    seen, placed = pixels.placed_from_bytes(tf.constant([white(size) for size in SIZES]), config(resize))
    np.testing.assert_array_equal(seen, pixels.from_bytes(tf.constant([white(size) for size in SIZES]), config(resize)))
    inside = placement.inside(placed, 16, 12).numpy()
    np.testing.assert_array_equal(inside == 1, seen.numpy() == 255)
    assert (resize == "fit") == (inside.min() == 0)
    targets = {name: tf.constant(sides, tf.int64) for name, sides in zip(placement.SIZE, zip(*SIZES, strict=True), strict=True)}
    np.testing.assert_array_equal(placement.of_targets(targets, len(SIZES), config(resize)), placed)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_record_of_a_turned_photo_says_the_size_that_the_graph_sees(orientation):
    """Calibration takes the size from the record, a signature from the photo that it turns."""
    photo, tags = io.BytesIO(), Image.Exif()
    tags[pictures.ORIENTATION] = orientation
    Image.new("RGB", (40, 20), (200, 180, 160)).save(photo, "JPEG", exif=tags)
    measures = pictures.read(photo.getvalue()).measures
    targets = {name: tf.constant([measures[name]], tf.int64) for name in placement.SIZE}
    _, placed = pixels.placed_from_bytes(tf.constant([photo.getvalue()]), config())
    np.testing.assert_array_equal(placement.of_targets(targets, 1, config()), placed)
    assert placed.numpy()[0, 2:].tolist() == ([6, 12] if orientation in (1, 3) else [16, 8])


def test_a_black_image_is_no_bar():
    black = io.BytesIO()
    Image.new("L", (12, 16)).save(black, "PNG")
    _, placed = pixels.placed_from_bytes(tf.constant([black.getvalue()]), config())
    assert placed.numpy().tolist() == [[0, 0, 16, 12]]


@pytest.mark.parametrize("targets", [{}, dict.fromkeys(placement.SIZE, tf.constant([5, -1], tf.int64))])
def test_a_size_that_nobody_knows_is_not_guessed(targets):
    assert placement.of_targets(targets, 2, config("stretch")).numpy().tolist() == [[0, 0, 16, 12]] * 2
    with pytest.raises(HubelError, match="does not say how large") as caught:
        placement.of_targets(targets, 2, config())
    assert caught.value.hint

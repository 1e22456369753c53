"""From bytes to pixels: literal values on tiny images, one function for one image and a batch."""

import io
import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from components.transform import pixels
from configs.schema.transform import TransformConfig
from tests.components import digits
from tests.components.example_gen import test_pictures as pictures


def config(height, width, channels=1, resize="fit", interpolation="bilinear") -> TransformConfig:
    return TransformConfig(height=height, width=width, channels=channels, resize=resize, interpolation=interpolation)


def png(array) -> bytes:
    return tf.io.encode_png(np.asarray(array, np.uint8)).numpy()


def resized(rows, height, width, resize) -> list:
    image = np.asarray(rows, np.float32)[..., None]
    return pixels.resize(tf.constant(image), config(height, width, resize=resize))[..., 0].numpy().tolist()


def test_a_png_of_the_model_s_size_comes_back_as_it_was():
    images = digits.images()[0][:5]
    decoded = pixels.from_bytes(tf.constant([png(image) for image in images]), config(8, 8))
    assert decoded.dtype == tf.uint8
    assert np.array_equal(decoded, images)


def test_no_loop_stands_in_a_branch():
    """A session, which TF Serving has, at times optimizes a loop in a branch into a graph with "inputs from different frames"."""
    encoded = tf.TensorSpec([None], tf.string)
    traced = tf.function(lambda images: pixels.sized_from_bytes(images, config(8, 8)), [encoded], autograph=False)
    graph = traced.get_concrete_function().graph.as_graph_def()
    functions = {function.signature.name: function.node_def for function in graph.library.function}
    nodes = [node for body in (graph.node, *functions.values()) for node in body]
    branches = {node.attr[name].func.name for node in nodes for name in ("then_branch", "else_branch") if "If" in node.op}
    assert len(branches) > 10
    assert not [name for name in branches for node in functions[name] if "While" in node.op]


def test_a_jpeg_is_decoded_as_tensorflow_decodes_it():
    image = pictures.saved(pictures.picture("RGB"), "JPEG")
    decoded = pixels.from_bytes(tf.constant([image]), config(8, 8, 3))[0]
    assert np.array_equal(decoded, tf.io.decode_jpeg(image, channels=3))


def test_grey_becomes_three_equal_channels_and_colour_becomes_its_luma():
    grey = pixels.from_bytes(tf.constant([png([[[7]], [[200]]])]), config(2, 1, 3))[0]
    assert grey.numpy().tolist() == [[[7, 7, 7]], [[200, 200, 200]]]
    colour = pixels.from_bytes(tf.constant([png([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]])]), config(1, 4))[0, 0, :, 0]
    assert np.allclose(colour, [0.299 * 255, 0.587 * 255, 0.114 * 255, 9], atol=1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("form", "options"), [("BMP", {}), ("GIF", {}), ("WEBP", {"lossless": True})])
def test_other_formats_are_seen_as_the_png_of_their_pixels_is_when_training_and_when_serving(form, options, mode, channels):
    given = Image.fromarray(noise(16, 17, 3).astype(np.uint8)).convert(mode)
    if form == "GIF":
        given = given.quantize(128).convert(mode)
    sent, plain = pictures.saved(given, form, **options), pictures.saved(given)
    as_trained = pictures.pictures.read(sent).encoded  # a PNG
    served = pixels.from_bytes(tf.constant([sent, as_trained, plain]), config(16, 17, channels)).numpy()
    assert np.array_equal(served[0], served[1])
    assert np.array_equal(served[0], served[2])
    assert served.std() > 10


@pytest.mark.parametrize("form", ["BMP", "GIF"])
def test_a_mask_may_be_of_another_format(form):
    mask = pictures.saved(pictures.picture(), form)
    masks = pixels.masks_from_bytes(tf.constant([mask, pictures.saved(pictures.picture())]), config(12, 12, 3)).numpy()
    assert np.array_equal(masks[0], masks[1])


@pytest.mark.parametrize(
    ("resize", "rows", "expected"),
    [
        ("fit", [[10, 20]], [[10, 20], [0, 0]]),  # as wide as it may be; the odd black row is below
        ("fit", [[10], [20]], [[10, 0], [20, 0]]),
        ("fit", [[40]], [[40, 40], [40, 40]]),
        ("fit", [[10, 10, 10, 10], [10, 10, 10, 10]], [[10, 10], [0, 0]]),
        ("stretch", [[10, 20]], [[10, 20], [10, 20]]),
        ("stretch", [[10], [20]], [[10, 10], [20, 20]]),
        ("crop", [[1, 10, 20, 2], [3, 30, 40, 4]], [[10, 20], [30, 40]]),
        ("crop", [[1, 1], [10, 20], [30, 40], [2, 2]], [[10, 20], [30, 40]]),
        ("crop", [[5, 70, 5]], [[70, 70], [70, 70]]),
    ],
)
def test_fit_pads_stretch_fills_and_crop_cuts(resize, rows, expected):
    assert resized(rows, 2, 2, resize) == expected


def test_fit_centres_what_it_pads():
    assert resized([[9, 9, 9, 9], [9, 9, 9, 9]], 4, 4, "fit") == [[0] * 4, [9] * 4, [9] * 4, [0] * 4]
    assert resized([[9, 9]] * 4, 4, 4, "fit") == [[0, 9, 9, 0]] * 4


def test_crop_keeps_the_centre():
    wide = np.tile(np.arange(12.0), (4, 1))
    assert resized(wide, 4, 4, "crop") == np.tile(np.arange(4.0, 8.0), (4, 1)).tolist()
    assert resized(wide.T, 4, 4, "crop") == np.tile(np.arange(4.0, 8.0), (4, 1)).T.tolist()


def test_values_are_rounded_to_whole_numbers_of_a_byte():
    assert resized([[0.4, 0.6], [254.7, 300.0]], 2, 2, "stretch") == [[0, 1], [255, 255]]
    assert resized([[-3.0, 1.0], [2.0, 3.0]], 2, 2, "stretch") == [[0, 1], [2, 3]]


INTERPOLATIONS = ["bilinear", "nearest", "area"]


def noise(height, width, channels=1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels)).astype(np.float32)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(30, 20), (7, 5), (8, 6), (3, 40)])
def test_interpolation_is_tensorflow_s_of_that_name(interpolation, size):
    image = noise(*size, 3)
    expected = tf.round(tf.image.resize(image, (8, 6), interpolation, antialias=interpolation == "bilinear"))
    assert np.array_equal(pixels.resize(tf.constant(image), config(8, 6, 3, "stretch", interpolation)), expected)


def test_enlarging_by_the_nearest_repeats_pixels():
    image = noise(4, 3)
    enlarged = pixels.resize(tf.constant(image), config(8, 6, interpolation="nearest"))
    assert np.array_equal(enlarged, image.repeat(2, 0).repeat(2, 1))


def test_halving_by_area_takes_the_mean_of_four_pixels():
    image = noise(16, 12) // 4 * 4  # so that no mean is half-way between two bytes
    halved = pixels.resize(tf.constant(image), config(8, 6, interpolation="area"))
    assert np.array_equal(halved, np.round(image.reshape(8, 2, 6, 2).mean((1, 3)))[..., None])


def test_the_nearest_makes_no_new_values_and_area_covers_every_pixel():
    image = np.zeros((9, 9, 1), np.float32)
    image[0, 0] = 252
    assert set(np.unique(pixels.resize(tf.constant(noise(50, 37)), config(8, 6, 1, "crop", "nearest")))) <= set(
        np.unique(noise(50, 37))
    )
    assert pixels.resize(tf.constant(image), config(3, 3, interpolation="area"))[0, 0, 0] == 28
    assert not np.any(pixels.resize(tf.constant(image), config(3, 3, interpolation="nearest")))


@settings(max_examples=40)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 24),
    st.integers(1, 24),
    st.sampled_from(["fit", "stretch", "crop"]),
    st.integers(0, 255),
    st.sampled_from(INTERPOLATIONS),
)
def test_every_size_becomes_the_size_asked_for(height, width, to_height, to_width, resize, value, interpolation):
    image = tf.fill([height, width, 1], float(value))
    resized = pixels.resize(image, config(to_height, to_width, resize=resize, interpolation=interpolation)).numpy()
    assert resized.shape == (to_height, to_width, 1)
    kept = np.zeros_like(resized) + value
    if resize == "fit":
        rows = max(1, round(height * min(to_height / height, to_width / width)))
        assert (resized == value).any()
        assert set(np.unique(resized)) <= {0, value}
        assert (resized[..., 0].max(1) == value).sum() >= min(rows, to_height)
    else:
        assert np.array_equal(resized, kept)


@pytest.mark.parametrize("resize", ["fit", "stretch", "crop"])
@pytest.mark.parametrize(
    ("interpolation", "channels"),
    [
        *((interpolation, 3) for interpolation in INTERPOLATIONS),
        ("bilinear", 1),
        *(pytest.param(interpolation, 1, marks=pytest.mark.whole) for interpolation in INTERPOLATIONS[1:]),
    ],
)
def test_bytes_give_what_their_decoded_pixels_give_one_by_one_and_as_a_batch(resize, channels, interpolation):
    chosen = config(12, 10, channels, resize, interpolation)
    served = tf.function(lambda encoded: pixels.from_bytes(encoded, chosen))  # one graph of images of any size
    for size in ((8, 8), (24, 9), (5, 31), (64, 64)):
        images = [pictures.saved(pictures.picture("RGB", size)), pictures.saved(pictures.picture("L", size), "JPEG")]
        decoded = [tf.io.decode_image(image, channels=channels, expand_animations=False) for image in images]
        expected = pixels.from_bytes(tf.constant(images), chosen)
        assert np.array_equal(expected, [pixels.resize(image, chosen) for image in decoded])
        assert np.array_equal(expected, pixels.resize(tf.stack(decoded), chosen))
        assert np.array_equal(expected, pixels.resize(tf.cast(tf.stack(decoded), tf.float32), chosen))
        assert np.array_equal(expected, served(tf.constant(images)))
    assert served.experimental_get_tracing_count() == 1


def test_an_empty_batch_is_an_empty_batch():
    assert pixels.from_bytes(tf.constant([], tf.string), config(4, 5, 3)).shape == (0, 4, 5, 3)


@pytest.mark.parametrize(
    ("width", "height"), [(8193, 4096), (2**31 - 1, 2**31 - 1), (2**32 - 1, 2**32 - 1), (2**31, 2**31), (1, 2**25 + 1)]
)
def test_a_declared_size_over_the_limit_is_refused_before_decoding(width, height):
    decode = tf.function(lambda x: pixels.from_bytes(x, config(8, 8)))
    assert decode(tf.constant([pictures.saved(pictures.picture())])).shape == (1, 8, 8, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="may have at most 33554432 pixels"):
        decode(tf.constant([pictures.png(width, height, 8, 0, b"\0")]))


def test_a_jpeg_over_the_limit_is_refused_before_decoding():
    image = bytearray(pictures.saved(pictures.picture(), "JPEG"))
    at = image.index(b"\xff\xc0") + 5
    image[at : at + 4] = b"\x80\x00\x80\x00"  # 32768 x 32768
    with pytest.raises(tf.errors.InvalidArgumentError, match="may have at most"):
        pixels.from_bytes(tf.constant([bytes(image)]), config(8, 8))


@pytest.mark.parametrize(
    "image", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", pictures.saved(pictures.picture())[:40]], ids=repr
)
def test_what_is_no_image_is_an_error_of_the_argument(image):
    with pytest.raises(tf.errors.InvalidArgumentError):
        pixels.from_bytes(tf.constant([image]), config(8, 8))


def test_a_long_thin_image_does_not_take_the_memory_of_its_length_times_the_model_s_size():
    buffer = io.BytesIO()
    Image.new("L", (400_000, 1), 7).save(buffer, "PNG")
    cropped = pixels.from_bytes(tf.constant([buffer.getvalue()]), config(512, 512, 3, "crop"))  # 2.3 TiB if it were scaled whole
    assert np.all(cropped == 7)


def test_an_image_without_pixels_is_an_error_and_no_crash():
    for resize, interpolation in itertools.product(("fit", "stretch", "crop"), INTERPOLATIONS):
        shape = tf.TensorSpec([None, None, None, 1])
        chosen = config(8, 8, 1, resize, interpolation)
        served = tf.function(lambda x, chosen=chosen: pixels.resize(x, chosen), input_signature=[shape])
        with pytest.raises(tf.errors.InvalidArgumentError):
            served(tf.zeros([2, 0, 5, 1]))

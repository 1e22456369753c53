"""What counts as an image, and the number that decides which split it belongs to."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from components import keys
from components.example_gen import records
from components.transform.pixels import from_bytes
from configs.schema import TransformConfig
from tests.components import digits


def encoded(form: str, size=(8, 8), mode="L") -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(digits.images()[0][0][..., 0]).resize(size).convert(mode)
    picture.save(buffer, form)
    return buffer.getvalue()


def png_declaring(width: int, height: int) -> bytes:
    """A PNG whose header says one thing and whose data holds next to nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("PNG", "L"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("PNG", "P"),
        ("PNG", "1"),
        ("JPEG", "L"),
        ("JPEG", "RGB"),
        ("MPO", "RGB"),
    ],
)
def test_sound_images_have_no_damage_and_decode_to_grey_and_colour(form, mode):
    image = encoded(form, mode=mode)
    assert records.damage(image) is None
    for channels in (1, 3):
        assert from_bytes(tf.constant([image]), TransformConfig(channels=channels)).shape == (1, 32, 32, channels)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (b"", "empty"),
        (b"no image at all", "not an image"),
        (b"<svg/>", "not an image"),
        (encoded("PNG")[:8], "not an image"),
        (encoded("PNG")[:-30], "damaged"),
        (encoded("PNG", (64, 64))[:200], "damaged"),
        (encoded("JPEG", (64, 64))[:-300], "damaged"),
        (png_declaring(8193, 4096), "too large"),
        (png_declaring(2**31 - 1, 2**31 - 1), "too large"),
        (png_declaring(4096, 4096), "damaged"),
        (encoded("PNG")[:-4], "damaged"),
        (encoded("JPEG", mode="CMYK"), "CMYK"),
        (encoded("GIF"), "not PNG or JPEG"),
        (encoded("BMP"), "not PNG or JPEG"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}_bytes",
)
def test_damage_is_named(image, reason):
    assert records.damage(image) == reason


def test_the_largest_image_allowed_is_no_damage():
    buffer = io.BytesIO()
    Image.new("1", (2**13, 2**12)).save(buffer, "PNG")
    assert 2**25 == records.MAX_PIXELS
    assert records.damage(buffer.getvalue()) is None


SOUND = {form: encoded(form, (24, 24)) for form in ("PNG", "JPEG")}


@settings(deadline=None)
@given(st.sampled_from(["PNG", "JPEG"]), st.data())
def test_what_gets_past_the_check_decodes(form, data):
    image = bytearray(SOUND[form])
    for _ in range(data.draw(st.integers(1, 3))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    image = bytes(image[: data.draw(st.integers(1, len(image)))])
    reason = records.damage(image)
    assert reason in (None, "not an image", "too large", "not PNG or JPEG", "damaged", "CMYK")
    if reason is None:
        for channels in (1, 3):
            assert from_bytes(tf.constant([image]), TransformConfig(channels=channels)).shape == (1, 32, 32, channels)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_file_cut_anywhere_is_damaged(form):
    reasons = {records.damage(SOUND[form][:length]) for length in range(1, len(SOUND[form]) - 2)}
    assert reasons == {"not an image", "damaged"}


def test_an_example_holds_the_raw_schema_and_its_label_only_where_there_is_one():
    made = tf.train.Example.FromString(records.example(b"png", b"id-1", 0)).features.feature
    assert set(made) == {keys.IMAGE_ENCODED, keys.IMAGE_ID, keys.LABEL}
    assert made[keys.IMAGE_ENCODED].bytes_list.value[0] == b"png"
    assert made[keys.LABEL].int64_list.value[0] == 0
    assert set(tf.train.Example.FromString(records.example(b"png", b"id-1")).features.feature) == {
        keys.IMAGE_ENCODED,
        keys.IMAGE_ID,
    }


@given(st.binary(max_size=50))
def test_a_share_is_stable_and_below_one(image_id):
    assert 0 <= records.share(image_id) < 1
    assert records.share(image_id) == records.share(bytes(bytearray(image_id)))


def test_shares_of_two_purposes_have_nothing_to_do_with_each_other():
    pairs = np.array([[records.share(f"{i}".encode()), records.share(f"{i}".encode(), b"limit")] for i in range(4000)])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 4 / np.sqrt(4000)


def test_shares_never_change_between_releases():
    assert records.share(b"digits-train.tfrecord-00000-of-00001__0") == pytest.approx(KNOWN_SHARE, abs=1e-15)


KNOWN_SHARE = 0.1759200990436445

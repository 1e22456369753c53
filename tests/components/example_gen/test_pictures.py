"""Images on their way in: what they decode to afterwards is what a person sees, and what is no image is said to be damaged."""

import functools
import io
import json
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from components import image_files, keys
from components.example_gen import changes, pictures, sources
from components.transform.decoding import decode
from components.transform.pixels import from_bytes
from configs.schema.data import DataConfig
from configs.schema.reading import Reading
from configs.schema.transform import TransformConfig
from tests.components import digits
from tests.components.example_gen import deep_colour
from tests.components.example_gen.test_component import generated, ids

ROUNDING = 6  # of 255: TensorFlow's JPEG decoder takes a faster transform than Pillow's
COLOUR = np.stack([np.roll(digits.images()[0][5][..., 0], turn, turn % 2) for turn in range(3)], -1)  # uint8 [8, 8, 3]


def picture(mode: str = "L", size=(8, 8)) -> Image.Image:
    return Image.fromarray(COLOUR).resize(size).convert(mode)


def saved(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def decoded(encoded: bytes) -> np.ndarray:
    """As `read` leaves it, and as Transform and the served graph decode it."""
    kept = pictures.read(encoded)
    tidy = kept.encoded
    assert tidy.startswith((b"\x89PNG", b"\xff\xd8\xff"))
    for channels in (1, 3):
        read, served = (decode(tf.constant(tidy), channels, Reading(), stored) for stored in (True, False))
        assert np.array_equal(read, served)
    return decode(tf.constant(tidy), kept.channels, Reading()).numpy()


def over(colours: np.ndarray, alpha: np.ndarray, ground=(255, 255, 255)) -> np.ndarray:
    """[h, w, c] and [h, w] of 0..255 -> as a person sees it over the ground."""
    share = alpha[..., None].astype(float) / 255
    return colours * share + np.array(ground[: colours.shape[-1]]) * (1 - share)


def png(width: int, height: int, depth: int, kind: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG put together by hand; `rows` are unfiltered pixels, `extra` are chunks before them."""
    stride = len(rows) // height if height else 0
    lines = b"".join(b"\0" + rows[at : at + stride] for at in range(0, len(rows), stride or 1))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_sound_8_bit_pngs_stay_as_they_are(mode):
    encoded = saved(picture(mode))
    stored = pictures.read(encoded)
    assert stored.encoded == encoded
    np.testing.assert_array_equal(decoded(encoded).reshape(8, 8, -1), np.asarray(picture(mode)).reshape(8, 8, -1))
    assert (stored.height, stored.width, stored.channels) == (8, 8, len(mode))


def drawing(colour=(0, 0, 0)) -> Image.Image:
    """A disc in one colour, the ground transparent: all of the picture is in its alpha. RGBA, 16x16."""
    y, x = np.mgrid[-8:8, -8:8]
    alpha = np.where(x**2 + y**2 < 30, 255, 0)[..., None]
    return Image.fromarray(np.concatenate([np.broadcast_to(colour, (16, 16, 3)), alpha], -1).astype(np.uint8))


def as_palette(image: Image.Image, form: str) -> bytes:
    """A palette of black and black, the second of it transparent."""
    indices = Image.fromarray((np.asarray(image)[..., 3] == 0).astype(np.uint8), "P")
    indices.putpalette([*np.asarray(image)[8, 8, :3].tolist()] * 2)
    return saved(indices, form, transparency=1)


CARRIERS = {
    "RGBA": lambda image: saved(image),
    "LA": lambda image: saved(image.convert("LA")),
    "palette": lambda image: as_palette(image, "PNG"),
    "GIF": lambda image: as_palette(image, "GIF"),
    "WebP": lambda image: saved(image, "WEBP", lossless=True),
    "TIFF": lambda image: saved(image, "TIFF"),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("ground", ["white", "black", [10, 200, 30]])
def test_what_is_transparent_is_seen_over_the_ground(carrier, ground):
    reading = Reading(ground=ground)
    image = drawing((90, 90, 90))
    stored = pictures.read(CARRIERS[carrier](image), reading)
    wanted = over(np.asarray(image)[..., :3], np.asarray(image)[..., 3], reading.rgb)
    np.testing.assert_array_equal(decode(tf.constant(stored.encoded), 3, reading), wanted)
    assert stored.brightness == pytest.approx(wanted.mean())
    assert stored.changes == (pictures.OVER_GROUND, pictures.IN_ALPHA)
    assert stored.content == pictures.read(saved(Image.fromarray(wanted.astype(np.uint8))), reading).content or ground != [
        10,
        200,
        30,
    ]


def test_drawings_that_differ_in_alpha_alone_are_different_pictures():
    others = np.asarray(drawing()).copy()
    others[..., 3] = np.roll(others[..., 3], 3, 0)
    assert pictures.read(saved(drawing())).content != pictures.read(saved(Image.fromarray(others))).content


def test_a_drawing_in_the_colour_of_its_ground_is_said_to_be_blank():
    assert pictures.BLANK in pictures.read(saved(drawing((255, 255, 255)))).changes
    assert pictures.BLANK not in pictures.read(saved(drawing((255, 255, 255))), Reading(ground="black")).changes
    photo = np.dstack([COLOUR, np.full((8, 8), 255, np.uint8)])
    assert pictures.read(saved(Image.fromarray(photo))).changes == (), "alpha that hides nothing is no change"
    photo[:4, :, 3] = 0
    assert pictures.read(saved(Image.fromarray(photo))).changes == (pictures.OVER_GROUND,)


def test_a_gif_is_transparent_where_its_first_frame_does_not_reach():
    encoded = bytearray(saved(picture("L"), "GIF"))
    encoded[6:10] = struct.pack("<HH", 12, 10)  # a larger screen
    stored = pictures.read(bytes(encoded))
    seen = decode(tf.constant(stored.encoded), 3, Reading()).numpy()
    assert seen.shape == (10, 12, 3)
    np.testing.assert_array_equal(seen[:8, :8, 0], np.asarray(picture("L")))
    assert (seen[8:] == 255).all()
    assert (seen[:, 8:] == 255).all()


@pytest.mark.parametrize("form", ["TIFF", "PPM", "JPEG2000"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_pillow_decodes_is_read_by_its_content(form, mode):
    options = {"irreversible": False} if form == "JPEG2000" else {}
    pixels = decoded(saved(picture(mode, (24, 16)), form, **options))
    np.testing.assert_array_equal(pixels.squeeze(), np.asarray(picture(mode, (24, 16))))


@pytest.mark.parametrize("comment", [b"", b"# by hand 3 255\n"])
def test_of_a_ppm_of_16_bits_the_upper_half_is_read_and_that_is_said(comment):
    values = np.linspace(0, 65535, 8 * 8 * 3).astype(">u2")
    encoded = b"P6\n" + comment + b"8 8\n65535\n" + values.tobytes()
    assert pictures.read(encoded).changes == (pictures.CUT,)
    np.testing.assert_allclose(decoded(encoded).ravel(), values / 257, atol=1)
    for refused in (lambda: pictures.read(encoded, Reading(white=4095)), lambda: pictures.sendable(encoded, True, 4095)):
        with pytest.raises(pictures.Damaged, match=pictures.VALUES):
            refused()
    assert pictures.read(saved(picture("RGB"), "PPM")).changes == ()


@pytest.mark.parametrize("name", deep_colour.FILES)
def test_of_deep_colour_in_jpeg_2000_and_avif_8_bits_are_read_and_that_is_said(name):
    encoded = deep_colour.FILES[name]
    assert pictures.read(encoded).changes == (pictures.CUT,)
    np.testing.assert_allclose(decoded(encoded).astype(int), deep_colour.SEEN, atol=1)
    np.testing.assert_allclose(decode(tf.constant(pictures.sendable(encoded, True)), 3, Reading()), deep_colour.SEEN, atol=1)
    for refused in (lambda: pictures.read(encoded, Reading(white=4095)), lambda: pictures.sendable(encoded, True, 4095)):
        with pytest.raises(pictures.Damaged, match=pictures.VALUES):
            refused()
    [said] = changes.doubts({pictures.CUT: 2}, -1, Reading())
    assert said.startswith("2 images have more than 8 bits a colour in a format of which only the upper 8 are read")


@pytest.mark.parametrize("form", ["JPEG2000", "AVIF", "PPM"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_colour_of_8_bits_is_not_said_to_be_deeper(form, mode):
    if form == "PPM" and mode in ("LA", "RGBA"):
        return  # which has no alpha
    assert pictures.CUT not in pictures.read(saved(picture(mode), form)).changes


def test_16_bit_grey_in_jpeg_2000_is_scaled():
    values = (np.arange(64).reshape(8, 8) * 64).astype(np.uint16)
    stored = pictures.read(saved(Image.fromarray(values), "JPEG2000", irreversible=False), Reading(white=4095))
    assert (stored.changes, stored.peak) == ((pictures.DEEP,), 4032)
    np.testing.assert_allclose(tf.io.decode_png(stored.encoded)[..., 0], np.rint(values * (255 / 4095)), atol=1)


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {}</rdf:RDF></x:xmpmeta>'
)


def with_xmp(form: str, orientation: int, exif: int | None = None) -> bytes:
    """24x16 px with an orientation in XMP, as an attribute or, of a larger one, as an element, and maybe another in EXIF."""
    element = f"><tiff:Orientation>{orientation}</tiff:Orientation></rdf:Description>"
    packet = XMP.format(f'tiff:Orientation="{orientation}"/>' if orientation < 5 else element).encode()
    tags = Image.Exif()
    if exif:
        tags[pictures.ORIENTATION] = exif
    options = {"exif": tags} if exif else {}
    if form == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", packet.decode())
        return saved(picture("RGB", (24, 16)), form, pnginfo=chunks, **options)
    if form == "TIFF":
        return saved(picture("RGB", (24, 16)), form, tiffinfo={700: packet, **({pictures.ORIENTATION: exif} if exif else {})})
    return saved(picture("RGB", (24, 16)), form, xmp=packet, **options)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_an_orientation_in_xmp_alone_is_not_followed_and_that_is_said(form, orientation):
    encoded = with_xmp(form, orientation)
    kept = pictures.read(encoded)
    assert pictures.UNTURNED in kept.changes
    assert pictures.TURNED not in kept.changes
    assert (kept.height, kept.width) == (16, 24)
    stored = np.asarray(Image.open(io.BytesIO(saved(picture("RGB", (24, 16)), form))).convert("RGB")).astype(int)
    np.testing.assert_allclose(decoded(encoded).astype(int), stored, atol=ROUNDING)
    assert pictures.orientation_of(encoded) == 1
    for turns in (True, False):
        np.testing.assert_allclose(
            decode(tf.constant(pictures.sendable(encoded, turns)), 3, Reading()).numpy().astype(int), stored, atol=ROUNDING
        )
    [said] = [text for text in changes.doubts(dict.fromkeys(kept.changes, 1), -1, Reading()) if "XMP" in text]
    assert "not followed, as in a browser: read as stored" in said


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_what_exif_says_is_followed_whatever_xmp_says(form):
    stored = pictures.read(with_xmp(form, 8, exif=6))
    assert pictures.UNTURNED not in stored.changes
    assert pictures.TURNED in stored.changes
    assert (stored.height, stored.width) == (24, 16)
    assert pictures.UNTURNED not in pictures.read(with_xmp(form, 1)).changes


def test_a_tiff_is_turned_once():
    encoded = saved(picture("RGB", (24, 16)), "TIFF", tiffinfo={pictures.ORIENTATION: 6})
    stored = pictures.read(encoded)
    assert stored.changes == (pictures.TURNED,)
    np.testing.assert_array_equal(decoded(encoded), np.rot90(np.asarray(picture("RGB", (24, 16))), -1))


def test_of_a_tiff_the_first_page_is_read_and_that_is_said():
    pages = [picture("RGB"), ImageOps.invert(picture("RGB"))]
    encoded = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert pictures.read(encoded).changes == (pictures.FIRST,)
    np.testing.assert_array_equal(decoded(encoded), np.asarray(pages[0]))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb_by_the_plain_formula(form):
    blocks = np.random.default_rng(0).integers(0, 256, (2, 3, 4), np.uint8).repeat(8, 0).repeat(8, 1)  # a JPEG's own
    image = Image.fromarray(blocks, "CMYK")
    encoded = saved(image, form, **({"quality": 100, "subsampling": 0} if form == "JPEG" else {}))
    kept = pictures.read(encoded)
    assert (kept.channels, kept.changes) == (3, (pictures.CMYK,))
    stored = np.asarray(Image.open(io.BytesIO(encoded))).astype(float)
    wanted = (255 - stored[..., :3]) * (255 - stored[..., 3:]) / 255
    assert np.abs(decoded(encoded) - wanted).max() <= ROUNDING


def test_a_profile_of_cmyk_is_followed(monkeypatch):
    """There is no free profile of CMYK to be had here: that of sRGB stands for one, and the formula for what does not fit."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    encoded = saved(picture("CMYK", (24, 16)), "JPEG", icc_profile=srgb)
    asked = []
    monkeypatch.setattr(
        ImageCms,
        "profileToProfile",
        lambda image, *profiles, **options: asked.append(image.mode) or Image.new("RGB", image.size, "red"),
    )
    assert (decoded(encoded) == [255, 0, 0]).all()
    monkeypatch.undo()
    assert asked == ["CMYK"]
    assert pictures.read(encoded).changes == (pictures.CMYK,), "what is no profile of CMYK leaves the plain formula"


@pytest.mark.parametrize("kind", [0, 2])
def test_white_is_the_value_of_16_bits_that_becomes_255(kind):
    channels = {0: 1, 2: 3}[kind]
    values = np.linspace(0, 5000, 64 * channels).round().astype(">u2").reshape(8, 8, channels)
    stored = pictures.read(png(8, 8, 16, kind, values.tobytes()), Reading(white=4095))
    assert (stored.peak, stored.changes) == (5000, (pictures.DEEP,))
    seen = decode(tf.constant(stored.encoded), channels, Reading()).numpy()
    np.testing.assert_array_equal(seen, np.minimum(np.floor(values / 4095 * 255 + 0.5), 255))


def test_16_bit_grey_of_a_tiff_is_scaled_too():
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 65
    stored = pictures.read(saved(Image.fromarray(values), "TIFF"), Reading(white=4095))
    assert (stored.peak, stored.changes) == (4095, (pictures.DEEP,))
    np.testing.assert_array_equal(decode(tf.constant(stored.encoded), 1, None)[..., 0], np.floor(values / 4095 * 255 + 0.5))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_sound_jpegs_stay_as_they_are(mode):
    encoded = saved(picture(mode, (24, 16)), "JPEG")
    stored = pictures.read(encoded)
    assert stored.encoded == encoded
    assert (stored.height, stored.width, stored.channels) == (16, 24, len(mode))
    assert np.abs(decoded(encoded).squeeze().astype(int) - np.asarray(Image.open(io.BytesIO(encoded)))).max() <= ROUNDING


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits_reaches_from_black_to_white(depth):
    values = np.arange(64) % 2**depth
    bits = "".join(f"{value:0{depth}b}" for value in values)
    rows = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    expected = (values * 255 // (2**depth - 1)).reshape(8, 8, 1)
    np.testing.assert_array_equal(decoded(png(8, 8, depth, 0, rows)), expected)


def test_a_palette_becomes_colour_and_its_transparency_white():
    image = picture("RGB").quantize(8)
    np.testing.assert_array_equal(decoded(saved(image)), np.asarray(image.convert("RGB")))
    pixels = decoded(saved(image, transparency=3))
    transparent = np.asarray(image) == 3
    assert 0 < transparent.sum() < 64
    np.testing.assert_array_equal(pixels, np.where(transparent[..., None], 255, np.asarray(image.convert("RGB"))))


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_16_bits_become_8(kind, channels):
    values = np.linspace(0, 65535, 64 * channels).round().astype(">u2").reshape(8, 8, channels)
    pixels = decoded(png(8, 8, 16, kind, values.tobytes()))
    seen = values.astype(float) / 257
    if kind in (4, 6):
        seen = over(seen[..., :-1], seen[..., -1])
    assert pixels.shape == seen.shape
    assert np.abs(pixels - seen).max() <= (1 if kind in (4, 6) else 0.5)
    assert kind in (4, 6) or (pixels.min(), pixels.max()) == (0, 255)


@pytest.mark.parametrize("kind", [0, 2])
def test_one_colour_that_is_transparent_becomes_the_ground(kind):
    """A PNG without alpha may name one value that is to be seen through."""
    pixels = np.asarray(picture("L" if kind == 0 else "RGB"))
    named = chunk(b"tRNS", struct.pack(">H", int(pixels[0, 0])) if kind == 0 else struct.pack(">HHH", *map(int, pixels[0, 0])))
    shown = decoded(png(8, 8, 8, kind, pixels.tobytes(), named))
    colours = pixels.reshape(8, 8, -1)
    named = (colours == colours[0, 0]).all(-1, keepdims=True)
    assert 0 < named.sum() < 64
    np.testing.assert_array_equal(shown, np.where(named, 255, colours))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("form", "mode"),
    [("JPEG", "L"), ("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "I;16"), ("WEBP", "RGB"), ("MPO", "RGB")],
)
def test_images_stand_upright_as_their_exif_tags_say(form, mode, orientation):
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    image = picture("L", (24, 16)) if mode == "I;16" else picture(mode, (24, 16))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    encoded = saved(image, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded)))
    expected = np.asarray(upright if mode == "I;16" else upright.convert("RGB" if mode == "P" else mode)).astype(int)
    expected = expected // 257 if mode == "I;16" else expected
    pixels = decoded(encoded).squeeze().astype(int)
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= (ROUNDING if form in ("JPEG", "MPO") else 0)
    assert pictures.read(encoded).changes == tuple(["turned"] * (orientation != 1) + ["16_bits"] * (mode == "I;16"))
    assert pixels.shape[:2] == ((24, 16) if orientation > 4 else (16, 24))


@pytest.mark.parametrize("orientation", [1, 6])
def test_16_bit_colour_stands_upright_too(orientation):
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    values = (COLOUR[:4].astype(">u2") * 257).tobytes()
    pixels = decoded(png(8, 4, 16, 2, values, chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))))
    np.testing.assert_array_equal(pixels, np.rot90(COLOUR[:4], -1) if orientation == 6 else COLOUR[:4])


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("BMP", "L", {}),
        ("BMP", "RGB", {}),
        ("BMP", "P", {}),
        ("BMP", "1", {}),
        ("GIF", "L", {}),
        ("GIF", "RGB", {}),
        ("GIF", "P", {}),
        ("WEBP", "RGB", {"lossless": True}),
        ("WEBP", "RGBA", {"lossless": True}),
    ],
)
def test_other_formats_become_pngs_of_the_same_pixels(form, mode, options):
    image = picture("RGB").quantize(16) if mode == "P" else picture(mode)
    if mode == "RGBA":
        image.putalpha(picture("L"))
    encoded = saved(image, form, **options)
    kept = "RGB" if form == "GIF" else {"1": "L", "P": "RGB"}.get(mode, mode)
    pixels = decoded(encoded)
    assert pictures.read(encoded).encoded[:4] == b"\x89PNG"
    expected = np.asarray(Image.open(io.BytesIO(encoded)).convert(kept))
    if mode == "RGBA":
        np.testing.assert_allclose(pixels, over(expected[..., :3], expected[..., 3]), atol=0.51)
        return
    np.testing.assert_array_equal(pixels.squeeze(), expected)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(form):
    frames = [picture("L"), ImageOps.invert(picture("L"))]
    encoded = saved(frames[0], form, save_all=True, append_images=frames[1:], **({"lossless": True} if form == "WEBP" else {}))
    pixels = decoded(encoded)
    np.testing.assert_array_equal(pixels[..., 0], np.asarray(frames[0]))


def test_the_same_pixels_have_the_same_content_whatever_the_encoding():
    grey = picture("L")
    contents = {pictures.read(saved(grey, form)).content for form in ("PNG", "BMP")} | {
        pictures.read(saved(grey, compress_level=level)).content for level in (0, 9)
    }
    assert len(contents) == 1
    assert pictures.read(saved(picture("L", (16, 4)))).content not in contents


def test_brightness_is_the_mean_of_what_is_seen():
    grey = np.asarray(picture("LA")).copy()
    grey[..., 1] = 51
    seen = over(grey[..., :1], grey[..., 1]).mean()
    assert pictures.read(saved(Image.fromarray(grey))).brightness == pytest.approx(seen, abs=0.5)
    assert seen > grey[..., 0].mean() + 100
    assert pictures.read(saved(picture("RGB"))).measures[keys.IMAGE_BRIGHTNESS] == pytest.approx(np.asarray(picture("RGB")).mean())


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"", "empty"),
        (b"no image at all", "not an image"),
        (b"<svg/>", "not an image"),
        (saved(picture())[:8], "not an image"),
        (saved(picture())[:-30], "damaged"),
        (saved(picture())[:-4], "damaged"),
        (saved(picture(size=(64, 64)))[:200], "damaged"),
        (saved(picture(size=(64, 64)), "JPEG")[:-300], "damaged"),
        (saved(picture(size=(64, 64)), "BMP")[:-300], "damaged"),
        (saved(picture(size=(64, 64)), "GIF")[:-300], "damaged"),
        (saved(picture(size=(64, 64)), "WEBP")[:-30], "damaged"),
        (png(8193, 4096, 8, 0, b"\0"), "too large"),
        (png(2**31 - 1, 2**31 - 1, 8, 0, b"\0"), "too large"),
        (png(4096, 4096, 8, 0, b"\0"), "damaged"),
        (png(8, 8, 8, 0, b"\0" * 8), "damaged"),
        (saved(picture("RGB", (64, 64)), "ICO"), "unsupported format"),
        (saved(picture("F"), "TIFF"), "unsupported values"),
        (saved(Image.fromarray(np.full((2, 2), 70000, np.int32)), "TIFF"), "unsupported values"),
        (saved(picture(size=(64, 64)), "TIFF")[:-300], "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}_bytes",
)
def test_damage_is_named(encoded, reason):
    with pytest.raises(pictures.Damaged) as caught:
        pictures.read(encoded)
    assert str(caught.value) == reason


def test_the_largest_image_allowed_is_sound():
    assert image_files.MAX_PIXELS == 2**25
    assert pictures.read(saved(Image.new("1", (2**13, 2**12)))).height == 2**12


SOUND = {
    "PNG": saved(picture("RGB", (24, 24))),
    "palette": saved(picture("RGB").quantize(8), transparency=3),
    "16 bits": png(8, 8, 16, 0, bytes(128)),
    "JPEG": saved(picture("RGB", (24, 24)), "JPEG"),
    "progressive": saved(picture("L", (24, 24)), "JPEG", progressive=True),
}
REASONS = {"empty", "not an image", "unsupported format", "unsupported values", "too large", "damaged"}


def reason_of(encoded: bytes) -> str | None:
    try:
        pictures.read(encoded)
    except pictures.Damaged as error:
        return str(error)
    return None


@pytest.mark.parametrize("form", SOUND)
def test_a_file_cut_anywhere_is_damaged_or_has_all_its_pixels(form):
    cut = {SOUND[form][:length] for length in range(1, len(SOUND[form]) - 2, 3)}
    reasons = {encoded: reason_of(encoded) for encoded in cut}
    assert {"not an image", "damaged"} <= set(reasons.values()) <= {"not an image", "damaged", None}
    forgiven = [encoded for encoded, reason in reasons.items() if reason is None]
    assert {pictures.read(encoded).content for encoded in forgiven} <= {pictures.read(SOUND[form]).content}
    assert not forgiven, "TensorFlow decodes all of them, and forgives no end"


@st.composite
def mutated(draw) -> bytes:
    """A sound image after bits were flipped, bytes deleted and inserted, and the end cut off."""
    image = bytearray(SOUND[draw(st.sampled_from(sorted(SOUND)))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(image) - 1))
        match draw(st.sampled_from(["flip", "delete", "insert", "cut"])):
            case "flip":
                image[at] ^= draw(st.integers(1, 255))
            case "delete":
                del image[at : at + draw(st.integers(1, 20))]
            case "insert":
                image[at:at] = draw(st.binary(min_size=1, max_size=20))
            case "cut":
                del image[max(at, 1) :]
        if not image:
            break
    return bytes(image)


@settings(max_examples=300)
@given(mutated())
def test_mutated_images_are_sound_or_damaged_and_nothing_else(encoded):
    reason = reason_of(encoded)
    assert reason in {None, *REASONS}
    if reason is None:
        stored = pictures.read(encoded)
        assert decoded(encoded).shape == (stored.height, stored.width, stored.channels)


@functools.cache
def pixels_of(channels: int, stored: bool):
    """The graph of `from_bytes` for models of so many channels, traced once."""
    config = TransformConfig(channels=channels)
    return tf.function(
        lambda encoded: from_bytes(encoded, config, stored=stored), input_signature=[tf.TensorSpec([None], tf.string)]
    )


NAMED = st.sampled_from(["png", "jpg", "JPEG", "gif", "webp", "bmp"])  # what a file is called says nothing of what it holds


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(mutated(), NAMED), min_size=20, max_size=60))
def test_no_mutated_image_is_lost_on_its_way_through_example_gen(tmp_path_factory, spoilt):
    place = tmp_path_factory.mktemp("fuzz")
    (place / "p").mkdir()
    for number in range(30):
        form, ending = (("PNG", "png"), ("JPEG", "jpg"))[number % 2]
        (place / "p" / f"sound{number}.{ending}").write_bytes(SOUND[form])
    for number, (encoded, ending) in enumerate(spoilt):
        (place / "p" / f"spoilt{number}.{ending}").write_bytes(encoded)
    data = {"source": f"folder:{place / 'p'}", "validation": 0.3, "test": 0.3, "max_quarantined": 1.0}
    by_split, artifact = generated(sources.locate(DataConfig(**data), place / "datasets"), place, **data)
    lines = [line for path in (place / "examples/quarantine").glob("*.jsonl") for line in path.read_text().splitlines()]
    aside = [json.loads(line)["id"] for line in lines]
    kept = [image_id.decode() for rows in by_split.values() for image_id in ids(rows)]
    assert sorted(aside + kept) == sorted(path.name for path in (place / "p").iterdir())
    assert sum(json.loads(artifact.get_string_custom_property(keys.QUARANTINED)).values()) == len(aside)
    assert not [name for name in aside if name.startswith("sound")]
    encoded = [row[keys.IMAGE_ENCODED].bytes_list.value[0] for rows in by_split.values() for row in rows]
    for channels in (1, 3):  # what was kept is read by Transform as it is served, for models of either kind
        read, served = (pixels_of(channels, stored)(tf.constant(encoded)) for stored in (True, False))
        assert read.shape == (len(kept), 32, 32, channels)
        assert np.array_equal(read, served)

"""From encoded bytes to the 8-bit colours that a person sees, in the graph: upright, over a ground, 16 bits scaled.

TensorFlow's decoders drop what they are not asked for: a named transparent colour, the lower half of 16 bits, the turn in the tags.
Here each is honoured, or refused in a sentence. Plain images take the shortest way: training may decode each anew in every epoch.
"""

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.compat.tensorflow import NOT_INLINED
from components.image_files import MAX_PIXELS  # of PNG and JPEG; TensorFlow bounds the others itself
from components.transform import headers
from configs.schema.reading import Reading

LUMA = (9797, 19234, 3737)  # of 2^15: 0.299, 0.587, 0.114


class Unpacked(NamedTuple):
    """What a decoder gives: values uint8 [h, w, 1 to 4] as stored (2 and 4: alpha last), the orientation 1 to 8 that EXIF asks for,
    and the largest colour of a 16-bit image, int32, -1 of others."""

    values: tf.Tensor
    orientation: tf.Tensor
    peak: tf.Tensor


@tf.autograph.experimental.do_not_convert
def decode(encoded: tf.Tensor, channels: int, reading: Reading | None, stored: bool = False) -> tf.Tensor:
    """An image as a person sees it.

    Args:
        encoded: string scalar; PNG, JPEG, WebP, GIF (its first frame) or BMP of at most MAX_PIXELS.
        channels: 1, grey, or 3, RGB.
        reading: None: as TensorFlow's decoders see it, without alpha, upright or not; so does what was pushed before.
        stored: of ExampleGen's records, where every PNG is plain (components.example_gen.pictures): the same pixels, of a tenth of
            the operations, which take seconds to trace and to load in each stage.

    Returns:
        uint8 [h, w, channels].

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are no image, too large an image, or one that TensorFlow cannot
            decode to what a person sees (the transparency of a GIF, a JPEG of CMYK with a profile, a BMP with a palette).
    """
    if reading is None:

        def as_it_is(encoded, components):
            del components
            return _decoded(encoded, channels)

        return _shaped(_by_kind(encoded, as_it_is, as_it_is, lambda: _unread(encoded, channels)), channels)

    by_its_header, with_tags = _of_what_is_rare(channels, reading.rgb, reading.white)

    def png(encoded, components):
        del components
        return tf.cond(headers.png_is_plain(encoded), lambda: _decoded(encoded, channels), lambda: by_its_header(encoded))

    def stored_png(encoded, components):
        del components
        return _decoded(encoded, channels)

    def jpeg(encoded, components):
        def rgb():  # asked for grey, the decoder gives the luma that the file holds
            return tf.cond(headers.jpeg_is_plain(encoded), lambda: _decoded(encoded, channels), lambda: with_tags(encoded))

        return rgb() if stored else tf.cond(components == 4, lambda: by_its_header(encoded), rgb)

    if stored:
        return _shaped(_by_kind(encoded, stored_png, jpeg, lambda: _unread(encoded, channels)), channels)
    return _shaped(_by_kind(encoded, png, jpeg, lambda: by_its_header(encoded)), channels)


@functools.cache
def _of_what_is_rare(channels: int, rgb: tuple[int, int, int], white: int | None):
    """string scalar -> uint8 [h, w, channels]: of any image, and of a JPEG that may have EXIF tags.

    Functions by themselves: inlined, their operations would cost plain images time, and eagerly they are traced once.
    """
    reading = Reading(ground=list(rgb), white=white)

    def by_its_header(encoded):
        decoded = unpacked(encoded, reading)
        return turned(_to(composed(decoded.values, reading), channels), decoded.orientation)

    def with_tags(encoded):
        return turned(_decoded(encoded, channels), headers.jpeg_orientation(encoded))

    signature, functions = [tf.TensorSpec([], tf.string)], (by_its_header, with_tags)
    return tuple(tf.function(f, signature, autograph=False, experimental_attributes=NOT_INLINED) for f in functions)


def _by_kind(encoded: tf.Tensor, png, jpeg, other) -> tf.Tensor:
    """What one of the three gives; the size that PNG and JPEG declare is checked before any pixel is allocated.

    Args:
        png, jpeg: (encoded, number of components) -> image.
    """

    def of_png():
        header = tf.cast(tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.uint8), tf.float64)
        sides = tf.linalg.matvec(tf.reshape(header, [2, 4]), tf.constant([1 << 24, 1 << 16, 1 << 8, 1], tf.float64))
        return png(_small(encoded, sides), 0)

    def of_jpeg():
        shape = tf.io.extract_jpeg_shape(encoded)
        return jpeg(_small(encoded, tf.cast(shape[1::-1], tf.float64)), shape[2])

    return tf.cond(headers.is_png(encoded), of_png, lambda: tf.cond(headers.is_jpeg(encoded), of_jpeg, other))


def _small(encoded: tf.Tensor, sides: tf.Tensor) -> tf.Tensor:
    """`encoded`, once its width and height, float64 [2], are known not to exceed MAX_PIXELS: their product overflows no float."""
    text = f"an image may have at most {MAX_PIXELS} pixels; this one declares"
    return _checked(encoded, tf.reduce_prod(sides) <= MAX_PIXELS, text, sides)


def _unread(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    """BMP, GIF or WebP as TensorFlow gives it, which makes grey of no colours."""
    return _decoded(encoded, 3) if channels == 3 else grey(_decoded(encoded, 3))


@tf.autograph.experimental.do_not_convert
def unpacked(encoded: tf.Tensor, reading: Reading) -> Unpacked:
    """Decode any of the formats, sizes unchecked. Raises as `decode` does."""

    def png():
        depth, colour = headers.png_kind(encoded)
        # Asked for 4 channels the decoder makes alpha of a named colour, and nonsense of a palette without one.
        names = ((colour == 0) | (colour == 2)) & headers.png_names_a_transparent_colour(encoded)

        def values(dtype):
            def named():
                decoded = tf.io.decode_png(encoded, 4, dtype)
                return decoded[..., tf.where(colour == 0, 2, 0) :]  # grey has come three times

            return tf.cond(names, named, lambda: tf.io.decode_png(encoded, 0, dtype))

        def deep():
            decoded = tf.cast(values(tf.uint16), tf.int32)
            with_alpha = tf.shape(decoded)[-1] % 2 == 0
            colours = tf.shape(decoded)[-1] - tf.cast(with_alpha, tf.int32)
            scaled = tf.gather(_scale(reading.white or 65535), decoded[..., :colours])
            alpha = tf.gather(_scale(65535), decoded[..., colours:])
            return tf.concat([scaled, alpha], -1), tf.reduce_max(decoded[..., :colours])

        pixels, peak = tf.cond(depth == 16, deep, lambda: (values(tf.uint8), -1))
        return pixels, headers.png_orientation(encoded), peak

    def jpeg():
        is_cmyk = tf.io.extract_jpeg_shape(encoded)[2] == 4
        return tf.cond(is_cmyk, lambda: _cmyk(encoded), lambda: _decoded(encoded, 0)), headers.jpeg_orientation(encoded), -1

    def webp():
        return _decoded(encoded, 0), headers.webp_orientation(encoded), -1

    def gif():
        text = "the first frame of this GIF is transparent in places, which TensorFlow does not decode; send PNG"
        return _decoded(_checked(encoded, headers.gif_is_opaque(encoded), text), 3), 1, -1

    def bmp():
        is_plain, has_alpha = headers.bmp_is_plain(encoded)
        text = "this BMP has a palette, masks or a packing that TensorFlow does not decode; send PNG"
        sound = _checked(encoded, is_plain, text)
        is_grey = tf.strings.substr(encoded, 28, 1) == b"\x08"
        plain = tf.cond(is_grey, lambda: _decoded(sound, 0), lambda: _decoded(sound, 3))
        return tf.cond(has_alpha, lambda: _decoded(sound, 4), lambda: plain), 1, -1

    other = lambda: (_decoded(encoded, 0), 1, -1)  # noqa: E731
    for is_it, made in ((headers.is_bmp, bmp), (headers.is_gif, gif), (headers.is_webp, webp), (headers.is_jpeg, jpeg),
                        (headers.is_png, png)):  # fmt: skip
        other = _either(is_it(encoded), made, other)
    values, orientation, peak = other()
    return Unpacked(values, orientation, peak)


def composed(values: tf.Tensor, reading: Reading) -> tf.Tensor:
    """Lay an image with alpha over the ground: colour * alpha + ground * (1 - alpha), rounded half up.

    Args:
        values: uint8 [h, w, 1 to 4]; 2 and 4: the last is alpha, not multiplied into the others.

    Returns:
        uint8 [h, w, 1 or 3]: grey stays grey unless the ground has a colour.
    """

    def over():
        colours, alpha = tf.cast(values[..., :-1], tf.uint16), tf.cast(values[..., -1:], tf.uint16)
        rgb = reading.rgb
        ground = tf.constant(rgb[:1] if len(set(rgb)) == 1 else rgb, tf.uint16)
        full = tf.constant(255, tf.uint16)
        # at most 255 * 255 + 127, which 16 bits hold
        return tf.cast((colours * alpha + ground * (full - alpha) + tf.constant(127, tf.uint16)) // full, tf.uint8)

    return tf.cond(tf.shape(values)[-1] % 2 == 0, over, lambda: values)


def turned(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """An image [h, w, channels] as its EXIF orientation (1 to 8) says it is to be seen."""

    def among(*values):
        return tf.reduce_any(orientation == list(values))

    def turn():
        seen = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
        seen = tf.cond(among(2, 3, 6, 7), lambda: seen[:, ::-1], lambda: seen)
        return tf.cond(among(3, 4, 7, 8), lambda: seen[::-1], lambda: seen)

    return tf.cond(orientation > 1, turn, lambda: image)


def grey(image: tf.Tensor) -> tf.Tensor:
    """uint8 RGB [..., 3] -> [..., 1]: the luma that the decoder of PNG (libpng's png_set_rgb_to_gray) makes, to the bit."""
    return tf.cast(tf.reduce_sum(tf.cast(image, tf.int32) * LUMA, -1, keepdims=True) // 2**15, tf.uint8)


def _either(condition: tf.Tensor, yes, no):
    return lambda: tf.cond(condition, yes, no)


def _to(image: tf.Tensor, channels: int) -> tf.Tensor:
    """uint8 [h, w, 1 or 3] -> [h, w, channels]."""
    is_grey = tf.shape(image)[-1] == 1
    if channels == 1:
        return tf.cond(is_grey, lambda: image, lambda: grey(tf.ensure_shape(image, [None, None, 3])))
    return tf.cond(is_grey, lambda: tf.repeat(image, 3, -1), lambda: image)


def _scale(white: int) -> tf.Tensor:
    """uint8 [65536]: what each 16-bit value becomes where `white` becomes 255, rounded half up."""
    return tf.constant(np.minimum((np.arange(65536, dtype=np.int64) * 255 + white // 2) // white, 255).astype(np.uint8))


def _cmyk(encoded: tf.Tensor) -> tf.Tensor:
    """uint8 [h, w, 3] by the plain formula, (1 - C)(1 - K); a profile would say other colours."""
    has_profile = tf.strings.regex_full_match(encoded, r"\C*ICC_PROFILE\x00\C*")
    text = "this JPEG of CMYK has a profile, which TensorFlow does not follow; send RGB"
    return _decoded(_checked(encoded, ~has_profile, text), 3)


def _decoded(encoded: tf.Tensor, channels: int) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels=channels, expand_animations=False)


def _shaped(image: tf.Tensor, channels: int) -> tf.Tensor:
    image.set_shape([None, None, channels])
    return image


def _checked(encoded: tf.Tensor, is_right: tf.Tensor, text: str, *values: tf.Tensor) -> tf.Tensor:
    """`encoded`, once `is_right` is known to be true; nothing is decoded before."""
    with tf.control_dependencies([tf.debugging.Assert(is_right, [tf.constant(text), *values])]):
        return tf.identity(encoded)

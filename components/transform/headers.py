"""What the head of an encoded image says, in the graph: which decoder it needs, and how it is to be turned.

Every answer takes bounded work for any bytes. What is read is what TensorFlow's decoders leave out: the EXIF tag of the orientation
(JEITA CP-3451, section 4.6.4) in JPEG, PNG and WebP, the transparency of a GIF's first frame, the layout of a BMP.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from components.compat.tensorflow import NOT_INLINED

ORIENTATION = 0x0112  # the EXIF tag
SHORT = 3  # its type, 16 bits
SEGMENTS = 64  # of a JPEG that are looked at before the image begins
BLOCKS = 4096  # of a GIF before its first frame; a comment of 255 bytes is one
HEAD, TAIL = 2**13, 2**14  # bytes of a file in which something out of the ordinary shows, or its absence
TAGS = 2**16  # bytes of tags
_TIFF = r"(?:II\*\x00|MM\x00\*)"
_NAMED_COLOUR = r"\x00\x00\x00[\x02\x06]tRNS"
_PNG_EXTRAS = rf"\C*(?:{_NAMED_COLOUR}|\x00\x00\C\CeXIf{_TIFF})\C*"
_PNG_PLAIN = r"\C{24}[\x01\x02\x04\x08][\x00\x02]\C*IDAT\C*"


def _shared(*kinds: tf.DType) -> Callable:
    """Make a function of scalars of these kinds one that stands in a graph once, however often it is called: what is exported is
    traced and loaded in each stage of a run."""

    def decorate(function):
        @functools.cache
        def made():
            signature = [tf.TensorSpec([], kind) for kind in kinds]
            return tf.function(function, signature, autograph=False, experimental_attributes=NOT_INLINED)

        @functools.wraps(function)
        def call(*values):
            return made()(
                *(tf.cast(value, kind) if kind != tf.string else value for value, kind in zip(values, kinds, strict=True))
            )

        return call

    return decorate


def is_png(encoded: tf.Tensor) -> tf.Tensor:
    """Whether it begins as PNG does, and is long enough to declare its size and kind."""
    return tf.equal(tf.strings.substr(encoded, 0, 8), b"\x89PNG\r\n\x1a\n") & (tf.strings.length(encoded) >= 26)


def is_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """Whether it begins as JPEG does, and is long enough for a first segment."""
    begins = tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff")
    return begins & (tf.strings.length(encoded) >= 22)


def is_webp(encoded: tf.Tensor) -> tf.Tensor:
    """Whether it begins as WebP does, and is long enough for its first chunk's flags."""
    long = tf.strings.length(encoded) >= 21
    begins = tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 12), r"RIFF\C{4}WEBP")
    return begins & long


def is_gif(encoded: tf.Tensor) -> tf.Tensor:
    """Whether it begins as GIF does."""
    return tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 6), "GIF8[79]a")


def is_bmp(encoded: tf.Tensor) -> tf.Tensor:
    """Whether it begins as BMP does."""
    return tf.equal(tf.strings.substr(encoded, 0, 2), b"BM")


def png_kind(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Bits of a value, and the colour type (0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA) of a PNG: int32 scalars."""
    kind = _bytes(encoded, 24, 2)
    return kind[0], kind[1]


def png_is_plain(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a PNG is surely grey or RGB of at most 8 bits that names no transparent colour and has no EXIF tags.

    The first stand before the pixels (IDAT), the tags at either end. What does not show them there may be plain all the same.
    """
    head = tf.strings.substr(encoded, 0, HEAD)
    length = tf.strings.length(encoded)
    tail = tf.strings.substr(encoded, tf.minimum(tf.maximum(HEAD, length - TAIL), length), TAIL)
    return tf.strings.regex_full_match(head, _PNG_PLAIN) & ~tf.strings.regex_full_match(head + tail, _PNG_EXTRAS)


def png_names_a_transparent_colour(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a PNG of grey or RGB has the chunk tRNS."""
    return tf.strings.regex_full_match(encoded, rf"\C*{_NAMED_COLOUR}\C*")


def png_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """EXIF's, 1 to 8; 1 is upright: int32 scalar."""
    tags = tf.strings.regex_replace(encoded, r"^\C*?\x00\x00\C\CeXIf", "", replace_global=False)
    return _orientation(tags)


def webp_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """EXIF's, 1 to 8; 1 is upright: int32 scalar."""
    has_tags = tf.equal(tf.strings.substr(encoded, 12, 4), b"VP8X") & (_bytes(encoded, 20, 1)[0] & 8 > 0)
    tags = tf.strings.regex_replace(encoded, r"^\C*EXIF\C\C\C\C(?:Exif\x00\x00)?", "", replace_global=False)
    return tf.cond(has_tags, lambda: _orientation(tags), lambda: 1)


def jpeg_is_plain(encoded: tf.Tensor) -> tf.Tensor:
    """Whether a JPEG surely has no EXIF tags: none begin in its head, and JFIF's segment is followed by no other application's.

    What does not show that there may be plain all the same.
    """
    head = tf.strings.substr(encoded, 0, HEAD)
    tables = tf.equal(tf.strings.substr(head, 20, 2), b"\xff\xdb")  # of quantisation, where JFIF's 18 bytes end
    return tables & ~tf.strings.regex_full_match(head, rf"\C*Exif\x00\x00{_TIFF}\C*")


@_shared(tf.string)
def jpeg_orientation(encoded: tf.Tensor) -> tf.Tensor:
    """EXIF's, 1 to 8; 1 is upright: int32 scalar. Of the first segment APP1 that holds EXIF tags."""

    def look(number, at, tags, more):
        del more
        marker = _bytes(encoded, at, 10)
        length = marker[2] * 256 + marker[3]
        is_exif = (marker[1] == 0xE1) & tf.reduce_all(marker[4:10] == list(b"Exif\0\0"))
        is_fill = marker[1] == 0xFF
        # SOS, EOI and what has no length end the head
        is_segment = (marker[0] == 0xFF) & (marker[1] >= 0xC0) & (marker[1] < 0xFF) & (marker[1] != 0xD9) & (marker[1] != 0xDA)
        has_tags = is_segment & is_exif
        goes_on = (is_segment & ~is_exif & (length >= 2)) | ((marker[0] == 0xFF) & is_fill)
        after = tf.where(is_fill, at + 1, at + 2 + length)
        return number + 1, after, tf.where(has_tags, at + 10, tags), goes_on

    start = (0, 2, -1, True)
    _, _, at, _ = tf.while_loop(lambda number, at, tags, more: more & (number < SEGMENTS), look, start)
    return tf.cond(at >= 0, lambda: _orientation(_rest(encoded, at, TAGS)), lambda: 1)


@_shared(tf.string)  # a loop stands in no branch: a session's optimizer at times makes a graph of that which cannot run
def gif_is_opaque(encoded: tf.Tensor) -> tf.Tensor:
    """Whether the first frame of a GIF covers all of it and names no transparent colour."""
    screen = _bytes(encoded, 6, 5)
    table = tf.where(screen[4] >= 128, 3 * tf.bitwise.left_shift(2, screen[4] & 7), 0)

    def look(number, at, inside, transparent, more):
        """One block: an extension's begin, or one of the parts that follow it, each after its length."""
        del more
        block = _bytes(encoded, at, 4)
        begins = ~inside & (block[0] == 0x21)
        control = begins & (block[1] == 0xF9)
        after = tf.where(inside, at + 1 + block[0], tf.where(begins, at + 2, at))
        still = tf.where(inside, block[0] > 0, begins)
        return number + 1, after, still, tf.where(control, (block[3] & 1) > 0, transparent), inside | begins

    start = (0, 13 + table, False, False, True)
    _, at, _, transparent, _ = tf.while_loop(lambda number, at, inside, transparent, more: more & (number < BLOCKS), look, start)
    frame = _bytes(encoded, at, 9)
    covers = tf.reduce_all(frame[1:5] == 0) & tf.reduce_all(frame[5:9] == screen[:4])
    return (frame[0] == 0x2C) & covers & ~transparent


def bmp_is_plain(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Whether TensorFlow's decoder, which reads neither palettes nor masks, sees of a BMP what a person does; whether it has alpha.

    That is so for 24 bits, 32 bits in the usual order, and 8 bits whose palette is the greys in order, none of it compressed.
    """
    header = _bytes(encoded, 14, 56)
    size, bits, packing = _little(header[:4]), _little(header[14:16]), _little(header[16:20])
    masks = header[40:56]
    usual = tf.reduce_all(masks[:12] == [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0])
    masked = (bits == 32) & ((packing == 3) | (packing == 6)) & usual
    greys = [level for grey in range(256) for level in (grey, grey, grey, 0)]
    palette = _bytes(encoded, 14 + tf.clip_by_value(size, 0, 2**10), 1024)
    grey = (bits == 8) & (packing == 0) & tf.reduce_all(palette == greys)
    alpha = masked & (size >= 56) & tf.reduce_all(masks[12:] == [0, 0, 0, 255])
    return ((packing == 0) & ((bits == 24) | (bits == 32))) | masked | grey, alpha


@_shared(tf.string)
def _orientation(tags: tf.Tensor) -> tf.Tensor:
    """The orientation in a TIFF structure, or 1 where there is none in its first directory, or what is there is malformed."""
    head = _bytes(tags, 0, 8)
    little = tf.reduce_all(head[:4] == list(b"II*\0"))
    big = tf.reduce_all(head[:4] == list(b"MM\0*"))

    def number(values):
        """int32 [..., n], n at most 4, in the file's order of bytes."""
        return tf.where(little, _little(values), _little(values[..., ::-1]))

    offset = tf.cast(head[4:8], tf.int64)
    offset = tf.where(little, _little(offset), _little(offset[::-1]))
    at = tf.cast(tf.clip_by_value(offset, 0, TAGS), tf.int32)
    many = number(_bytes(tags, at, 2))
    held = tf.strings.length(_rest(tags, at + 2, TAGS)) // 12
    entries = tf.reshape(_bytes(tags, at + 2, 12 * tf.minimum(many, held)), [-1, 12])
    is_it = (number(entries[:, :2]) == ORIENTATION) & (number(entries[:, 2:4]) == SHORT)
    values = tf.boolean_mask(number(entries[:, 8:10]), is_it)
    value = tf.concat([values, [1]], 0)[0]
    return tf.where((little | big) & (value >= 1) & (value <= 8), value, 1)


def _little(values: tf.Tensor) -> tf.Tensor:
    """[..., n] bytes, the lowest first -> [...]."""
    return tf.reduce_sum(values * tf.constant([1 << 8 * place for place in range(values.shape[-1])], values.dtype), -1)


def _rest(encoded: tf.Tensor, at: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """Up to `length` bytes from a place on, which may lie beyond the end."""
    return tf.strings.substr(encoded, tf.clip_by_value(at, 0, tf.strings.length(encoded)), length)


def _bytes(encoded: tf.Tensor, at: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """`length` bytes from a place on, int32 [length]; 0 for those beyond the end."""
    values = _padded(encoded, at, length)
    return tf.ensure_shape(values, [length]) if isinstance(length, int) else values


@_shared(tf.string, tf.int32, tf.int32)
def _padded(encoded, at, length):
    values = tf.cast(tf.io.decode_raw(_rest(encoded, at, length), tf.uint8), tf.int32)
    return tf.pad(values, [[0, length - tf.shape(values)[0]]])

"""One encoded image on its way in: sound, or damaged and why; re-encoded where TensorFlow would read it unlike people do."""

import contextlib
import functools
import hashlib
import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from components import keys
from components.image_files import FORMATS, MAX_PIXELS
from components.inputs.storing import Damaged
from configs.schema.reading import Reading

if TYPE_CHECKING:
    import numpy as np

MPO = ("JPEG", "MPO")
ORIENTATION = 0x0112  # the EXIF tag
OLD_TAGS = b"Raw profile type "  # a PNG's text that held EXIF tags before PNG had a chunk for them
HEADER = 1024  # bytes in which that of a PPM ends, comments and all
CODESTREAM = b"\xff\x4f\xff\x51"  # how that of JPEG 2000 begins: its size comes first
XMP = ("xmp", "XML:com.adobe.xmp")  # Pillow's names of it
XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([2-8])")
NEARLY = 8  # of 255: values that differ by no more are one to an eye
VISIBLE = 64  # of 255: a difference in alpha that draws something

VALUES = "unsupported values"  # the reason where an image is sound, and of values that nobody can map to 0..255
# What is done to an image, or should be known of it; see docs/data.md.
TURNED, OVER_GROUND, CMYK, FIRST = "turned", "over_ground", "cmyk", "first_of_several"
DEEP, CUT = "16_bits", "16_bits_cut"  # scaled by data.white; of colour in other formats than PNG, only the upper 8 bits are read
IN_ALPHA, BLANK = "picture_in_alpha", "blank_over_ground"
UNTURNED = "xmp_orientation"
CHANGES = (TURNED, OVER_GROUND, IN_ALPHA, BLANK, CMYK, FIRST, DEEP, CUT, UNTURNED)


class Picture(NamedTuple):
    """A sound image as a model sees it: PNG or JPEG bytes that the graph decodes to that, and what is in them.

    height and width in px, upright; channels 1 or 3, over the ground; brightness the mean of all values in 0..255; `content` names
    the pixels, whatever the encoding; `changes` are of CHANGES; `peak` is the largest colour of 16 bits, -1
    of other images.
    """

    encoded: bytes
    height: int
    width: int
    channels: int
    brightness: float
    content: bytes
    changes: tuple[str, ...] = ()
    peak: int = -1

    @property
    def measures(self) -> dict[str, int | float]:
        """What of it stands in the raw schema, by feature name."""
        return {
            keys.IMAGE_HEIGHT: self.height,
            keys.IMAGE_WIDTH: self.width,
            keys.IMAGE_CHANNELS: self.channels,
            keys.IMAGE_BRIGHTNESS: self.brightness,
        }


def read(encoded: bytes, reading: Reading | None = None) -> Picture:
    """Check an image, and re-encode what is not plain as an 8-bit PNG of what the served graph sees of it.

    A JPEG stays as it is: the graph turns it wherever it is decoded. TensorFlow's decoder has the last word, because Transform and
    the served graph decode with it: what Pillow forgives (a PNG without its end) would otherwise stop the run later.

    Args:
        reading: the ground and the white value; None: the defaults.

    Raises:
        Damaged: "empty", "not an image", "unsupported format", "unsupported values" (32 bits or floats; 16-bit colour outside PNG
            where a white is given), "too large" or "damaged".
    """
    import tensorflow as tf

    reading = reading or Reading()
    readable, changes, is_plain = _prepared(encoded)
    if CUT in changes and reading.white is not None:
        raise Damaged(VALUES)
    try:
        if is_plain:
            pixels = tf.raw_ops.DecodeImage(contents=readable, channels=0, dtype=tf.uint8, expand_animations=False).numpy()
            peak = -1
        else:
            values, pixels, orientation, peak = (each.numpy() for each in _graph(reading.rgb, reading.white)(readable))
            changes = [*changes, *_seen(values, pixels, int(orientation), int(peak))]
            if not readable.startswith(b"\xff\xd8") or CMYK in changes:
                readable = tf.io.encode_png(pixels).numpy()
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
        raise Damaged("damaged") from None
    height, width, channels = pixels.shape
    content = hashlib.sha256(f"{height}x{width}x{channels}\n".encode())
    content.update(pixels.data)
    return Picture(
        readable, height, width, channels, float(pixels.mean()), content.digest()[:16], tuple(dict.fromkeys(changes)), int(peak)
    )


def pixels(encoded: bytes, reading: Reading | None = None) -> "np.ndarray":
    """Of what ExampleGen kept, as a person sees it: uint8 [height, width, 1 or 3], upright and over the ground."""
    import tensorflow as tf

    reading = reading or Reading()
    try:
        _, seen, *_ = _graph(reading.rgb, reading.white)(encoded)
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
        raise Damaged("damaged") from None
    return seen.numpy()


def sendable(encoded: bytes, turns: bool, white: int | None = None) -> bytes:
    """What to send to a served model: the image as it is, or a PNG where the model's graph would not see it as a person does.

    Args:
        turns: whether the graph honours EXIF's orientation, and alpha with it, as the card says. Otherwise the image is turned
            here, and its tags are left out.
        white: of the reading that the card has.

    Raises:
        Damaged: see `read`.
    """
    readable, changes, _ = _prepared(encoded)
    if CUT in changes and white is not None:
        raise Damaged(VALUES)
    if turns:
        return readable
    from PIL import Image

    with _opened(encoded) as opened:
        orientation = _orientation(opened)
        if orientation == 1:
            return readable if opened.format in ("TIFF", "PPM", "JPEG2000", "AVIF") or CMYK in changes else encoded
        opened.load()
        image = _in_plain_mode(opened)[0]
        if image.mode.startswith("I;16"):
            import numpy as np

            image = Image.fromarray((np.asarray(image, np.uint16) // 257).astype(np.uint8))
        return _png(_turned(image, _orientation(opened)))


def noted(encoded: bytes) -> tuple[tuple[str, ...], int]:
    """Of CHANGES those that leave out something that the file holds, and how many frames or pages there are, of which the first is
    read; none and 1 of what is no image."""
    try:
        with _opened(encoded) as opened:
            changes = [FIRST] * _has_several(encoded, opened.format) + [UNTURNED] * _is_turned_by_xmp_alone(opened)
            changes += [CUT] * _has_deep_colour(encoded, opened)
            return tuple(changes), int(getattr(opened, "n_frames", 1)) if FIRST in changes else 1
    except Damaged:
        return (), 1


def orientation_of(encoded: bytes) -> int:
    """EXIF's, 1 to 8; 1 is upright, and what is no image."""
    try:
        with _opened(encoded) as opened:
            return _orientation(opened)
    except Damaged:
        return 1


@functools.cache
def _graph(rgb: tuple[int, int, int], white: int | None):
    """string scalar -> (values as stored, pixels as seen, orientation, peak): what every graph does, traced once."""
    import tensorflow as tf

    from components.transform import decoding

    reading = Reading(ground=list(rgb), white=white)

    def seen(encoded):
        unpacked = decoding.unpacked(encoded, reading)
        return unpacked.values, decoding.turned(decoding.composed(unpacked.values, reading), unpacked.orientation), *unpacked[1:]

    return tf.function(seen, input_signature=[tf.TensorSpec([], tf.string)], autograph=False)


def _seen(values, pixels, orientation: int, peak: int) -> list[str]:
    """Which changes the graph made."""
    changes = [TURNED] * (orientation > 1) + [DEEP] * (peak >= 0)
    if values.shape[-1] % 2 == 0 and values[..., -1].min() < 255:
        alpha, colours = values[..., -1], values[..., :-1]
        changes.append(OVER_GROUND)
        shown = colours[alpha > 0]
        if int(alpha.max()) - int(alpha.min()) >= VISIBLE and shown.std(0).max() <= NEARLY:
            changes.append(IN_ALPHA)
            changes += [BLANK] * (int(pixels.max()) - int(pixels.min()) <= NEARLY)
    return changes


@contextlib.contextmanager
def _opened(encoded: bytes):
    """The image, its pixels not decoded yet. Whatever Pillow raises meanwhile becomes Damaged."""
    from PIL import Image

    if not encoded:
        raise Damaged("empty")
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Damaged("too large")
            if opened.format not in FORMATS:
                raise Damaged("unsupported format")
            yield opened
    except (Damaged, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise Damaged("too large") from None
    except Image.UnidentifiedImageError:
        raise Damaged("not an image") from None
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        raise Damaged("damaged") from None


def _prepared(encoded: bytes) -> tuple[bytes, list[str], bool]:
    """Bytes that the graph sees as a person does; what was done for that; whether they are plain: upright grey or RGB of 8 bits.

    Raises Damaged.
    """
    with _opened(encoded) as opened:
        changes = [FIRST] * _has_several(encoded, opened.format) + [UNTURNED] * _is_turned_by_xmp_alone(opened)
        if opened.format in MPO:
            if opened.mode == "CMYK":
                changes.append(CMYK)
                if "icc_profile" not in opened.info:
                    return encoded, changes, False
            else:
                return encoded, changes, "exif" not in opened.info
        elif opened.format == "PNG":
            has_tags = b"eXIf" in encoded
            if not has_tags and OLD_TAGS in encoded and (orientation := _orientation(opened)) != 1:
                return _tagged(encoded, orientation), changes, False
            is_deep = encoded[24:25] == b"\x10"  # Pillow opens 16-bit RGB as 8-bit RGB
            is_plain = opened.mode in ("L", "RGB", "1") and "transparency" not in opened.info
            return encoded, changes, is_plain and not is_deep and not has_tags
        elif opened.format == "WEBP" and FIRST not in changes:
            return encoded, changes, False
        orientation = _orientation(opened)
        opened.load()
        image, more = _in_plain_mode(opened)
        changes += [CUT] * _has_deep_colour(encoded, opened)
        changes += [*more, *([TURNED] if orientation != 1 else [])]
        return _png(_turned(image, _orientation(opened))), changes, False  # Pillow turns TIFF itself as it loads


def _has_deep_colour(encoded: bytes, opened) -> bool:
    """Whether it is a TIFF, PPM, JPEG 2000 or AVIF of more than 8 bits a colour, of which Pillow gives the upper 8."""
    if opened.format == "TIFF":
        is_whole = opened.mode in ("I", "F") or opened.mode.startswith("I;16")
        return not is_whole and max(opened.tag_v2.get(258, (8,))) > 8  # BitsPerSample
    if opened.mode not in ("RGB", "RGBA", "LA"):
        return False
    if opened.format == "PPM":
        header = re.sub(
            rb"#[^\r\n]*", b"", encoded[:HEADER]
        ).split()  # kind, width, height, maximum; comments may stand between them
        return len(header) > 3 and header[3].isdigit() and int(header[3]) > 255
    if opened.format == "JPEG2000":  # ISO/IEC 15444-1, table A.9: bits less 1, the uppermost for a sign, of each component
        size = encoded[max(0, encoded.find(CODESTREAM)) + len(CODESTREAM) :]
        return any(depth & 0x7F >= 8 for depth in size[38 : 38 + 3 * int.from_bytes(size[36:38]) : 3])
    # AV1 in ISO base media, section 2.3.3: high_bitdepth of each of its items
    return opened.format == "AVIF" and any(part[2:3] and part[2] & 0x40 for part in encoded.split(b"av1C")[1:])


def _has_several(encoded: bytes, form: str) -> bool:
    """Whether further frames or pages follow that are not read."""
    from PIL import Image

    if form in MPO or (form == "PNG" and b"acTL" not in encoded):
        return False
    with contextlib.suppress(Exception), Image.open(io.BytesIO(encoded)) as opened:  # damage of frames that nobody asked for
        return bool(getattr(opened, "is_animated", False))
    return False


def _orientation(opened) -> int:
    """1 to 8 as in EXIF; 1 is upright. What XMP says counts for no browser, nor here."""
    value = _exif(opened).get(ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _exif(opened):
    """The tags, without what Pillow adds to them from XMP, and turns a TIFF by."""
    from PIL import Image

    if opened.format in ("PNG", "TIFF"):
        hidden = {name: opened.info.pop(name) for name in XMP if name in opened.info}
        tags = opened.getexif()
        opened.info.update(hidden)
        return tags
    exif = Image.Exif()
    exif.load(opened.info.get("exif", b""))
    return exif


def _is_turned_by_xmp_alone(opened) -> bool:
    """Whether XMP has an orientation, and EXIF has none."""
    packet = next((opened.info[name] for name in XMP if name in opened.info), b"")
    said = XMP_ORIENTATION.search(packet.encode(errors="replace") if isinstance(packet, str) else packet)
    return said is not None and ORIENTATION not in _exif(opened)


def _in_plain_mode(opened):
    """A Pillow image of mode 1, L, LA, RGB, RGBA or I;16, and what was done for that. Raises Damaged for values without a range."""
    import numpy as np
    from PIL import Image

    mode, changes = opened.mode, []
    if mode.startswith("I;16"):
        return Image.fromarray(np.asarray(opened).astype(np.uint16)), [DEEP]
    if mode in ("I", "F"):
        values = np.asarray(opened)
        if mode == "F" or values.min() < 0 or values.max() > 65535:
            raise Damaged(VALUES)
        return Image.fromarray(values.astype(np.uint16)), [DEEP]
    if mode in ("CMYK", "LAB"):
        return _by_profile(opened), changes + [CMYK] * (mode == "CMYK")
    transparent = "transparency" in opened.info or mode in ("PA", "RGBa", "La")
    if transparent:
        image = opened.convert("RGBA")
    elif mode in ("1", "L", "LA", "RGB", "RGBA"):
        image = opened
    else:
        image = opened.convert("RGB")
    if opened.format == "GIF":
        image = _uncovered(opened, image)
    return image, changes


def _uncovered(opened, image):
    """A GIF's first frame, transparent where it does not reach."""
    left, top, right, bottom = getattr(opened, "dispose_extent", None) or (0, 0, *image.size)
    if (left, top, right, bottom) == (0, 0, *image.size):
        return image
    from PIL import Image

    inside = Image.new("L", image.size, 0)
    inside.paste(255, (left, top, right, bottom))
    whole = Image.new("RGBA", image.size, (0, 0, 0, 0))
    whole.paste(image.convert("RGBA"), mask=inside)
    return whole


def _by_profile(opened):
    """RGB of CMYK or Lab by the profile that is embedded; of CMYK without one by the plain formula, (1 - C)(1 - K)."""
    from PIL import ImageCms

    profile = opened.info.get("icc_profile")
    if opened.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    else:
        return opened.convert("RGB")
    try:
        return ImageCms.profileToProfile(opened, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError:  # a profile of something else
        if opened.mode == "LAB":
            raise
        return opened.convert("RGB")


def _turned(image, orientation: int):
    """`image` as its EXIF orientation (1 to 8) says it is to be seen."""
    from PIL import Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _png(image) -> bytes:
    image.info = {}  # a colour profile or text would only be carried along
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _tagged(encoded: bytes, orientation: int) -> bytes:
    """A PNG with the chunk eXIf that says its orientation."""
    tags = b"eXIf" + struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
    end = 33  # of the header
    return encoded[:end] + struct.pack(">I", len(tags) - 4) + tags + struct.pack(">I", zlib.crc32(tags)) + encoded[end:]

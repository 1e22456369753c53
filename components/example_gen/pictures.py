"""One encoded image on its way in: sound, or damaged and why; re-encoded where TensorFlow would read it unlike people do."""

import hashlib
import io
from typing import NamedTuple

from components import keys

MAX_PIXELS = 2**25  # 33 megapixels; the served graph refuses larger ones too (components/transform/pixels.py)
READ = ("PNG", "JPEG", "MPO", "BMP", "GIF", "WEBP")  # MPO: a JPEG with further ones behind it, from many cameras
ORIENTATION = 0x0112  # the EXIF tag


class Picture(NamedTuple):
    """A sound image: PNG or JPEG bytes that TensorFlow decodes to what a person sees, and what is in them.

    height and width in px, channels as encoded (1 to 4), brightness the mean of all values in 0..255; `content` names the decoded
    pixels, whatever the encoding.
    """

    encoded: bytes
    height: int
    width: int
    channels: int
    brightness: float
    content: bytes

    @property
    def measures(self) -> dict[str, int | float]:
        """What of it stands in the raw schema, by feature name."""
        return {
            keys.IMAGE_HEIGHT: self.height,
            keys.IMAGE_WIDTH: self.width,
            keys.IMAGE_CHANNELS: self.channels,
            keys.IMAGE_BRIGHTNESS: self.brightness,
        }


class Damaged(Exception):
    """An image that cannot be used; its text is the reason, one of a few."""


def read(encoded: bytes) -> Picture:
    """Check an image, and re-encode it as an upright 8-bit PNG where that is needed.

    That is needed for a turn in its EXIF tags, palettes, 16 bits, BMP, GIF (its first frame) and WebP. TensorFlow's decoder has
    the last word, because Transform and the served graph decode with it: what Pillow forgives (a PNG without its end) would
    otherwise stop the run later.

    Raises:
        Damaged: "empty", "not an image", "unsupported format", "too large", "wrong channel count" (CMYK) or "damaged".
    """
    import tensorflow as tf

    try:
        tidy = _tidied(encoded)
        pixels = tf.raw_ops.DecodeImage(contents=tf.constant(tidy), channels=0, dtype=tf.uint8, expand_animations=False).numpy()
    except Damaged:
        raise
    except (tf.errors.InvalidArgumentError, tf.errors.ResourceExhaustedError):
        raise Damaged("damaged") from None
    height, width, channels = pixels.shape
    content = hashlib.sha256(f"{height}x{width}x{channels}\n".encode())
    content.update(pixels.data)
    colour = pixels if channels in (1, 3) else pixels[..., : channels - 1]  # without alpha
    return Picture(tidy, height, width, channels, float(colour.mean()), content.digest()[:16])


def _tidied(encoded: bytes) -> bytes:
    """The bytes as they are, or an upright 8-bit PNG of them. Raises Damaged."""
    from PIL import Image

    if not encoded:
        raise Damaged("empty")
    try:
        with Image.open(io.BytesIO(encoded)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Damaged("too large")
            if opened.format not in READ:
                raise Damaged("unsupported format")
            if opened.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
                raise Damaged("wrong channel count")
            return _as_png(opened, encoded) if _needs_png(opened, encoded) else encoded
    except (Damaged, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise Damaged("too large") from None
    except Image.UnidentifiedImageError:
        raise Damaged("not an image") from None
    except Exception:  # Pillow's parsers raise whatever the bytes lead them into
        raise Damaged("damaged") from None


def _needs_png(opened, encoded: bytes) -> bool:
    is_deep = opened.format == "PNG" and encoded[24:25] == b"\x10"  # Pillow opens 16-bit RGB as 8-bit RGB
    return (
        opened.format not in ("PNG", "JPEG", "MPO")
        or opened.mode not in ("L", "RGB", "RGBA", "LA", "1")
        or is_deep
        or _orientation(opened, encoded) != 1
    )


def _orientation(opened, encoded: bytes) -> int:
    """1 to 8 as in EXIF; 1 is upright."""
    if opened.format == "PNG" and b"eXIf" not in encoded and b"Raw profile type" not in encoded:
        return 1  # to look for a tag at a PNG's end, Pillow would decode all of it
    return opened.getexif().get(ORIENTATION, 1)


def _as_png(opened, encoded: bytes) -> bytes:
    import numpy as np
    from PIL import Image

    orientation = _orientation(opened, encoded)  # before `info`, which holds it, is emptied
    if opened.mode.startswith("I"):  # 16-bit grey
        image = Image.fromarray(np.clip(np.rint(np.asarray(opened, np.float64) / 257), 0, 255).astype(np.uint8))
    elif opened.mode in ("P", "PA"):
        image = opened.convert("RGBA" if "transparency" in opened.info or opened.mode == "PA" else "RGB")
    elif opened.mode in ("L", "RGB", "RGBA", "LA"):
        image = opened
    else:
        image = opened.convert("RGB" if opened.mode.startswith("RGB") else "L")
    image.info = {}  # a colour profile or text would only be carried along
    buffer = io.BytesIO()
    _turned(image, orientation).save(buffer, "PNG")
    return buffer.getvalue()


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

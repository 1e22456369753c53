"""One image as a tf.Example of the raw schema, and what is wrong with one that cannot be."""

import hashlib
import io

from components import keys

MAX_PIXELS = 2**25  # 33 megapixels; the served graph refuses larger ones too (components/transform/pixels.py)


def example(
    image: bytes, image_id: bytes, label: int | None = None, mask: bytes | None = None, anomaly: bool | None = None
) -> bytes:
    """Serialized tf.Example: `image` is PNG or JPEG, `image_id` stable between runs; what is None is absent."""
    import tensorflow as tf

    feature = {
        keys.IMAGE_ENCODED: tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        keys.IMAGE_ID: tf.train.Feature(bytes_list=tf.train.BytesList(value=[image_id])),
    }
    for name, number in ((keys.LABEL, label), (keys.ANOMALY, anomaly)):
        if number is not None:
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[int(number)]))
    if mask is not None:
        feature[keys.MASK] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[mask]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(deterministic=True)


def damage(image: bytes) -> str | None:
    """Why an image cannot be used ("empty", "not an image", "not PNG or JPEG", "too large", "CMYK", "damaged"), or None.

    TensorFlow's decoder has the last word, because Transform and the served graph decode with it: what Pillow forgives (a PNG
    without its end) would otherwise stop the run later.
    """
    import tensorflow as tf
    from PIL import Image

    if not image:
        return "empty"
    try:
        with Image.open(io.BytesIO(image)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return "too large"
            if opened.format not in ("PNG", "JPEG", "MPO"):  # MPO: a JPEG with further ones behind it, from many cameras
                return "not PNG or JPEG"
            if opened.mode == "CMYK":
                return "CMYK"
        tf.raw_ops.DecodeImage(contents=tf.constant(image), channels=1, dtype=tf.uint8, expand_animations=False)
    except Image.DecompressionBombError:
        return "too large"
    except Image.UnidentifiedImageError:
        return "not an image"
    except (OSError, SyntaxError, ValueError, tf.errors.InvalidArgumentError):
        return "damaged"
    return None


def share(image_id: bytes, purpose: bytes = b"split") -> float:
    """A number in [0, 1) that depends on the id alone, independent between purposes: what splits and limits are drawn by."""
    return int.from_bytes(hashlib.sha256(purpose + b"\0" + image_id).digest()[:8], "big") / 2**64
